//! What ndjson and json ask of a page: its records as rows, and as lines.

use std::io;

use serde::Serialize;

use crate::contract::MemberPage;
use crate::files::row::Row;
use crate::files::{line, quiet};

/// A page whose records are rows of json.
pub trait Rowed {
    /// Its records, in order.
    fn rows(&self) -> impl Iterator<Item = impl Serialize>;

    /// Appends its records to `lines`, each without a line break, and calls `end` after each.
    ///
    /// # Errors
    /// Those of `end`.
    fn lines(
        &self,
        lines: &mut Vec<u8>,
        end: impl FnMut(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        one_by_one(self.rows(), lines, end)
    }
}

fn one_by_one(
    mut rows: impl Iterator<Item = impl Serialize>,
    lines: &mut Vec<u8>,
    mut end: impl FnMut(&mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    rows.try_for_each(|row| {
        quiet::write(lines, &row)?;
        end(lines)
    })
}

impl Rowed for MemberPage {
    fn rows(&self) -> impl Iterator<Item = impl Serialize> {
        self.members.iter().map(|member| Row { member, products: &self.products })
    }

    fn lines(
        &self,
        lines: &mut Vec<u8>,
        end: impl FnMut(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.products.len() > line::MOST_PRODUCTS {
            return one_by_one(self.rows(), lines, end);
        }
        line::members(self, lines, end)
    }
}
