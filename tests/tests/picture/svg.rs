//! An SVG of what a terminal shows. Each piece of text stands at the column where the terminal has
//! it: with text laid out by a font, Chinese, Arabic or Thai names would push the next column
//! aside.

use std::fmt::Write;

use anstream::adapter::WinconBytes;
use anstyle::{AnsiColor, Color, Effects, Style};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

const FONT_SIZE: f64 = 14.0;
/// Of the monospaced fonts of today's systems; the narrower ones leave a little room.
const COLUMN: f64 = 8.43;
const LINE: f64 = 20.0;
const MARGIN: f64 = 16.0;

/// The colours of a light and of a dark terminal, by the class of the text.
const COLOURS: [(&str, &str, &str); 7] = [
    ("text", "#1f2328", "#e6edf3"),
    ("dim", "#656d76", "#8b949e"),
    ("red", "#cf222e", "#ff7b72"),
    ("green", "#1a7f37", "#3fb950"),
    ("yellow", "#9a6700", "#d29922"),
    ("cyan", "#1b7c83", "#39c5cf"),
    ("bold", "#1f2328", "#f0f6fc"),
];
const BACKGROUND: [&str; 2] = ["#f6f8fa", "#161b22"];

/// The picture of this output, with this title for readers who do not see it.
pub(crate) fn of(output: &str, title: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let pieces: Vec<Vec<Piece>> = lines.iter().map(|line| pieces(line)).collect();
    let columns = pieces.iter().flatten().map(|piece| piece.column + piece.width).max();
    let width = (MARGIN.mul_add(2.0, (columns.unwrap_or(0) + 1) as f64 * COLUMN)).ceil();
    let height = MARGIN.mul_add(2.0, lines.len() as f64 * LINE);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n{}\
         <rect class=\"back\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n",
        escaped(title),
        style()
    );
    for (number, pieces) in pieces.iter().enumerate().filter(|(_, pieces)| !pieces.is_empty()) {
        let y = (number as f64).mul_add(LINE, MARGIN + FONT_SIZE);
        write!(svg, "<text y=\"{y}\">").unwrap();
        for piece in pieces {
            svg.push_str(&piece.tspan());
        }
        svg.push_str("</text>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// Text in one style, without a gap in it.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    column: usize,
    width: usize,
    class: &'static str,
    text: String,
}

impl Piece {
    fn tspan(&self) -> String {
        let x = (self.column as f64).mul_add(COLUMN, MARGIN);
        let class =
            if self.class == "text" { String::new() } else { format!(" class=\"{}\"", self.class) };
        // Rules and bars are as long as the columns that they fill, in any font.
        let is_drawn = self.text.chars().all(|sign| "─━▇".contains(sign));
        let length = if is_drawn {
            format!(
                " textLength=\"{:.2}\" lengthAdjust=\"spacingAndGlyphs\"",
                self.width as f64 * COLUMN
            )
        } else {
            String::new()
        };
        format!("<tspan x=\"{x:.2}\"{class}{length}>{}</tspan>", escaped(&self.text))
    }
}

/// A line in pieces: cut where the style changes, and at gaps of two spaces or more.
fn pieces(line: &str) -> Vec<Piece> {
    let (mut pieces, mut column) = (Vec::new(), 0);
    for (style, text) in WinconBytes::new().extract_next(line.as_bytes()) {
        let class = class(style);
        for part in text.split_inclusive("  ") {
            let (all, kept) = (width(part), part.trim_end());
            let text = kept.trim_start();
            let begin = column + width(kept) - width(text);
            if !text.is_empty() {
                pieces.push(Piece {
                    column: begin,
                    width: width(text),
                    class,
                    text: text.to_owned(),
                });
            }
            column += all;
        }
    }
    pieces
}

fn class(style: Style) -> &'static str {
    match style.get_fg_color() {
        Some(Color::Ansi(AnsiColor::Red)) => "red",
        Some(Color::Ansi(AnsiColor::Green)) => "green",
        Some(Color::Ansi(AnsiColor::Yellow)) => "yellow",
        Some(Color::Ansi(AnsiColor::Cyan)) => "cyan",
        Some(other) => panic!("no colour is chosen for {other:?}"),
        None if style.get_effects().contains(Effects::BOLD) => "bold",
        None if style.get_effects().contains(Effects::DIMMED) => "dim",
        None => "text",
    }
}

fn style() -> String {
    let rules = |theme: usize| {
        let mut rules = format!(".back{{fill:{}}}", BACKGROUND[theme]);
        for (class, light, dark) in COLOURS {
            let selector = if class == "text" { "text".to_owned() } else { format!(".{class}") };
            write!(rules, "{selector}{{fill:{}}}", [light, dark][theme]).unwrap();
        }
        rules
    };
    format!(
        "<style>\ntext{{font:{FONT_SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,\
         'DejaVu Sans Mono',monospace;white-space:pre}}.bold{{font-weight:700}}\n{}\n\
         @media (prefers-color-scheme:dark){{{}}}\n</style>\n",
        rules(0),
        rules(1)
    )
}

fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[test]
fn pieces_stand_at_the_columns_of_the_terminal() {
    let line = " 陈静怡   \u{1b}[2m(private)\u{1b}[0m  a & b  \u{1b}[36m▇▇\u{1b}[0m";
    let piece =
        |column, width, class, text: &str| Piece { column, width, class, text: text.to_owned() };
    let expected = [
        piece(1, 6, "text", "陈静怡"),
        piece(10, 9, "dim", "(private)"),
        piece(21, 5, "text", "a & b"),
        piece(28, 2, "cyan", "▇▇"),
    ];
    assert_eq!(pieces(line), expected);
    assert_eq!(expected[2].tspan(), "<tspan x=\"193.03\">a &amp; b</tspan>");
    assert!(expected[3].tspan().contains("textLength=\"16.86\""));
}
