//! Exports of members: csv as the command writes it, ndjson, and a workbook.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rust_xlsxwriter::{Format as CellFormat, Workbook};
use smp_host::collect::sink::Sink;
use smp_host::contract::MemberPage;
use smp_host::files::{Csv, row};
use sqlx::{Any, Transaction};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::list::{self, Filter, MOST};
use super::{insights, record};
use crate::problem::Problem;
use crate::store::Store;

/// Most members of a workbook: a sheet has 1,048,576 rows, and it is made in memory.
const MOST_IN_WORKBOOK: i64 = 200_000;

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, with the bytes of the command.
    Csv,
    /// A record a line, with the bytes of the command.
    Ndjson,
    /// A workbook.
    Xlsx,
}

impl Format {
    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "ndjson" => Some(Self::Ndjson),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }

    /// The media type of the answer.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// The ending of a file's name.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Xlsx => "xlsx",
        }
    }
}

/// Longest wait for a reader that takes nothing, and longest export: it holds a view of the store.
const SLOWEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// A part of an export, or why it ends early.
pub type Part = Result<Vec<u8>, std::io::Error>;

/// Which members are exported.
#[derive(Clone, Debug)]
pub enum Which {
    /// Those that a filter leaves.
    Filter(Filter),
    /// These, in this order, as of the whole run of this number.
    Chosen(i64, Vec<String>),
}

/// Members that are read page by page, as of one moment.
struct Source {
    view: Transaction<'static, Any>,
    connection: String,
    which: Which,
    /// Where the next page begins; `None` after the last one.
    next: Option<Start>,
}

enum Start {
    First,
    After(String),
    At(usize),
}

impl Source {
    async fn of(store: &Store, connection: &str, which: Which) -> Result<Self, Problem> {
        let (view, connection) = (store.view().await?, connection.to_owned());
        Ok(Self { view, connection, which, next: Some(Start::First) })
    }

    /// The records of the next page.
    async fn page(&mut self) -> Result<Option<Vec<String>>, Problem> {
        let Some(start) = self.next.take() else { return Ok(None) };
        let view = &mut *self.view;
        match &self.which {
            Which::Filter(filter) => {
                let after =
                    if let Start::After(after) = &start { Some(after.as_str()) } else { None };
                let page = list::page_of(view, &self.connection, filter, after, MOST).await?;
                self.next = page.next.map(Start::After);
                Ok(Some(page.members.into_iter().map(|member| member.record).collect()))
            }
            Which::Chosen(seq, ids) => {
                let from = if let Start::At(from) = start { from } else { 0 };
                let rest = ids.get(from..).unwrap_or_default();
                let some = rest.chunks(usize::try_from(MOST).unwrap_or(1)).next();
                let some = some.unwrap_or_default();
                self.next = (some.len() < rest.len()).then_some(Start::At(from + some.len()));
                let records = insights::records_of(view, &self.connection, *seq, some).await?;
                Ok(Some(records.into_iter().map(|stored| stored.record).collect()))
            }
        }
    }
}

/// Writes csv or ndjson part by part, as of one moment: memory stays flat, whatever is exported.
/// `place` is held until it ends.
///
/// # Errors
/// If the first page cannot be read. A later fault breaks the stream off.
pub async fn stream(
    store: &Store,
    connection: &str,
    which: Which,
    format: Format,
    place: OwnedSemaphorePermit,
) -> Result<mpsc::Receiver<Part>, Problem> {
    let (parts, received) = mpsc::channel(2);
    let mut source = Source::of(store, connection, which).await?;
    let first = source.page().await?;
    tokio::spawn(async move {
        let _place = place;
        let mut writer = Writer::new(format);
        let written = write_all(&parts, &mut writer, &mut source, first);
        // What is cut off ends without its last chunk: no client takes it for whole.
        let cut = |why: &str| Err(std::io::Error::other(why.to_owned()));
        let last = match tokio::time::timeout(LONGEST, written).await {
            Ok(Ok(())) => writer.end().map_err(std::io::Error::other),
            Ok(Err(problem)) => cut(&problem.detail),
            Err(_) => cut("the export takes too long"),
        };
        let _ = tokio::time::timeout(SLOWEST, parts.send(last)).await;
    });
    Ok(received)
}

async fn write_all(
    parts: &mpsc::Sender<Part>,
    writer: &mut Writer,
    source: &mut Source,
    mut page: Option<Vec<String>>,
) -> Result<(), Problem> {
    let slow = || Problem::new(503, "slow-reader", "the export is not read");
    while let Some(records) = page {
        let part = writer.write(&records)?;
        let sent = tokio::time::timeout(SLOWEST, parts.send(Ok(part))).await;
        sent.map_err(|_| slow())?.map_err(|_| slow())?;
        page = source.page().await?;
    }
    Ok(())
}

enum Writer {
    Csv(Box<Csv<Shared>>, Shared),
    Ndjson,
}

