//! A table of members for people: name, address, products, and last activity.
//!
//! Rows are held within the bounds of [`smp_host::files`] and written at the end, when the width of
//! each column is known. The least important columns are shortened first, so that a row fits on one
//! line of the requested width; the other formats have the whole text. Text from outside is
//! escaped. The time is passed in: the same members give the same bytes.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use crate::show::terminal::{Look, Style, fitted, padding, width};
use smp_host::collect::sink::Sink;
use smp_host::contract::{Instant, Member, MemberKind, MemberPage, MemberStatus};
use smp_host::files::{Held, row};
use smp_host::instant::{ago, is_within_days, rfc3339};
use smp_host::text;

/// Characters of a text that are held: no terminal shows a longer cell.
const LONGEST_CELL: usize = 200;
/// Blanks between two columns.
const GAP: usize = 2;
/// Most characters of a note beside a name: this program's words are shorter, and the vendor's
/// should be.
const LONGEST_NOTE: usize = 24;
/// Roles are shortened to this width before the dates are.
const ROOMY_ROLE: usize = 30;
/// The steps in which columns are shortened, in turn role, name and address. The time since the
/// last activity is never shortened.
const STEPS: [(usize, usize, usize); 3] = [(16, 22, 30), (14, 16, 20), (5, 6, 6)];

/// Writes a table.
pub(crate) struct Table<W> {
    output: W,
    now: Instant,
    look: Look,
    rows: Vec<Row>,
    held: Held,
}

/// The texts of a member's row.
struct Row {
    name: String,
    note: String,
    email: Option<String>,
    role: String,
    last_seen: Option<Instant>,
}

/// Widths of the columns. A column without a width is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    name: usize,
    email: usize,
    role: usize,
    date: usize,
    ago: usize,
}

impl<W: Write + Send> Table<W> {
    /// A sink that writes to this output, with last activities relative to `now`.
    pub(crate) fn new(output: W, now: Instant, look: Look) -> Self {
        Self { output, now, look, rows: Vec::new(), held: Held::default() }
    }

    fn write(&mut self) -> io::Result<()> {
        let (paint, columns) = (self.look.paint(), self.columns());
        let mut out = BufWriter::new(&mut self.output);
        let titles = [("NAME", columns.name), ("E-MAIL", columns.email), ("ROLE", columns.role)];
        let seen = columns.ago + if columns.date > 0 { columns.date + GAP } else { 0 };
        let mut header = Line::default();
        for (title, columns) in titles.into_iter().chain([("LAST SEEN", seen)]) {
            let title = fitted(title, columns);
            header.push(&title, &paint.bold(&title), columns);
        }
        writeln!(out, "{}", header.text)?;
        writeln!(out, " {}", paint.dim(&"─".repeat(columns.total())))?;
        for row in &self.rows {
            writeln!(out, "{}", row.line(columns, &self.now, self.look))?;
        }
        out.flush()
    }

    /// The widths at which the table fits, or the smallest ones.
    fn columns(&self) -> Columns {
        let mut widest = Columns { name: 4, email: 6, role: 4, date: 0, ago: 9 };
        for row in &self.rows {
            widest.name = widest.name.max(width(row.name()) + width(&row.note));
            widest.email = widest.email.max(width(row.email()));
            widest.role = widest.role.max(width(&row.role));
            widest.ago = widest.ago.max(width(&row.ago(&self.now)));
            if row.last_seen.is_some() {
                widest.date = 10;
            }
        }
        // One column stays free on each side.
        widest.within(self.look.width.max(Look::NARROWEST).saturating_sub(2))
    }
}

impl<W: Write + Send> Sink for Table<W> {
    fn write_page(&mut self, page: &MemberPage) -> io::Result<()> {
        for member in &page.members {
            let row = Row::new(member);
            self.held.add(1, row.bytes())?;
            self.rows.push(row);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write()
    }
}

impl Row {
    fn new(member: &Member) -> Self {
        let cell = |text: &str| text::shortened(text, LONGEST_CELL).into_owned();
        Self {
            name: cell(&member.name),
            note: note(member)
                .map(|note| format!(" ({})", text::shortened(&note, LONGEST_NOTE)))
                .unwrap_or_default(),
            email: member.email.as_deref().map(cell),
            role: cell(&member.role),
            last_seen: member.last_seen.filter(|seen| rfc3339(seen).is_some()),
        }
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.name.len()
            + self.note.len()
            + self.email.as_ref().map_or(0, String::len)
            + self.role.len()
    }

    fn name(&self) -> &str {
        if self.name.is_empty() { "–" } else { &self.name }
    }

