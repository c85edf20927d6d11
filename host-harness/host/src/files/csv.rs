//! Comma-separated values for spreadsheets: a header and a row per record, written as pages arrive.
//!
//! The columns of members: `email`, `name`, `role`, `last_seen`, `id`, `status`, `kind`,
//! `affiliation`, `billable`, `products`; those of usage are in [`super::seats`]. An absent value
//! is an empty cell. The text is UTF-8 without a byte order mark, and rows end with a line feed
//! only: every spreadsheet reads that, and line tools would count a carriage return as part of the
//! last cell. Cells are quoted as in RFC 4180, line breaks included.
//!
//! **Formulas.** A spreadsheet calculates a cell that begins with `=`, `+`, `-` or `@`, so a name
//! could open a connection or start a program. Such a cell gets a leading apostrophe. It also gets
//! one if spaces, apostrophes or invisible characters precede that character, if it is the
//! full-width form, and if the cell begins with a tab or a line break. The same is done inside a
//! cell after a semicolon, tab or line break, because a spreadsheet with another separator begins a
//! cell there. A program that reads the file as data removes one apostrophe at each of these
//! places; an original apostrophe stays.
//!
//! **Control characters** other than tabs and line breaks are written as `\u{…}`: many readers stop
//! at a NUL, and terminals act on others.
//!
//! **Products.** `Jira (acme.atlassian.net) 2026-01-02T03:04:05Z; Trello unknown`: for each use the
//! name, the site in parentheses if there is one, and the last activity or `unknown`, separated by
//! `; `. A backslash escapes `\`, `;`, `(` and `)` inside a name or a site; before any other
//! character it is a plain backslash.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::collect::sink::Sink;
use crate::contract::{Entry, Instant, Member, MemberPage, Product, UsagePage};
use crate::files::{row, seats};
use crate::instant::rfc3339;

/// The header, in order.
pub const COLUMNS: [&str; 10] = [
    "email",
    "name",
    "role",
    "last_seen",
    "id",
    "status",
    "kind",
    "affiliation",
    "billable",
    "products",
];

/// Writes comma-separated values.
pub struct Csv<W: Write> {
    writer: ::csv::Writer<W>,
    needs_header: bool,
    products: String,
}

impl<W: Write + Send> Csv<W> {
    /// A sink that writes to this output. If `resuming`, the output has the header already.
    pub fn new(output: W, resuming: bool) -> Self {
        let writer = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::Any(b'\n'))
            .from_writer(output);
        Self { writer, needs_header: !resuming, products: String::new() }
    }

    fn write_header(&mut self, columns: &[&str]) -> io::Result<()> {
        if std::mem::take(&mut self.needs_header) {
            self.writer.write_record(columns)?;
        }
        Ok(())
    }

    fn write_entry(&mut self, entry: &Entry) -> io::Result<()> {
        let Entry { product, plan, .. } = entry;
        let site = product.site.as_deref().unwrap_or_default();
        for text in [&product.key, &product.name, site, plan.as_deref().unwrap_or_default()] {
            self.writer.write_field(cell(text).as_bytes())?;
        }
        for number in [entry.purchased, entry.used] {
            self.writer.write_field(number.map_or(String::new(), |number| number.to_string()))?;
        }
        self.writer.write_field(told(Some(seats::is_sandbox(entry))))?;
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn write_member(&mut self, member: &Member, products: &[Product]) -> io::Result<()> {
        self.products.clear();
        for (product, used) in row::uses(member, products) {
            list(&mut self.products, product, used.last_active.as_ref());
        }
        let last_seen = member.last_seen.as_ref().and_then(rfc3339);
        let writer = &mut self.writer;
        writer.write_field(cell(member.email.as_deref().unwrap_or_default()).as_bytes())?;
        writer.write_field(cell(&member.name).as_bytes())?;
        writer.write_field(cell(&member.role).as_bytes())?;
        writer.write_field(last_seen.as_ref().map_or("", |written| written.as_str()))?;
        writer.write_field(cell(&member.id).as_bytes())?;
        writer.write_field(cell(member.status.as_ref().map_or("", row::status)).as_bytes())?;
        writer.write_field(cell(member.kind.as_ref().map_or("", row::kind)).as_bytes())?;
        let affiliation = member.affiliation.as_ref().map_or("", row::affiliation);
        writer.write_field(cell(affiliation).as_bytes())?;
        writer.write_field(told(member.billable))?;
        writer.write_field(cell(&self.products).as_bytes())?;
        writer.write_record(None::<&[u8]>)?;
        Ok(())
    }
}

impl<W: Write + Send> Sink for Csv<W> {
    fn write_page(&mut self, page: &MemberPage) -> io::Result<()> {
        self.write_header(&COLUMNS)?;
        page.members.iter().try_for_each(|member| self.write_member(member, &page.products))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write_header(&COLUMNS)?;
        self.writer.flush()
    }
}

