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
//! cell there, and quotation marks may then precede the character too. In a file with semicolons a
//! comma counts likewise. A program that reads the file as data removes one apostrophe at each of
//! these places; an original apostrophe stays.
//!
//! **For Excel.** [`Dialect::Excel`] begins with a byte order mark, without which Excel reads `Zoë`
//! as `ZoÃ«`; rows end with a carriage return and a line feed; instants are `2026-01-02 03:04:05`
//! in UTC, to the second; and a text that Excel would take for a number or a date, such as the id
//! `57e101234567890123456789`, is written as `="57e101…"`, which shows as the text itself. Such a
//! cell has only digits, letters `e` and the signs `.,:/+- `, so it calculates nothing. A program
//! should read the plain form.
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

/// For whom the values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// For programs, and for spreadsheets that ask how to read a file: RFC 4180.
    #[default]
    Plain,
    /// For Excel where its list separator is a comma, as in English.
    Excel,
    /// For Excel where its list separator is a semicolon, as in German, French or Spanish.
    ExcelSemicolon,
}

impl Dialect {
    /// All dialects, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Excel, Self::ExcelSemicolon];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Excel => "excel",
            Self::ExcelSemicolon => "excel-semicolon",
        }
    }

    fn separator(self) -> u8 {
        match self {
            Self::Plain | Self::Excel => b',',
            Self::ExcelSemicolon => b';',
        }
    }

    fn is_for_excel(self) -> bool {
        self != Self::Plain
    }

    /// Whether a cell may begin after this character, in a program that splits at another separator
    /// than this file's or reads no quotation marks.
    fn begins_cell(self, character: char) -> bool {
        matches!(character, ';' | '\t' | '\r' | '\n')
            || (self.separator() == b';' && character == ',')
    }
}

/// What Excel needs to read a file as UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Writes comma-separated values.
pub struct Csv<W: Write> {
    writer: ::csv::Writer<W>,
    dialect: Dialect,
    needs_header: bool,
    products: String,
}

impl<W: Write + Send> Csv<W> {
    /// A sink that writes to this output. If `resuming`, the output has the header already.
    pub fn new(output: W, resuming: bool) -> Self {
        Self::with(Dialect::Plain, output, resuming)
    }

    /// A sink of this dialect.
    pub fn with(dialect: Dialect, output: W, resuming: bool) -> Self {
        let terminator = match dialect {
            Dialect::Plain => ::csv::Terminator::Any(b'\n'),
            Dialect::Excel | Dialect::ExcelSemicolon => ::csv::Terminator::CRLF,
        };
        let mut builder = ::csv::WriterBuilder::new();
        let builder = builder.delimiter(dialect.separator()).terminator(terminator);
        let writer = builder.from_writer(output);
        Self { writer, dialect, needs_header: !resuming, products: String::new() }
    }

    fn write_header(&mut self, columns: &[&str]) -> io::Result<()> {
        if !std::mem::take(&mut self.needs_header) {
            return Ok(());
        }
        match columns.split_first() {
            Some((first, rest)) if self.dialect.is_for_excel() => {
                // No column's name needs quotation marks, so the mark comes first in the file.
                self.writer.write_field(format!("{BYTE_ORDER_MARK}{first}"))?;
                self.writer.write_record(rest)?;
            }
            _ => self.writer.write_record(columns)?,
        }
        Ok(())
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        if self.dialect.is_for_excel() && is_taken_for_a_value(text) {
            self.writer.write_field(format!("=\"{text}\""))?;
            return Ok(());
        }
        self.write_first(text)
    }

    /// The first cell of a row is one for every separator, which would put the rest of the row into
    /// it: no `=` may stand there.
    fn write_first(&mut self, text: &str) -> io::Result<()> {
        self.writer.write_field(cell(text, self.dialect).as_bytes())?;
        Ok(())
    }

    fn write_instant(&mut self, instant: Option<&Instant>) -> io::Result<()> {
        let written = instant.and_then(rfc3339);
        let written = written.as_ref().map_or("", |written| written.as_str());
        match written.get(..19).filter(|_| self.dialect.is_for_excel()) {
            Some(to_the_second) => self.writer.write_field(to_the_second.replace('T', " "))?,
            None => self.writer.write_field(written)?,
        }
        Ok(())
    }