    fn email(&self) -> &str {
        self.email.as_deref().unwrap_or("(private)")
    }

    fn ago(&self, now: &Instant) -> Cow<'static, str> {
        self.last_seen.and_then(|seen| ago(&seen, now)).map_or(Cow::Borrowed("unknown"), Cow::Owned)
    }

    fn line(&self, columns: Columns, now: &Instant, look: Look) -> String {
        let paint = look.paint();
        let mut line = Line::default();
        // A note is shortened last, but leaves a third of the width to the name.
        let note = fitted(&self.note, columns.name - width(self.name()).min(columns.name / 3));
        let name = fitted(self.name(), columns.name.saturating_sub(width(&note)));
        line.push(
            &format!("{name}{note}"),
            &format!("{name}{}", paint.styled(Style::Yellow, &note)),
            columns.name,
        );
        let email = fitted(self.email(), columns.email);
        let shown =
            if self.email.is_some() { Cow::Borrowed(email.as_ref()) } else { paint.dim(&email) };
        line.push(&email, &shown, columns.email);
        let role =
            if self.role.is_empty() { "–".to_owned() } else { some_of(&self.role, columns.role) };
        line.push(&role, &role, columns.role);
        let date = self.last_seen.and_then(|seen| rfc3339(&seen));
        let date = date.as_ref().map_or("", |written| written.date());
        line.push(date, &paint.dim(date), columns.date);
        let ago = self.ago(now);
        let shown = match &self.last_seen {
            None => paint.dim(&ago),
            Some(seen) if is_within_days(seen, now, 30) => paint.styled(Style::Green, &ago),
            Some(_) => Cow::Borrowed(ago.as_ref()),
        };
        line.push(&ago, &shown, columns.ago);
        line.text
    }
}

impl Columns {
    /// The width of a line of these columns.
    fn total(self) -> usize {
        let shown = [self.name, self.email, self.role, self.date, self.ago]
            .into_iter()
            .filter(|columns| *columns > 0);
        shown.fold(0, |total, columns| if total == 0 { columns } else { total + GAP + columns })
    }

    /// Shortens each column a little in turn, until the whole fits.
    fn within(mut self, most: usize) -> Self {
        self.give_way(most, |columns| &mut columns.role, ROOMY_ROLE);
        if self.total() > most {
            self.date = 0;
        }
        for (role, name, email) in STEPS {
            self.give_way(most, |columns| &mut columns.role, role);
            self.give_way(most, |columns| &mut columns.name, name);
            self.give_way(most, |columns| &mut columns.email, email);
        }
        self
    }

    /// Shortens one column by the excess, but not below this width.
    fn give_way(&mut self, most: usize, column: impl Fn(&mut Self) -> &mut usize, least: usize) {
        let excess = self.total().saturating_sub(most);
        let column = column(self);
        *column = column.saturating_sub(excess).max(least.min(*column));
    }
}

/// A line that is being written: a space, then the cells, padded without trailing blanks.
#[derive(Default)]
struct Line {
    text: String,
    due: String,
}

impl Line {
    /// Adds a cell: the plain text, for its width, and the text to show.
    fn push(&mut self, plain: &str, shown: &str, columns: usize) {
        if columns == 0 {
            return;
        }
        self.due.push_str(&" ".repeat(if self.text.is_empty() && self.due.is_empty() {
            1
        } else {
            GAP
        }));
        if !plain.is_empty() {
            self.text.push_str(&std::mem::take(&mut self.due));
            self.text.push_str(shown);
        }
        self.due.push_str(&padding(plain, columns));
    }
}

