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
//! in UTC, to the second; and a text that Excel might take for another value is written as
//! `="57e101…"`, which shows as the text itself. That is a text with a digit in it, at most two
//! words and the signs of numbers, dates and amounts (`57e101234567890123456789`, `MAR1`, `1-2`,
//! `$5`), a word for true or false, or an error such as `#N/A`. None of these can calculate
//! anything. The first cell of a row is no such text: an address, or the key of a product. A
//! program should read the plain form.
//!
//! **Control characters** other than tabs and line breaks are written as `\u{…}`: many readers stop
//! at a NUL, and terminals act on others.
//!
//! **Products.** `Jira (acme.atlassian.net) 2026-01-02T03:04:05Z; Trello unknown`: for each use the
//! name, the site in parentheses if there is one, and the last activity or `unknown`, separated by
//! `; `. A backslash escapes `\`, `;`, `(` and `)` inside a name or a site; before any other
//! character it is a plain backslash.

use std::io::{self, Write};

use crate::collect::sink::Sink;
use crate::contract::{Entry, Instant, Member, MemberPage, Product, UsagePage};
use crate::files::{row, seats};
use crate::instant::rfc3339;

mod cell;

use cell::{cell, is_taken_for_a_value};

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

#[cfg(test)]
mod tests;
