//! A table of seats for people: the products of each site, how many seats are taken, and how many
//! are free.
//!
//! Rows are held like those of [`super::table`] and written at the end. A number that the service
//! does not tell is a question mark, never a zero. Nothing is summed over products.

use std::io::{self, BufWriter, Write};

use crate::show::terminal::{Look, Style, fitted, padding, width};
use smp_host::collect::sink::Sink;
use smp_host::contract::{Entry, UsagePage};
use smp_host::files::Held;
use smp_host::text::{self, grouped};

/// Characters of a text that are held: no terminal shows a longer cell.
const LONGEST_CELL: usize = 200;
/// Columns of a full bar.
const BAR: usize = 12;
/// The steps in which product, site and plan are shortened.
const STEPS: [[usize; 3]; 3] = [[30, 28, 16], [18, 18, 10], [10, 8, 6]];
/// Blanks between two columns.
const GAP: &str = "  ";
/// Titles of the columns with texts.
const TITLES: [&str; 3] = ["PRODUCT", "SITE", "PLAN"];

/// Writes a table of seats.
pub(crate) struct SeatTable<W> {
    output: W,
    look: Look,
    rows: Vec<Row>,
    held: Held,
}

/// The texts of an entry's row.
struct Row {
    texts: [String; 3],
    sandbox: bool,
    purchased: Option<u64>,
    used: Option<u64>,
}

impl<W: Write + Send> SeatTable<W> {
    /// A sink that writes to this output.
    pub(crate) fn new(output: W, look: Look) -> Self {
        Self { output, look, rows: Vec::new(), held: Held::default() }
    }

    fn write(&mut self) -> io::Result<()> {
        let (look, paint) = (self.look, self.look.paint());
        let room = look.width.max(Look::NARROWEST).saturating_sub(2);
        let columns = Columns::of(&self.rows, room);
        let mut out = BufWriter::new(&mut self.output);
        let titles = TITLES.iter().zip(columns.texts);
        let mut header: Vec<String> = titles.map(|(title, most)| cell(title, most)).collect();
        header.push("SEATS".to_owned());
        writeln!(out, " {}", paint.bold(header.join(GAP).trim_end()))?;
        writeln!(out, " {}", paint.dim(&"─".repeat(columns.total())))?;
        for row in &self.rows {
            writeln!(out, " {}", row.line(&columns, look).trim_end())?;
        }
        if self.rows.is_empty() {
            writeln!(out, " {}", paint.dim("The service lists no product."))?;
        }
        out.flush()
    }
}