/// The note of an unusual member; most have none.
fn note(member: &Member) -> Option<String> {
    let kind = member.kind.as_ref().filter(|kind| **kind != MemberKind::Person).map(row::kind);
    let status =
        member.status.as_ref().filter(|status| **status != MemberStatus::Active).map(row::status);
    match (kind, status) {
        (Some(kind), Some(status)) => Some(format!("{kind}, {status}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// As many products of a role as fit, and the number of the rest: `Confluence, Jira +2`.
fn some_of(role: &str, columns: usize) -> String {
    if width(role) <= columns {
        return role.to_owned();
    }
    let products: Vec<&str> = role.split(", ").collect();
    for shown in (1..products.len()).rev() {
        let text = format!(
            "{} +{}",
            products.get(..shown).unwrap_or_default().join(", "),
            products.len() - shown
        );
        if width(&text) <= columns {
            return text;
        }
    }
    let more = match products.len() {
        1 => String::new(),
        count => format!(" +{}", count - 1),
    };
    let first = products.first().copied().unwrap_or_default();
    format!("{}{more}", fitted(first, columns.saturating_sub(more.len())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use smp_host::instant::DAY;
    use smp_host::testing::{SEEN, any_page, member, page, written};

    #[test]
    fn a_wide_terminal_shows_everything() {
        assert_eq!(
            table(few(), 100),
            " NAME                        E-MAIL            ROLE                       LAST SEEN\n \
             ─────────────────────────────────────────────────────────────────────────────────────────────────\n \
             Ada Lovelace                ada@example.test  Confluence, Jira           2026-01-02  just now\n \
             Build Bot (app)             (private)         –                                      unknown\n \
             张伟 (customer, suspended)  (private)         Bitbucket, Jira, Opsgenie  2025-11-01  2 months ago\n"
        );
    }

    #[test]
    fn a_narrow_one_drops_dates_and_shortens_roles_first() {
        assert_eq!(
            table(few(), 76),
            " NAME                      E-MAIL            ROLE              LAST SEEN\n \
             ──────────────────────────────────────────────────────────────────────────\n \
             Ada Lovelace              ada@example.test  Confluence, Jira  just now\n \
             Build Bot (app)           (private)         –                 unknown\n \
             张伟 (customer, suspend…  (private)         Bitbucket +2      2 months ago\n"
        );
    }

    #[test]
    fn a_column_for_dates_is_only_there_for_dates() {
        let text = table(vec![member("a")], 100);
        assert_eq!(
            text,
            " NAME  E-MAIL     ROLE  LAST SEEN\n ────────────────────────────────\n –     \
             (private)  –     unknown\n"
        );
    }

    #[test]
    fn a_role_that_does_not_fit_says_how_many_products_are_left_out() {
        for (role, columns, expected) in [
            ("Confluence, Jira", 16, "Confluence, Jira"),
            ("Confluence, Jira", 15, "Confluence +1"),
            ("Bitbucket, Compass, Jira", 22, "Bitbucket, Compass +1"),
            ("Bitbucket, Compass, Jira", 12, "Bitbucket +2"),
            ("Bitbucket, Compass, Jira", 8, "Bitb… +2"),
            ("Jira Service Management", 10, "Jira Serv…"),
            ("Jira Service Management", 6, "Jira…"),
        ] {
            assert_eq!(some_of(role, columns), expected);
        }
    }

    #[test]
    fn colours_stand_around_the_same_text() {
        let coloured = rendered(few(), Look { width: 100, colour: true });
        assert!(
            coloured.contains("\u{1b}[33m (app)\u{1b}[0m")
                && coloured.contains("\u{1b}[32mjust now\u{1b}[0m"),
            "{coloured}"
        );
        let bare = ["1", "2", "32", "33", "0"]
            .iter()
            .fold(coloured, |text, code| text.replace(&format!("\u{1b}[{code}m"), ""));
        assert_eq!(bare, table(few(), 100));
    }

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        let text = table(vec![Member { name: "a\u{1b}[2J\nb\u{202e}".into(), ..member("a") }], 100);
        assert!(text.contains(" a\\u{1b}[2J\\u{a}b\\u{202e}  (private)"), "{text}");
    }

    #[test]
    fn too_many_members_are_an_error() {
        let mut sink = Table::new(Vec::new(), SEEN, Look::PLAIN);
        sink.held.add(smp_host::files::MOST_MEMBERS_HELD, 0).unwrap();
        assert_eq!(sink.write_page(&page()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn every_row_is_one_line_of_the_width_asked_for(page in any_page(), columns in 40_usize..160) {
            let text = written(&page, |output| Box::new(Table::new(output, SEEN, Look { width: columns, colour: false })));
            prop_assert_eq!(text.lines().count(), page.members.len() + 2);
            for line in text.lines() {
                prop_assert!(!line.chars().any(text::is_active), "{:?}", line);
                prop_assert!(width(line) <= columns, "{:?}", line);
            }
        }
    }

    fn few() -> Vec<Member> {
        let zhang = Member {
            name: "张伟".into(),
            role: "Bitbucket, Jira, Opsgenie".into(),
            last_seen: Some(Instant { seconds: SEEN.seconds - 62 * DAY, nanoseconds: 0 }),
            kind: Some(MemberKind::Customer),
            status: Some(MemberStatus::Other("suspended".into())),
            ..member("c3")
        };
        page().members.into_iter().chain([zhang]).collect()
    }

    fn table(members: Vec<Member>, width: usize) -> String {
        rendered(members, Look { width, colour: false })
    }

    fn rendered(members: Vec<Member>, look: Look) -> String {
        let page = MemberPage { members, ..page() };
        written(&page, |output| Box::new(Table::new(output, SEEN, look)))
    }
}
