//! The picture of a connector, as part of a page: a PNG, or an SVG that only draws.
//!
//! An SVG is a program: it can load, link, animate and run scripts. One is accepted whole if all of
//! its elements and attributes only draw, and refused otherwise; nothing in it is repaired.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Largest icon, in bytes. A page carries it in itself.
pub const LARGEST: usize = 64 * 1024;

/// Elements that only draw.
const ELEMENTS: [&str; 16] = [
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "defs",
    "linearGradient",
    "radialGradient",
    "stop",
    "clipPath",
    "title",
    "desc",
];

/// Attributes that only draw.
const ATTRIBUTES: [&str; 52] = [
    "xmlns",
    "version",
    "viewBox",
    "width",
    "height",
    "id",
    "role",
    "aria-label",
    "aria-hidden",
    "preserveAspectRatio",
    "d",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "cx",
    "cy",
    "fx",
    "fy",
    "r",
    "rx",
    "ry",
    "points",
    "transform",
    "gradientTransform",
    "gradientUnits",
    "spreadMethod",
    "clipPathUnits",
    "offset",
    "pathLength",
    "fill",
    "fill-rule",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-opacity",
    "stop-color",
    "stop-opacity",
    "clip-path",
    "clip-rule",
    "color",
    "opacity",
    "display",
    "visibility",
    "xml:space",
];

/// Functions that a value may call.
const FUNCTIONS: [&str; 10] =
    ["matrix", "translate", "scale", "rotate", "skewx", "skewy", "rgb", "rgba", "hsl", "hsla"];

/// What a file of the vocabulary says that it is; without it, no browser draws it as a picture.
const NAMESPACE: &str = "http://www.w3.org/2000/svg";
/// Elements inside one another.
const DEEPEST: usize = 64;
/// Widest and highest picture in pixels.
const WIDEST: u32 = 4_096;

/// A picture that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icon {
    kind: &'static str,
    bytes: Vec<u8>,
}

/// Why a file is no icon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoIcon(String);

impl fmt::Display for NoIcon {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Icon {
    /// Reads a PNG or an SVG.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, NoIcon> {
        let no = |why: &str| NoIcon(why.to_owned());
        if bytes.len() > LARGEST {
            return Err(no("it is larger than 64 KiB"));
        }
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            is_whole(bytes)?;
            return Ok(Self { kind: "image/png", bytes: bytes.to_vec() });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| no("it is neither a PNG nor an SVG"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        only_draws(without_declaration(text))?;
        Ok(Self { kind: "image/svg+xml", bytes: bytes.to_vec() })
    }

    /// The name of its file in a package.
    #[must_use]
    pub fn file(&self) -> &'static str {
        if self.kind == "image/png" { "icon.png" } else { "icon.svg" }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// It as an address for an `img`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("data:{};base64,{}", self.kind, STANDARD.encode(&self.bytes))
    }
}

/// Refuses a PNG that is cut off, or that is no picture of a size.
fn is_whole(bytes: &[u8]) -> Result<(), NoIcon> {
    let number = |at: usize| {
        let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
        four.map_or(0, u32::from_be_bytes)
    };
    let begins = bytes.get(8..16) == Some(b"\0\0\0\x0dIHDR");
    if !begins || !bytes.ends_with(b"IEND\xaeB`\x82") {
        return Err(NoIcon("it is a PNG that is damaged or not whole".into()));
    }
    let fits = |size: u32| (1..=WIDEST).contains(&size);
    if !fits(number(16)) || !fits(number(20)) {
        return Err(NoIcon(format!("it is a PNG of no size, or of more than {WIDEST} pixels")));
    }
    Ok(())
}

/// The text after the declaration that editors write first, as in `<?xml version="1.0"?>`.
fn without_declaration(text: &str) -> &str {
    let after = text.strip_prefix("<?xml ").and_then(|rest| rest.split_once("?>"));
    after.map_or(text, |(_, rest)| rest.trim_start())
}

