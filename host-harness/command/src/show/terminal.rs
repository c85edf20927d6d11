//! Lays out text for a terminal: measures, shortens, wraps and colours it.
//!
//! It measures in columns, so that Chinese names and emoji stay aligned. It never queries the
//! terminal itself: the caller gives its width and whether it supports colours. Text from outside
//! passes [`smp_host::text::escaped`] before it comes here.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The parameters of a rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Most columns to fill. Below [`Look::NARROWEST`] lines may be longer.
    pub(crate) width: usize,
    /// Whether colours may be used.
    pub(crate) colour: bool,
}

impl Look {
    /// The look for a file or a pipe.
    pub(crate) const PLAIN: Self = Self { width: 100, colour: false };
    /// Half of the usual 80 columns: with fewer, nothing of a row would be readable.
    pub(crate) const NARROWEST: usize = 40;

    /// The paint for this look.
    #[must_use]
    pub(crate) fn paint(self) -> Paint {
        Paint { colour: self.colour }
    }
}

/// The style of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Not at all.
    Plain,
    /// Headings and what matters most.
    Bold,
    /// Less important text.
    Dim,
    /// Success.
    Green,
    /// What an operator should look at.
    Yellow,
    /// Failure.
    Red,
    /// Anything special.
    Cyan,
}

/// Every sequence that [`Paint`] writes, and no other: the console lets these pass.
pub(crate) const COLOURS: [&str; 7] =
    ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[31m", "\u{1b}[36m"];

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    colour: bool,
}

impl Paint {
    /// The text in this style, or unchanged without colours.
    #[must_use]
    pub(crate) fn styled<'t>(self, style: Style, text: &'t str) -> Cow<'t, str> {
        let code = match style {
            Style::Plain => return Cow::Borrowed(text),
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Green => "32",
            Style::Yellow => "33",
            Style::Red => "31",
            Style::Cyan => "36",
        };
        if self.colour && !text.is_empty() {
            Cow::Owned(format!("\u{1b}[{code}m{text}\u{1b}[0m"))
        } else {
            Cow::Borrowed(text)
        }
    }

    /// Headings and what matters most.
    #[must_use]
    pub(crate) fn bold<'t>(self, text: &'t str) -> Cow<'t, str> {
        self.styled(Style::Bold, text)
    }

    /// Less important text.
    #[must_use]
    pub(crate) fn dim<'t>(self, text: &'t str) -> Cow<'t, str> {
        self.styled(Style::Dim, text)
    }
}

/// The width of the text in columns: the sum over its signs, so that a part is never wider than the
/// whole.
#[must_use]
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.graphemes(true).map(UnicodeWidthStr::width).sum()
    }
}

/// The text, shortened with an ellipsis if it is wider than this many columns.
#[must_use]
pub(crate) fn fitted(text: &str, most: usize) -> Cow<'_, str> {
    if width(text) <= most {
        return Cow::Borrowed(text);
    }
    let mut short = head(text, most.saturating_sub(1)).trim_end().to_owned();
    if most > 0 {
        short.push('…');
    }
    Cow::Owned(short)
}

/// The spaces that pad the text to this many columns.
#[must_use]
pub(crate) fn padding(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(width(text)))
}

/// The text in lines of at most this many columns, broken at spaces, or within a word that is
/// wider. A single sign that is wider gets its own line. Never empty.
#[must_use]
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        let mut rest = word;
        while width(&line) + width(rest) > columns {
            // A single sign may be wider than the line: it is taken anyway, or this would never
            // end.
            let part = match head(rest, columns) {
                "" => rest.graphemes(true).next().unwrap_or(rest),
                part => part,
            };
            if part.len() == rest.len() {
                break;
            }
            lines.push(part.to_owned());
            rest = rest.get(part.len()..).unwrap_or_default();
        }
        line.push_str(rest);
    }
    lines.push(line);
    lines
}

/// The longest start of the text that fits into this many columns and splits no sign.
fn head(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    for (start, sign) in text.grapheme_indices(true) {
        taken += width(sign);
        if taken > columns {
            return text.get(..start).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wide_signs_take_two_columns() {
        for (text, columns) in
            [("", 0), ("Ada", 3), ("张伟", 4), ("Zoë", 3), ("Zoe\u{308}", 3), ("👩‍💻", 2)]
        {
            assert_eq!(width(text), columns, "{text}");
        }
    }

    #[test]
    fn a_cut_ends_with_an_ellipsis_and_splits_no_sign() {
        for (text, most, expected) in [
            ("Ada", 3, "Ada"),
            ("Ada Lovelace", 5, "Ada…"),
            ("张伟明", 4, "张…"),
            ("Zoe\u{308}s", 3, "Zo…"),
            ("Ada", 1, "…"),
            ("Ada", 0, ""),
        ] {
            assert_eq!(fitted(text, most), expected, "{text} in {most}");
        }
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a abcdefgh b", 3), ["a", "abc", "def", "gh", "b"]);
        assert_eq!(wrapped("", 7), [""]);
        assert_eq!(wrapped("张伟", 1), ["张", "伟"]);
    }

    #[test]
    fn paint_is_only_put_on_where_it_is_allowed() {
        assert_eq!(Paint { colour: false }.styled(Style::Red, "no"), "no");
        assert_eq!(Paint { colour: true }.styled(Style::Red, "no"), "\u{1b}[31mno\u{1b}[0m");
        assert_eq!(Paint { colour: true }.styled(Style::Red, ""), "");
        assert_eq!(Paint { colour: true }.styled(Style::Plain, "yes"), "yes");
        use Style::{Bold, Cyan, Dim, Green, Red, Yellow};
        for style in [Bold, Dim, Green, Yellow, Red, Cyan] {
            let painted = Paint { colour: true }.styled(style, "x");
            let (begin, end) = painted.split_once('x').unwrap();
            assert!(COLOURS.contains(&begin) && COLOURS.contains(&end), "{style:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_comes_out_wider_than_allowed(text in "\\PC{0,40}", columns in 2_usize..30) {
            prop_assert!(width(&fitted(&text, columns)) <= columns);
            for line in wrapped(&text, columns) {
                prop_assert!(width(&line) <= columns || line.graphemes(true).count() == 1, "{line:?}");
            }
        }

        #[test]
        fn wrapping_loses_nothing_but_spaces(text in "\\PC{0,40}", columns in 1_usize..30) {
            let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(bare(&wrapped(&text, columns).concat()), bare(&text));
        }
    }
}