impl<W: Write + Send> Sink<UsagePage> for SeatTable<W> {
    fn write_page(&mut self, page: &UsagePage) -> io::Result<()> {
        for entry in &page.entries {
            let row = Row::new(entry);
            let texts: usize = row.texts.iter().map(String::len).sum();
            self.held.add(1, size_of::<Row>() + texts)?;
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

/// Widths of the columns. A bar without a width is not shown.
struct Columns {
    texts: [usize; 3],
    seats: usize,
    bar: usize,
    rest: usize,
}

impl Columns {
    /// The widths at which the rows fit into this room, or the smallest ones. The bar goes first.
    fn of(rows: &[Row], room: usize) -> Self {
        let widest =
            |of: fn(&Row) -> usize, least: usize| rows.iter().map(of).fold(least, usize::max);
        let mut columns = Self {
            texts: TITLES.map(width),
            seats: widest(|row| width(&row.seats()), width("SEATS")),
            bar: BAR,
            rest: widest(|row| width(&row.rest().0), 0),
        };
        for row in rows {
            for (column, text) in columns.texts.iter_mut().zip(&row.texts) {
                *column = (*column).max(width(text));
            }
        }
        for (number, step) in STEPS.into_iter().enumerate() {
            for (index, least) in step.into_iter().enumerate() {
                let excess = columns.total().saturating_sub(room);
                if let Some(column) = columns.texts.get_mut(index) {
                    *column = column.saturating_sub(excess).max(least.min(*column));
                }
            }
            if number == 0 && columns.total() > room {
                columns.bar = 0;
            }
        }
        columns
    }

    fn total(&self) -> usize {
        let [product, site, plan] = self.texts;
        let shown = [product, site, plan, self.seats, self.bar, self.rest];
        let shown = shown.into_iter().filter(|columns| *columns > 0);
        shown.fold(0, |all, one| if all == 0 { one } else { all + GAP.len() + one })
    }
}

impl Row {
    fn new(entry: &Entry) -> Self {
        let cell = |text: &str| text::shortened(text, LONGEST_CELL).into_owned();
        let sandbox = entry.sandbox == Some(true);
        let mut product = cell(&entry.product.name);
        if product.is_empty() {
            product = cell(&entry.product.key);
        }
        if sandbox {
            product.push_str(" (sandbox)");
        }
        let or_dash = |text: Option<&str>| text.map_or_else(|| "–".to_owned(), cell);
        let site = or_dash(entry.product.site.as_deref());
        let texts = [product, site, or_dash(entry.plan.as_deref())];
        Self { texts, sandbox, purchased: entry.purchased, used: entry.used }
    }

    /// The seats: `98 of 120`, with a question mark for what is not told.
    fn seats(&self) -> String {
        let number = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), grouped);
        match (self.used, self.purchased) {
            (None, None) => "not told".to_owned(),
            (used, purchased) => format!("{} of {}", number(used), number(purchased)),
        }
    }

    /// What is left, and its style.
    fn rest(&self) -> (String, Style) {
        match (self.used, self.purchased) {
            _ if self.sandbox => ("no seats".to_owned(), Style::Dim),
            (Some(used), Some(purchased)) if used > purchased => {
                (format!("{} over", grouped(used - purchased)), Style::Yellow)
            }
            (Some(used), Some(purchased)) => {
                (format!("{} free", grouped(purchased - used)), Style::Plain)
            }
            _ => (String::new(), Style::Plain),
        }
    }

    /// The bar: the taken seats, and the free ones dimmed.
    fn bar(&self, room: usize, look: Look) -> String {
        let (Some(used), Some(purchased)) = (self.used, self.purchased) else {
            return " ".repeat(room);
        };
        let share = u128::from(used) * room as u128 / u128::from(purchased.max(1));
        let taken = usize::try_from(share).unwrap_or(room).clamp(usize::from(used > 0), room);
        let (full, free) = ("▇".repeat(taken), "▁".repeat(room.saturating_sub(taken)));
        let paint = look.paint();
        let style = if used > purchased { Style::Yellow } else { Style::Cyan };
        format!("{}{}", paint.styled(style, &full), paint.dim(&free))
    }

    fn line(&self, columns: &Columns, look: Look) -> String {
        let paint = look.paint();
        let mut cells: Vec<String> =
            self.texts.iter().zip(columns.texts).map(|(text, most)| cell(text, most)).collect();
        if self.sandbox {
            cells = cells.iter().map(|text| paint.dim(text).into_owned()).collect();
        }
        let seats = self.seats();
        cells.push(format!("{}{seats}", padding(&seats, columns.seats)));
        if columns.bar > 0 {
            cells.push(self.bar(columns.bar, look));
        }
        let (rest, style) = self.rest();
        cells.push(paint.styled(style, &rest).into_owned());
        cells.join(GAP)
    }
}

/// A text in a column of this width.
fn cell(text: &str, columns: usize) -> String {
    let text = fitted(text, columns);
    format!("{text}{}", padding(&text, columns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_host::contract::Product;

    fn entry(name: &str, purchased: Option<u64>, used: Option<u64>, sandbox: bool) -> Entry {
        let site = Some("acme.atlassian.net".to_owned());
        let product = Product { key: "key".into(), name: name.into(), site };
        let (id, plan, sandbox) = (name.into(), Some("Premium".into()), Some(sandbox));
        Entry { id, product, plan, purchased, used, sandbox }
    }

    fn table(entries: Vec<Entry>, look: Look) -> String {
        let mut output = Vec::new();
        let mut sink = SeatTable::new(&mut output, look);
        sink.write_page(&UsagePage { entries, next: None, total: None, notes: vec![] }).unwrap();
        sink.finish().unwrap();
        String::from_utf8(output).unwrap()
    }

    fn some() -> Vec<Entry> {
        vec![
            entry("Jira", Some(120), Some(98), false),
            entry("Confluence", None, Some(1_057), false),
            entry("Compass", Some(3), Some(5), false),
            entry("Jira", Some(120), None, true),
            entry("\u{1b}[2J", None, None, false),
        ]
    }

    #[test]
    fn seats_are_shown_as_they_are_told() {
        assert_eq!(
            table(some(), Look::PLAIN),
            concat!(
                " PRODUCT         SITE                PLAN     SEATS\n",
                " ───────────────────────────────────────────────────────────────────────────────\n",
                " Jira            acme.atlassian.net  Premium   98 of 120  ▇▇▇▇▇▇▇▇▇▁▁▁  22 free\n",
                " Confluence      acme.atlassian.net  Premium  1,057 of ?\n",
                " Compass         acme.atlassian.net  Premium      5 of 3  ▇▇▇▇▇▇▇▇▇▇▇▇  2 over\n",
                " Jira (sandbox)  acme.atlassian.net  Premium    ? of 120                no seats\n",
                " \\u{1b}[2J       acme.atlassian.net  Premium    not told\n",
            )
        );
        assert!(table(vec![], Look::PLAIN).ends_with(" The service lists no product.\n"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_colours_change_no_letter() {
        for width_asked in 60..140 {
            let plain = table(some(), Look { width: width_asked, colour: false });
            assert!(plain.lines().all(|line| width(line) <= width_asked), "{width_asked}: {plain}");
            let coloured = table(some(), Look { width: width_asked, colour: true });
            let bare = ["1", "2", "33", "36", "0"]
                .iter()
                .fold(coloured, |text, code| text.replace(&format!("\u{1b}[{code}m"), ""));
            let bare: Vec<_> = bare.lines().map(str::trim_end).collect();
            assert_eq!(bare, plain.lines().map(str::trim_end).collect::<Vec<_>>());
        }
    }
}