/// Refuses an SVG with anything that does more than draw.
fn only_draws(text: &str) -> Result<(), NoIcon> {
    let cut = |text: &str| smp_host::text::shortened(text, 40).into_owned();
    let mut rest = text;
    let mut open: Vec<&str> = Vec::new();
    let mut is_begun = false;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        check_text(before)?;
        let end = tag.find('>').ok_or_else(|| NoIcon("one of its tags does not end".into()))?;
        let inside = tag.get(1..end).unwrap_or_default();
        rest = tag.get(end + 1..).unwrap_or_default();
        if let Some(name) = inside.strip_prefix('/') {
            if open.pop() != Some(name.trim_end()) {
                let name = cut(name);
                return Err(NoIcon(format!("it ends an element `{name}`, which is not open")));
            }
            continue;
        }
        let (inside, is_empty) =
            inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let (name, attributes) =
            inside.split_once(|sign: char| sign.is_ascii_whitespace()).unwrap_or((inside, ""));
        if !ELEMENTS.contains(&name) {
            return Err(NoIcon(format!("it has an element `{}`, which may do more", cut(name))));
        }
        let is_first = !std::mem::replace(&mut is_begun, true);
        if is_first && name != "svg" {
            return Err(NoIcon("it does not begin with the element `svg`".into()));
        }
        if !is_first && open.is_empty() {
            return Err(NoIcon("something follows its end".into()));
        }
        let declares = check_attributes(attributes)?;
        if is_first && !declares {
            return Err(NoIcon(format!("its first element lacks `xmlns=\"{NAMESPACE}\"`")));
        }
        if open.len() >= DEEPEST {
            return Err(NoIcon(format!("its elements are more than {DEEPEST} deep")));
        }
        if !is_empty {
            open.push(name);
        }
    }
    if !is_begun {
        return Err(NoIcon("it is neither a PNG nor an SVG".into()));
    }
    if let Some(name) = open.pop() {
        return Err(NoIcon(format!("its element `{name}` does not end")));
    }
    check_text(rest)
}

/// Whether they declare the vocabulary.
fn check_attributes(mut rest: &str) -> Result<bool, NoIcon> {
    let mut declares = false;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(declares);
        }
        let malformed = || NoIcon("one of its attributes is not `name=\"value\"`".into());
        let (name, value) = rest.split_once('=').ok_or_else(malformed)?;
        let name = name.trim_end();
        let value = value.trim_start();
        let quote = value.chars().next().filter(|sign| ['"', '\''].contains(sign));
        let (value, after) = value
            .get(1..)
            .zip(quote)
            .and_then(|(it, quote)| it.split_once(quote))
            .ok_or_else(malformed)?;
        if !ATTRIBUTES.contains(&name) {
            let name = smp_host::text::shortened(name, 40);
            return Err(NoIcon(format!("it has an attribute `{name}`, which may do more")));
        }
        check_text(value)?;
        if name == "xmlns" && value == NAMESPACE {
            declares = true;
        } else if value.contains([':', '\\']) || !calls_only_known(value) {
            return Err(NoIcon(format!("its attribute `{name}` has an address")));
        }
        rest = after;
    }
}

/// Whether a value calls only functions that paint or move, or is a reference into the picture.
fn calls_only_known(value: &str) -> bool {
    let own = value.trim().strip_prefix("url(#").and_then(|rest| rest.strip_suffix(')'));
    if own.is_some_and(|id| !id.contains(['(', ')'])) {
        return true;
    }
    value.match_indices('(').all(|(at, _)| {
        let before = value.get(..at).unwrap_or_default().trim_end();
        let is_sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
        let name = before.rsplit(|sign: char| !is_sign(sign)).next().unwrap_or_default();
        FUNCTIONS.contains(&name.to_ascii_lowercase().as_str())
    })
}