    fn write_entry(&mut self, entry: &Entry) -> io::Result<()> {
        let Entry { product, plan, .. } = entry;
        let site = product.site.as_deref().unwrap_or_default();
        self.write_first(&product.key)?;
        for text in [&product.name, site, plan.as_deref().unwrap_or_default()] {
            self.write_text(text)?;
        }
        for number in [entry.purchased, entry.used] {
            self.writer.write_field(number.map_or(String::new(), |number| number.to_string()))?;
        }
        self.writer.write_field(told(Some(seats::is_sandbox(entry))))?;
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn write_member(&mut self, member: &Member, products: &[Product]) -> io::Result<()> {
        let mut uses = std::mem::take(&mut self.products);
        uses.clear();
        for (product, used) in row::uses(member, products) {
            list(&mut uses, product, used.last_active.as_ref());
        }
        self.write_first(member.email.as_deref().unwrap_or_default())?;
        self.write_text(&member.name)?;
        self.write_text(&member.role)?;
        self.write_instant(member.last_seen.as_ref())?;
        self.write_text(&member.id)?;
        self.write_text(member.status.as_ref().map_or("", row::status))?;
        self.write_text(member.kind.as_ref().map_or("", row::kind))?;
        self.write_text(member.affiliation.as_ref().map_or("", row::affiliation))?;
        self.writer.write_field(told(member.billable))?;
        self.write_text(&uses)?;
        self.writer.write_record(None::<&[u8]>)?;
        self.products = uses;
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
fn cell(text: &str, dialect: Dialect) -> Cow<'_, str> {
    // Most cells need no change, and are not copied.
    if !is_armed(text, true)
        && !text.chars().any(|sign| dialect.begins_cell(sign) || sign.is_control())
    {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    let mut begins_cell = true;
    for (start, character) in text.char_indices() {
        if begins_cell && is_armed(text.get(start..).unwrap_or_default(), start == 0) {
            safe.push('\'');
        }
        begins_cell = dialect.begins_cell(character);
        if character.is_control() && !matches!(character, '\t' | '\r' | '\n') {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Whether Excel would show another value than this text: a number, a date or a time. Only signs
/// that can be neither a formula nor the end of a text are in it.
fn is_taken_for_a_value(text: &str) -> bool {
    let sign = |byte: u8| b".,:/+- eE%".contains(&byte) || byte.is_ascii_digit();
    // A program that splits at commas would find a cell with a sign in front.
    let splits = text.contains(',') && text.contains(['+', '-']);
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().all(sign) && !splits
}

/// Whether a spreadsheet that begins a cell here could calculate it. A leading apostrophe does not
/// change the result, so that a reader knows where to remove one. Nor does a quotation mark: a
/// spreadsheet with another separator may take it for its own.
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
    matches!(character, '\'' | '"')
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
            ("x;\"=1+1&\";y", "x;'\"=1+1&\";y"),
            ("x; \"\" =1", "x;' \"\" =1"),
            ("\"=1", "'\"=1"),
            ("a=1", "a=1"),
            ("Smith-Jones", "Smith-Jones"),
            ("O'Neil", "O'Neil"),
            ("'tHart", "'tHart"),
            ("a; b", "a; b"),
            ("a\nb", "a\nb"),
            ("", ""),
        ] {
            assert_eq!(cell(text, Dialect::Plain), expected, "{text:?}");
        }
    }

    #[test]
    fn control_characters_are_written_out_and_line_breaks_kept() {
        assert_eq!(
            cell("a\0b\u{1b}[31m\u{9b}\r\nc", Dialect::Plain),
            "a\\u{0}b\\u{1b}[31m\\u{9b}\r\nc"
        );
        assert_eq!(cell("\0=1", Dialect::Plain), "\\u{0}=1");
    }

    #[test]
    fn signs_of_the_product_list_are_told_apart_from_those_in_names() {
        let mut cell = String::new();
        list(&mut cell, &product("k", "A (beta); \\B", Some("x(y)")), Some(&SEEN));
        list(&mut cell, &product("k", "Trello", None), None);
        assert_eq!(cell, "A \\(beta\\)\\; \\\\B (x\\(y\\)) 2026-01-02T03:04:05Z; Trello unknown");
    }

    #[test]
    fn excel_gets_a_mark_dates_and_texts_that_it_reads() {
        let mut member =
            Member { name: "Zoë; 陈静怡".into(), ..member("57e101234567890123456789") };
        member.email = Some("ada@example.test".into());
        member.last_seen = Some(Instant { nanoseconds: 123_456_789, ..SEEN });
        let page = MemberPage { members: vec![member], ..page() };
        let excel = |dialect| {
            written(&page, |output| Box::new(Csv::with(dialect, output, false)))
                .split_once("\r\n")
                .map(|(header, rows)| (header.to_owned(), rows.to_owned()))
                .unwrap()
        };
        let (header, row) = excel(Dialect::Excel);
        assert_eq!(header, format!("\u{feff}{}", COLUMNS.join(",")));
        assert_eq!(
            row,
            "ada@example.test,Zoë; 陈静怡,,2026-01-02 03:04:05,\
             \"=\"\"57e101234567890123456789\"\"\",,,,,\r\n"
        );
        let (header, row) = excel(Dialect::ExcelSemicolon);
        assert_eq!(header, format!("\u{feff}{}", COLUMNS.join(";")));
        assert!(row.contains(";\"Zoë; 陈静怡\";;2026-01-02 03:04:05;"), "{row}");
        let resumed = written(&page, |output| Box::new(Csv::with(Dialect::Excel, output, true)));
        assert!(!resumed.contains('\u{feff}'), "{resumed}");
    }

    #[test]
    fn only_what_excel_reads_as_a_value_is_kept_as_a_text() {
        for text in ["57e101", "0123", "1-2", "12:30", "1/2", "+49 30 1", "1,5", "-2"] {
            assert!(is_taken_for_a_value(text), "{text}");
        }
        for text in ["", "Ada", "5b10ac8d", "e", "-", "=1", "1=2", "1\"", "1,-2", "1;2", "a1"] {
            assert!(!is_taken_for_a_value(text), "{text}");
        }
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
        fn no_cell_begins_a_formula_whatever_separator_a_spreadsheet_takes(page in any_page()) {
            for dialect in Dialect::ALL {
                let text = written(&page, |output| Box::new(Csv::with(dialect, output, false)));
                for separator in [b',', b';', b'\t'] {
                    assert_no_formula(&text, separator);
                }
            }
        }
    }

    #[test]
    fn no_quotation_mark_opens_a_cell_with_a_formula() {
        for name in ["x;\"=1+1&\";y", "\";=1+1;\"", "x;\";=1", "x,\"=1\",y", "x\t\"=1", "\"\n=1"] {
            let page = MemberPage {
                members: vec![Member { name: name.into(), ..member("c3") }],
                ..page()
            };
            for dialect in Dialect::ALL {
                let text = written(&page, |output| Box::new(Csv::with(dialect, output, false)));
                let others = [b';', b'\t'].into_iter().chain([dialect.separator()]);
                others
                    .chain((dialect == Dialect::ExcelSemicolon).then_some(b','))
                    .for_each(|separator| assert_no_formula(&text, separator));
            }
        }
    }

    /// Reads the text as a spreadsheet with this separator does.
    fn assert_no_formula(text: &str, separator: u8) {
        let mut reader = ::csv::ReaderBuilder::new();
        let reader = reader.delimiter(separator).flexible(true).has_headers(false);
        let shown = "\u{feff}";
        for row in reader.from_reader(text.as_bytes()).records().map(Result::unwrap) {
            for cell in row.iter().flat_map(|cell| cell.split(['\t', '\r', '\n'])) {
                let cell = cell.trim_start_matches(shown);
                // Excel's own way to keep a text: it holds nothing that could be calculated.
                let kept = cell.strip_prefix("=\"").and_then(|text| text.strip_suffix('"'));
                if kept.is_some_and(is_taken_for_a_value) {
                    continue;
                }
                let begins = cell.trim_start().trim_start_matches('"').trim_start();
                assert!(!begins.starts_with(begins_formula), "{cell:?} at {}", separator as char);
                assert!(!cell.contains(char::is_control), "{cell:?}");
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