/// Bytes that a sink wrote, to be taken out.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Writer {
    fn new(format: Format) -> Self {
        match format {
            Format::Csv => {
                let bytes = Shared::default();
                Self::Csv(Box::new(Csv::new(bytes.clone(), false)), bytes)
            }
            Format::Ndjson | Format::Xlsx => Self::Ndjson,
        }
    }

    fn write(&mut self, records: &[String]) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Csv(csv, bytes) => {
                for record in records {
                    Sink::<MemberPage>::write_page(&mut **csv, &record::page(record)?)
                        .map_err(unwritten)?;
                }
                Sink::<MemberPage>::flush(&mut **csv).map_err(unwritten)?;
                Ok(bytes.take())
            }
            Self::Ndjson => {
                let mut lines = Vec::new();
                for record in records {
                    lines.extend_from_slice(record.as_bytes());
                    lines.push(b'\n');
                }
                Ok(lines)
            }
        }
    }

    fn end(&mut self) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Csv(csv, bytes) => {
                Sink::<MemberPage>::finish(&mut **csv).map_err(unwritten)?;
                Ok(bytes.take())
            }
            Self::Ndjson => Ok(Vec::new()),
        }
    }
}

/// A workbook with a sheet of members. Texts stay texts: nothing is calculated.
///
/// # Errors
/// If there are too many members, or the database fails.
pub async fn workbook(store: &Store, connection: &str, which: Which) -> Result<Vec<u8>, Problem> {
    few_enough(match &which {
        Which::Filter(filter) => list::count(store, connection, filter).await?,
        Which::Chosen(_, ids) => i64::try_from(ids.len()).unwrap_or(i64::MAX),
    })?;
    let mut source = Source::of(store, connection, which).await?;
    let mut book = Book::new()?;
    while let Some(records) = source.page().await? {
        for record in &records {
            book.add(record)?;
        }
    }
    book.end()
}

fn few_enough(count: i64) -> Result<(), Problem> {
    if count <= MOST_IN_WORKBOOK {
        return Ok(());
    }
    Err(Problem::new(422, "too-many", format!("{count} members are too many for a workbook"))
        .hint(format!("Export csv, or filter to at most {MOST_IN_WORKBOOK}.")))
}

/// A workbook that is written row by row.
struct Book {
    workbook: Workbook,
    date: CellFormat,
    rows: u32,
}

fn broken(error: rust_xlsxwriter::XlsxError) -> Problem {
    Problem::broken(format!("the workbook: {error}"))
}

impl Book {
    fn new() -> Result<Self, Problem> {
        let mut workbook = Workbook::new();
        let bold = CellFormat::new().set_bold();
        let date = CellFormat::new().set_num_format("yyyy-mm-dd hh:mm");
        let sheet = workbook.add_worksheet();
        sheet.set_name("Members").map_err(broken)?;
        for (column, title) in (0u16..).zip(smp_host::files::csv::COLUMNS) {
            sheet.write_string_with_format(0, column, title, &bold).map_err(broken)?;
        }
        Ok(Self { workbook, date, rows: 1 })
    }

    fn add(&mut self, record: &str) -> Result<(), Problem> {
        let one = record::page(record)?;
        let Some(member) = one.members.first() else { return Ok(()) };
        let sheet = self.workbook.worksheet_from_index(0).map_err(broken)?;
        let products: Vec<String> = row::uses(member, &one.products)
            .map(|(product, _)| match &product.site {
                Some(site) => format!("{} ({site})", product.name),
                None => product.name.clone(),
            })
            .collect();
        let texts = [
            (0, member.email.as_deref().unwrap_or_default()),
            (1, member.name.as_str()),
            (2, member.role.as_str()),
            (4, member.id.as_str()),
            (5, member.status.as_ref().map_or("", row::status)),
            (6, member.kind.as_ref().map_or("", row::kind)),
            (7, member.affiliation.as_ref().map_or("", row::affiliation)),
            (9, &products.join("; ")),
        ];
        for (column, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            let short: String = text.chars().take(32_767).collect();
            sheet.write_string(self.rows, column, short).map_err(broken)?;
        }
        if let Some(seen) = &member.last_seen
            && let Ok(at) = rust_xlsxwriter::ExcelDateTime::from_timestamp(seen.seconds)
        {
            sheet.write_datetime_with_format(self.rows, 3, &at, &self.date).map_err(broken)?;
        }
        if let Some(billable) = member.billable {
            sheet.write_boolean(self.rows, 8, billable).map_err(broken)?;
        }
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    fn end(mut self) -> Result<Vec<u8>, Problem> {
        let sheet = self.workbook.worksheet_from_index(0).map_err(broken)?;
        sheet.autofilter(0, 0, self.rows.saturating_sub(1).max(1), 9).map_err(broken)?;
        sheet.set_freeze_panes(1, 0).map_err(broken)?;
        self.workbook.save_to_buffer().map_err(broken)
    }
}

fn unwritten(error: std::io::Error) -> Problem {
    Problem::broken(format!("the export cannot be written: {error}"))
}
