//! Writes text with a hanging indent.

use super::terminal::{Look, Style, width, wrapped};

/// Adds a safe text in lines of the look's width: the first after `first`, the others with the same
/// indent.
pub(crate) fn hang(out: &mut String, first: &str, text: &str, look: Look, style: Style) {
    let columns = look.width.max(Look::NARROWEST);
    let indent = width(first);
    // However deep the indent is, half of the width is left to the text.
    for (index, line) in
        wrapped(text, columns.saturating_sub(indent).max(columns / 2)).iter().enumerate()
    {
        if index == 0 {
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
}
