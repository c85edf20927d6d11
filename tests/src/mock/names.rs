//! Made-up names from many scripts, and names that are known to break programs.
//!
//! `organization` decides who gets which name. Every given and family name has the plain letters
//! for its e-mail address.

/// A way of writing names: given names, family names, and whether the family name comes first.
pub(super) struct Script {
    pub(super) given: &'static [(&'static str, &'static str)],
    pub(super) family: &'static [(&'static str, &'static str)],
    pub(super) family_first: bool,
    pub(super) separator: &'static str,
}

/// The scripts. The first one is the most common.
pub(super) const SCRIPTS: &[Script] = &[
    Script {
        given: &[
            ("Amara", "amara"),
            ("Bruno", "bruno"),
            ("Carmen", "carmen"),
            ("Dagny", "dagny"),
            ("Elif", "elif"),
            ("Fergus", "fergus"),
            ("Greta", "greta"),
            ("Hollis", "hollis"),
            ("Imani", "imani"),
            ("Jonas", "jonas"),
            ("Keira", "keira"),
            ("Lorenzo", "lorenzo"),
            ("Maud", "maud"),
            ("Noor", "noor"),
            ("Odile", "odile"),
            ("Piet", "piet"),
        ],
        family: &[
            ("Abernathy", "abernathy"),
            ("Bellweather", "bellweather"),
            ("Castellan", "castellan"),
            ("Dunmore", "dunmore"),
            ("Eastlake", "eastlake"),
            ("Fairbrook", "fairbrook"),
            ("Grimsdal", "grimsdal"),
            ("Hartwell", "hartwell"),
            ("Ironside", "ironside"),
            ("Jansky", "jansky"),
            ("Kessler-Vane", "kessler-vane"),
            ("van der Linden", "vanderlinden"),
            ("Moorcroft", "moorcroft"),
            ("Ravensdale", "ravensdale"),
        ],
        family_first: false,
        separator: " ",
    },
    Script {
        given: &[
            ("Zoë", "zoe"),
            ("José", "jose"),
            ("Siân", "sian"),
            ("Łucja", "lucja"),
            ("Åse", "ase"),
            ("Ñuflo", "nuflo"),
            ("Şebnem", "sebnem"),
        ],
        family: &[
            ("Brontëfield", "brontefield"),
            ("Grüßmann", "gruessmann"),
            ("Dvořáček", "dvoracek"),
            ("Ångström", "angstroem"),
            ("Þórsdóttir", "thorsdottir"),
            ("Çelikoğlu", "celikoglu"),
        ],
        family_first: false,
        separator: " ",
    },
    Script {
        given: &[("Олена", "olena"), ("Дмитро", "dmytro"), ("Вера", "vera")],
        family: &[("Ковальчук", "kovalchuk"), ("Морозова", "morozova")],
        family_first: false,
        separator: " ",
    },
    Script {
        given: &[("Ελένη", "eleni"), ("Νίκος", "nikos")],
        family: &[("Παπαδάκη", "papadaki"), ("Γεωργίου", "georgiou")],
        family_first: false,
        separator: " ",
    },
    Script {
        given: &[("伟", "wei"), ("秀英", "xiuying"), ("子涵", "zihan")],
        family: &[("王", "wang"), ("欧阳", "ouyang"), ("陈", "chen")],
        family_first: true,
        separator: "",
    },
    Script {
        given: &[("さくら", "sakura"), ("健太", "kenta")],
        family: &[("佐藤", "sato"), ("髙橋", "takahashi")],
        family_first: true,
        separator: " ",
    },
    Script {
        given: &[("민준", "minjun"), ("서연", "seoyeon")],
        family: &[("김", "kim"), ("남궁", "namgung")],
        family_first: true,
        separator: "",
    },
    Script {
        given: &[("ليلى", "layla"), ("يوسف", "yusuf")],
        family: &[("الحداد", "alhaddad"), ("منصور", "mansour")],
        family_first: false,
        separator: " ",
    },
    Script {
        given: &[("נועה", "noa"), ("איתי", "itai")],
        family: &[("לוי", "levi"), ("בן־דוד", "bendavid")],
        family_first: false,
        separator: " ",
    },
    Script {
        given: &[("अनन्या", "ananya"), ("रोहन", "rohan")],
        family: &[("शर्मा", "sharma"), ("अय्यर", "iyer")],
        family_first: false,
        separator: " ",
    },
    Script {
        given: &[("สมชาย", "somchai")],
        family: &[("ใจดี", "jaidee")],
        family_first: false,
        separator: " ",
    },
];

/// Names that often break programs, with the plain letters of their addresses. Every organization
/// of 60 has all of them.
pub(super) const AWKWARD: &[(&str, &str)] = &[
    ("Siobhán O'Hara-Quill", "siobhan.oharaquill"),
    ("Merriweather, Jr., Thaddeus", "thaddeus.merriweather"),
    ("Roxanne \"Rocket\" Vale", "roxanne.vale"),
    ("=HYPERLINK(\"http://sheet.invalid\",\"open me\")", "formula"),
    ("Pilar 🚀 Quintero", "pilar.quintero"),
    ("עומר אבן־שושן", "omer.evenshoshan"),
    ("諸葛 靜", "jing.zhuge"),
    ("Ame\u{301}lie Fac\u{327}ade", "amelie.facade"),
    ("@here", "here"),
    ("+1 Support Line", "support.line"),
    ("-Dashwood", "dashwood"),
    ("Two\nLines", "two.lines"),
    ("Tab\tStop", "tab.stop"),
    ("Red \u{1b}[31mAlert", "red.alert"),
    ("Left \u{202e}thgiR", "left.right"),
    ("  Spaces  Around  ", "spaces.around"),
    ("👩‍👩‍👧‍👦 Family Desk", "family.desk"),
    ("null", "null"),
    ("Back\\slash; semi:colon", "back.slash"),
    ("", "nameless"),
];

/// Names of accounts that are not people.
pub(super) const APPS: &[(&str, &str)] = &[
    ("Release Robot", "release-robot"),
    ("Backlog Gardener", "backlog-gardener"),
    ("Status Beacon (beta)", "status-beacon"),
    ("Import & Sync", "import-sync"),
];