impl<W: Write + Send> Sink<UsagePage> for Csv<W> {
    fn write_page(&mut self, page: &UsagePage) -> io::Result<()> {
        self.write_header(&seats::COLUMNS)?;
        page.entries.iter().try_for_each(|entry| self.write_entry(entry))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write_header(&seats::COLUMNS)?;
        self.writer.flush()
    }
}

/// A yes or no as a cell.
fn told(known: Option<bool>) -> &'static str {
    match known {
        None => "",
        Some(true) => "true",
        Some(false) => "false",
    }
}

/// Adds a use to the list of products.
fn list(products: &mut String, product: &Product, last_active: Option<&Instant>) {
    if !products.is_empty() {
        products.push_str("; ");
    }
    let push = |products: &mut String, text: &str| {
        for character in text.chars() {
            if matches!(character, '\\' | ';' | '(' | ')') {
                products.push('\\');
            }
            products.push(character);
        }
    };
    push(products, &product.name);
    if let Some(site) = &product.site {
        products.push_str(" (");
        push(products, site);
        products.push(')');
    }
    products.push(' ');
    products.push_str(
        last_active.and_then(rfc3339).as_ref().map_or("unknown", |written| written.as_str()),
    );
}

/// The text as a cell, with formulas made harmless and control characters escaped.
fn cell(text: &str) -> Cow<'_, str> {
    // Most cells need no change, and are not copied.
    if !is_armed(text, true)
        && !text.chars().any(|character| character == ';' || character.is_control())
    {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    let mut begins_cell = true;
    for (start, character) in text.char_indices() {
        if begins_cell && is_armed(text.get(start..).unwrap_or_default(), start == 0) {
            safe.push('\'');
        }
        begins_cell = matches!(character, ';' | '\t' | '\r' | '\n');
        if character.is_control() && !matches!(character, '\t' | '\r' | '\n') {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Whether a spreadsheet that begins a cell here could calculate it. A leading apostrophe does not
/// change the result, so that a reader knows where to remove one.
fn is_armed(text: &str, is_whole_cell: bool) -> bool {
    let first = text.chars().find(|&character| !is_passed_over(character));
    first.is_some_and(|character| {
        begins_formula(character) || (is_whole_cell && matches!(character, '\t' | '\r' | '\n'))
    })
}

fn begins_formula(character: char) -> bool {
    matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\u{2212}')
}

fn is_passed_over(character: char) -> bool {
    character == '\''
        || (character.is_whitespace() && !character.is_control())
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contract::ProductUse;
    use crate::testing::{SEEN, any_page, member, page, product, written};

    #[test]
    fn a_header_and_a_row_per_member() {
        assert_eq!(
            text(&page(), false),
            "email,name,role,last_seen,id,status,kind,affiliation,billable,products\nada@example.test,Ada \
             Lovelace,\"Confluence, Jira\",2026-01-02T03:04:05Z,a1,active,person,managed,true,Jira \
             (acme.atlassian.net) 2026-01-02T03:04:05Z; Confluence unknown\n,Build \
             Bot,,,b2,,app,,,\n"
        );
    }

    #[test]
    fn the_header_comes_once_also_without_members_and_not_after_a_resume() {
        let empty = MemberPage { members: Vec::new(), ..page() };
        assert_eq!(text(&empty, false), format!("{}\n", COLUMNS.join(",")));
        assert_eq!(text(&empty, true), "");
        assert!(text(&page(), true).starts_with("ada@example.test,"));
    }

    #[test]
    fn no_cell_begins_a_formula() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\u{a0}\u{200b}=1", "'\u{a0}\u{200b}=1"),
            ("＝1", "'＝1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠1", "'＠1"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("\nx", "'\nx"),
            ("'=1", "''=1"),
            ("x;=1", "x;'=1"),
            ("x; =1", "x;' =1"),
            ("x\n=1", "x\n'=1"),
            ("x\t+1", "x\t'+1"),
            ("a=1", "a=1"),
            ("Smith-Jones", "Smith-Jones"),
            ("O'Neil", "O'Neil"),
            ("'tHart", "'tHart"),
            ("a; b", "a; b"),
            ("a\nb", "a\nb"),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }

    #[test]
    fn control_characters_are_written_out_and_line_breaks_kept() {
        assert_eq!(cell("a\0b\u{1b}[31m\u{9b}\r\nc"), "a\\u{0}b\\u{1b}[31m\\u{9b}\r\nc");
        assert_eq!(cell("\0=1"), "\\u{0}=1");
    }

    #[test]
    fn signs_of_the_product_list_are_told_apart_from_those_in_names() {
        let mut cell = String::new();
        list(&mut cell, &product("k", "A (beta); \\B", Some("x(y)")), Some(&SEEN));
        list(&mut cell, &product("k", "Trello", None), None);
        assert_eq!(cell, "A \\(beta\\)\\; \\\\B (x\\(y\\)) 2026-01-02T03:04:05Z; Trello unknown");
    }

    #[test]
    fn a_product_out_of_range_is_left_out() {
        let lost =
            Member { uses: vec![ProductUse { product: 9, last_active: None }], ..member("c3") };
        assert_eq!(text(&MemberPage { members: vec![lost], ..page() }, true), ",,,,c3,,,,,\n");
    }

    proptest! {
        #[test]
        fn every_row_reads_back_to_its_member(page in any_page()) {
            let text = text(&page, false);
            let mut reader = ::csv::Reader::from_reader(text.as_bytes());
            let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), page.members.len());
            for (row, member) in rows.iter().zip(&page.members) {
                let cells: Vec<String> = row.iter().map(data).collect();
                let seen = |instant: &Option<Instant>| instant.as_ref().and_then(rfc3339).map(|written| written.as_str().to_owned());
                prop_assert_eq!(&cells[0], &plain(member.email.as_deref().unwrap_or_default()));
                prop_assert_eq!(&cells[1], &plain(&member.name));
                prop_assert_eq!(&cells[2], &plain(&member.role));
                prop_assert_eq!(&cells[3], &seen(&member.last_seen).unwrap_or_default());
                prop_assert_eq!(&cells[4], &plain(&member.id));
                prop_assert_eq!(&cells[8], &member.billable.map_or(String::new(), |billable| billable.to_string()));
                let expected: Vec<_> = row::uses(member, &page.products)
                    .map(|(product, used)| (plain(&product.name), product.site.as_deref().map(plain), seen(&used.last_active)))
                    .collect();
                prop_assert_eq!(uses(&cells[9]), expected);
            }
        }

        #[test]
        fn no_cell_that_is_read_begins_a_formula_at_any_separator(page in any_page()) {
            for row in ::csv::Reader::from_reader(text(&page, false).as_bytes()).records().map(Result::unwrap) {
                for cell in row.iter().flat_map(|cell| cell.split([';', '\t', '\r', '\n'])) {
                    prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{:?}", cell);
                    prop_assert!(!cell.contains(char::is_control));
                }
            }
        }
    }

    fn text(page: &MemberPage, resuming: bool) -> String {
        written(page, |output| Box::new(Csv::new(output, resuming)))
    }

    /// A cell as a program reads it: without the added apostrophes.
    fn data(cell: &str) -> String {
        let mut text = String::new();
        let mut begins_cell = true;
        for (start, character) in cell.char_indices() {
            let is_added = begins_cell && character == '\'' && is_armed(&cell[start..], start == 0);
            begins_cell = matches!(character, ';' | '\t' | '\r' | '\n');
            if !is_added {
                text.push(character);
            }
        }
        text
    }

    /// The text with its control characters escaped, which a reader does not undo.
    fn plain(text: &str) -> String {
        text.chars()
            .map(|c| {
                if c.is_control() && !"\t\r\n".contains(c) {
                    c.escape_unicode().to_string()
                } else {
                    c.to_string()
                }
            })
            .collect()
    }

    /// Parses the product list by the rules in the module's header.
    fn uses(cell: &str) -> Vec<(String, Option<String>, Option<String>)> {
        let (mut list, mut parts) = (Vec::new(), vec![String::new()]);
        let mut signs = cell.chars().peekable();
        while let Some(sign) = signs.next() {
            let guarded =
                (sign == '\\').then(|| signs.next_if(|next| "\\;()".contains(*next))).flatten();
            let last = parts.last_mut().unwrap();
            match (guarded, sign) {
                (Some(guarded), _) => last.push(guarded),
                (None, ';') => {
                    signs.next_if_eq(&' ');
                    list.push(std::mem::replace(&mut parts, vec![String::new()]));
                }
                (None, '(') => {
                    assert_eq!(last.pop(), Some(' '));
                    parts.push(String::new());
                }
                (None, ')') => parts.push(String::new()),
                (None, sign) => last.push(sign),
            }
        }
        if !cell.is_empty() {
            list.push(parts);
        }
        let seen = |text: &str| (text != "unknown").then(|| text.to_owned());
        let read = |parts: Vec<String>| match &parts[..] {
            [name, site, rest] => {
                (name.clone(), Some(site.clone()), seen(rest.strip_prefix(' ').unwrap()))
            }
            [whole] => whole
                .rsplit_once(' ')
                .map(|(name, rest)| (name.to_owned(), None, seen(rest)))
                .unwrap(),
            other => panic!("{other:?}"),
        };
        list.into_iter().map(read).collect()
    }
}
