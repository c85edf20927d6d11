//! Writes text with a hanging indent.

use super::terminal::{Look, Style, width, wrapped};

/// Indent of a text below its beginning, where both have no room side by side.
const BELOW: usize = 4;

/// Adds a safe text in lines of the look's width: the first after `first`, the others with the same
/// indent. Where `first` leaves less than half of the width, it has a line of its own.
pub(crate) fn hang(out: &mut String, first: &str, text: &str, look: Look, style: Style) {
    let columns = look.width.max(Look::NARROWEST);
    let mut indent = width(first);
    let below = indent > columns / 2;
    if below {
        out.push_str(first.trim_end());
        out.push('\n');
        indent = BELOW;
    }
    for (index, line) in wrapped(text, columns.saturating_sub(indent)).iter().enumerate() {
        if index == 0 && !below {
            out.push_str(first);
        } else {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(&look.paint().styled(style, line));
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hang_under_the_first() {
        let mut out = String::new();
        hang(
            &mut out,
            "  - ",
            "one two three four five six seven eight nine",
            Look { width: 40, colour: false },
            Style::Plain,
        );
        assert_eq!(out, "  - one two three four five six seven\n    eight nine\n");
    }

    #[test]
    fn a_long_beginning_has_its_own_line_so_that_no_word_breaks() {
        let mut out = String::new();
        let (first, look) = (" a-long-name   with a value  ", Look { width: 40, colour: false });
        hang(&mut out, first, "one two three four five six seven eight", look, Style::Plain);
        assert_eq!(
            out,
            " a-long-name   with a value\n    one two three four five six seven\n    eight\n"
        );
    }
}