/// A reference to a character could hide any of the above.
fn check_text(text: &str) -> Result<(), NoIcon> {
    if text.contains('&') {
        return Err(NoIcon("it has a reference to a character or an entity".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(inside: &str) -> Result<Icon, NoIcon> {
        let text =
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox='0 0 1 1'>{inside}</svg>");
        Icon::read(text.as_bytes())
    }

    /// What the first and the last part of a PNG look like, with something that is no picture
    /// between.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
        let (begin, end) =
            (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"\"><script>\0\0\0\0IEND\xaeB`\x82");
        [begin.as_slice(), &sizes, end].concat()
    }

    #[test]
    fn a_picture_that_only_draws_becomes_part_of_the_page() {
        let icon = svg("<title>Example</title><defs><linearGradient id=\"a\"><stop offset=\"0\" \
             stop-color=\"#fff\"/></linearGradient></defs><path fill=\"url(#a)\" d=\"M0 0h1z\"/>")
        .unwrap();
        assert!(icon.address().starts_with("data:image/svg+xml;base64,PHN2"));
        assert_eq!(icon.file(), "icon.svg");
        let png = Icon::read(&png(16, 16)).unwrap();
        assert_eq!((png.file(), png.address().contains('<')), ("icon.png", false));
        for inside in [
            "<g transform=\"translate(1 2) rotate(45)\" fill=\"rgb(1, 2, 3)\"/>",
            "<path fill=\" url(#a) \"></path >",
        ] {
            svg(inside).unwrap();
        }
        let declared = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg \
                        xmlns=\"http://www.w3.org/2000/svg\"/>";
        Icon::read(declared.as_bytes()).unwrap();
    }

    #[test]
    fn a_picture_that_may_do_more_is_refused() {
        for (inside, because) in [
            ("<script>alert(1)</script>", "`script`"),
            ("<SCRIPT/>", "`SCRIPT`"),
            ("<style>a{}</style>", "`style`"),
            ("<foreignObject/>", "`foreignObject`"),
            ("<image href=\"https://a.test/x.png\"/>", "`image`"),
            ("<use href=\"#a\"/>", "`use`"),
            ("<animate/>", "`animate`"),
            ("<a href=\"https://a.test\"><path/></a>", "`a`"),
            ("<!-- x -->", "`!--`"),
            ("<?xml-stylesheet href=\"x\"?>", "`?xml-stylesheet`"),
            ("<path onload=\"alert(1)\"/>", "`onload`"),
            ("<path style=\"fill:red\"/>", "`style`"),
            ("<path fill=\"url(https://a.test/x)\"/>", "`fill` has an address"),
            ("<path fill=\"url(#a) url(//a.test)\"/>", "`fill` has an address"),
            ("<path fill=\"\\75rl(x)\"/>", "`fill` has an address"),
            ("<path fill=\"URL(//a.test/x)\"/>", "`fill` has an address"),
            ("<path fill=\"url (//a.test/x)\"/>", "`fill` has an address"),
            ("<path fill=\"image-set('//a.test/x' 1x)\"/>", "`fill` has an address"),
            ("<path fill=\"src(a)\"/>", "`fill` has an address"),
            ("<g><path></g></path>", "ends an element `g`, which is not open"),
            ("<g>", "ends an element `svg`, which is not open"),
            (&"<g>".repeat(70), "more than 64 deep"),
            ("<path fill=\"&#117;rl(x)\"/>", "a reference"),
            ("<path fill=red />", "is not `name="),
            ("<path d", "is not `name="),
            ("&lt;", "a reference"),
        ] {
            let refused = svg(inside).unwrap_err().to_string();
            assert!(refused.contains(because), "{inside}: {refused}");
        }
        let (flat, wide) = (png(0, 16), png(16, 5_000));
        for (bytes, because) in [
            (&b"<g></g>"[..], "does not begin"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'></svg><path ", "does not end"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'></svg><path/>", "follows its end"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", "`svg` does not end"),
            (b"<svg></svg>", "lacks `xmlns="),
            (b"\x89PNG\r\n\x1a\n\"><script>", "not whole"),
            (&flat, "no size"),
            (&wide, "more than 4096 pixels"),
            (b"GIF89a", "neither"),
            (b"\xff\xd8\xff", "neither"),
            (b"<!DOCTYPE svg><svg/>", "`!DOCTYPE`"),
        ] {
            let refused = Icon::read(bytes).unwrap_err().to_string();
            assert!(refused.contains(because), "{refused}");
        }
        assert!(Icon::read(&vec![b' '; LARGEST + 1]).is_err());
    }
}
