//! Tests of csv: header, rows, the forms for Excel, and what reads back.

use proptest::prelude::*;

use super::*;
use crate::contract::ProductUse;
use crate::files::csv::cell::{begins_formula, is_armed};
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
fn a_product_out_of_range_is_left_out() {
    let lost = Member { uses: vec![ProductUse { product: 9, last_active: None }], ..member("c3") };
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
            let written = |instant: &Instant| rfc3339(instant).map(|it| it.as_str().to_owned());
            let seen = |instant: &Option<Instant>| instant.as_ref().and_then(written);
            prop_assert_eq!(&cells[0], &plain(member.email.as_deref().unwrap_or_default()));
            prop_assert_eq!(&cells[1], &plain(&member.name));
            prop_assert_eq!(&cells[2], &plain(&member.role));
            prop_assert_eq!(&cells[3], &seen(&member.last_seen).unwrap_or_default());
            prop_assert_eq!(&cells[4], &plain(&member.id));
            let billable = member.billable.map_or(String::new(), |billable| billable.to_string());
            prop_assert_eq!(&cells[8], &billable);
            let expected: Vec<_> = row::uses(member, &page.products)
                .map(|(product, used)| {
                    let site = product.site.as_deref().map(plain);
                    (plain(&product.name), site, seen(&used.last_active))
                })
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
    for name in [
        "x;\"=1+1&\";y",
        "\";=1+1;\"",
        "x;\";=1",
        "x,\"=1\",y",
        "x\t\"=1",
        "\"\n=1",
        "\t#a",
        "\u{b}#p",
        "\ntrue",
    ] {
        let page =
            MemberPage { members: vec![Member { name: name.into(), ..member("c3") }], ..page() };
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
        [whole] => {
            whole.rsplit_once(' ').map(|(name, rest)| (name.to_owned(), None, seen(rest))).unwrap()
        }
        other => panic!("{other:?}"),
    };
    list.into_iter().map(read).collect()
}
