//! Makes Markdown of a component safe to show: one reader reads it, and a small subset of what it
//! finds is written again; everything else becomes plain text.
//!
//! These pass: `**bold**`, `` `code` ``, `[text](https://…)` and bare web addresses; in blocks also
//! paragraphs and lists. For any input, the output has no heading, image, HTML or table, no link to
//! anything but `http`, `https` and `mailto`, and no control or bidirectional character.
//!
//! The output leaves nothing to the dialect of the next reader: signs that some dialect interprets
//! are escaped, and every backtick delimits code.

use std::fmt::Write as _;

use pulldown_cmark::{Event, OffsetIter, Options, Parser, Tag, TagEnd};
use smp_host::text::is_active;

use crate::address::{begins_reference, find, is_address, is_misleading};

/// How deeply lists may nest. Each level indents every line below it.
const DEEPEST: usize = 3;
/// Largest number of a list's item that every reader knows.
const LARGEST_NUMBER: u64 = 999_999_999;
/// Stands before a single line, so that the reader finds no list, heading or block of HTML in it.
const ANCHOR: char = '\u{a0}';

/// The text on one line, for a heading or a paragraph.
pub(crate) fn inline(text: &str, most: usize) -> String {
    let line = cleaned(text, most).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = Writer::new(None).written(&format!("{ANCHOR}{line}"));
    // In a heading, a reader would drop them.
    let kept = out.trim_end_matches('#').len();
    if kept < out.len() && !out.ends_with("\\#") {
        out.insert(kept, '\\');
    }
    out
}

/// The text as paragraphs and lists. Each line but the first has this indent.
pub(crate) fn block(text: &str, most: usize, indent: &str) -> String {
    Writer::new(Some(indent)).written(&cleaned(text, most))
}

/// The text as a code span, or nothing if it is empty.
pub fn code(text: &str, most: usize) -> String {
    let plain =
        cleaned(text, most).replace('`', "'").split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.is_empty() { plain } else { format!("`{plain}`") }
}

/// Safe Markdown on one line, for a table cell. Readers disagree about where a cell with a `|` in
/// code ends, so such code becomes plain text.
pub(crate) fn in_cell(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    for (number, part) in markdown.split('`').enumerate() {
        if number.is_multiple_of(2) {
            out.push_str(&part.replace('|', "&#124;"));
        } else if part.contains('|') {
            push_escaped(&mut out, part);
        } else {
            let _ = write!(out, "`{part}`");
        }
    }
    out
}

/// The text without control and bidirectional characters, shortened to the bound.
fn cleaned(text: &str, most: usize) -> String {
    let mut signs = text
        .chars()
        .map(|sign| if sign == '\t' { ' ' } else { sign })
        .filter(|&sign| sign == '\n' || !is_active(sign));
    let mut cleaned: String = signs.by_ref().take(most).collect();
    if signs.next().is_some() {
        cleaned.push('…');
    }
    cleaned
}

/// Writes the subset.
struct Writer {
    out: String,
    /// The indent of every line but the first. `None` if there is only one line.
    indent: Option<String>,
    /// Text that was read and not yet written, because an address in it may go on.
    text: String,
    lead: Lead,
    /// Markers of list items that have no text yet. An item without text is not written: below a
    /// line, its marker would make that line a heading.
    markers: Vec<String>,
    /// The number of the next item of each open list.
    lists: Vec<Option<u64>>,
    /// The width of each open item's marker.
    widths: Vec<usize>,
    spans: Vec<Span>,
    /// Where bold text ended, in case that more of it follows at once.
    bold_until: usize,
    /// Whether the next text begins a line.
    at_start: bool,
}

/// What goes before the next text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lead {
    Nothing,
    Line,
    Paragraph,
}

/// Bold text or a link that is open.
struct Span {
    /// The address of a link.
    address: Option<String>,
    /// Where its text begins in the output.
    from: usize,
    /// What was shown since, to compare it with the address.
    shown: String,
    /// What to return to if there is no text in it.
    before: (usize, Lead, Vec<String>, bool),
}

impl Writer {
    fn new(indent: Option<&str>) -> Self {
        Self {
            out: String::new(),
            indent: indent.map(ToOwned::to_owned),
            text: String::new(),
            lead: Lead::Nothing,
            markers: Vec::new(),
            lists: Vec::new(),
            widths: Vec::new(),
            spans: Vec::new(),
            bold_until: 0,
            at_start: true,
        }
    }

    fn written(mut self, source: &str) -> String {
        let mut events = Parser::new_ext(source, Options::empty()).into_offset_iter();
        while let Some((event, range)) = events.next() {
            self.take(event, source.get(range).unwrap_or_default(), &mut events);
        }
        self.flush();
        self.out.truncate(self.out.trim_end().len());
        self.out
    }

    fn take(&mut self, event: Event<'_>, source: &str, events: &mut OffsetIter<'_>) {
        match event {
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.push(&text),
            Event::Code(text) => self.code(&text),
            Event::SoftBreak | Event::HardBreak => self.end_line(),
            // Single marks are shown as they are.
            Event::Start(Tag::Emphasis) | Event::End(TagEnd::Emphasis) => {
                self.text.extend(source.chars().next());
            }
            Event::Start(Tag::Strong) => self.begin_span(None),
            Event::Start(Tag::Link { dest_url, .. }) if is_address(&dest_url) => {
                self.begin_span(Some(dest_url.into_string()));
            }
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => {
                skip(events);
                self.push(&source.replace('\n', " "));
            }
            Event::End(TagEnd::Strong | TagEnd::Link) => self.end_span(),
            Event::Start(Tag::List(number)) => self.begin_list(number),
            Event::End(TagEnd::List(_)) => {
                self.separate();
                self.lists.pop();
            }
            Event::Start(Tag::Item) => self.begin_item(),
            Event::End(TagEnd::Item) => self.end_item(),
            Event::Start(_) | Event::End(_) | Event::Rule => self.separate(),
            _ => self.push(source),
        }
    }

    fn push(&mut self, text: &str) {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.end_line();
            }
            self.text.extend(line.chars().filter_map(|sign| match sign {
                '\t' => Some(' '),
                sign if is_active(sign) => None,
                sign => Some(sign),
            }));
        }
    }

    fn code(&mut self, text: &str) {
        let code = code(text, usize::MAX);
        if code.is_empty() {
            return;
        }
        self.flush();
        self.begin();
        if self.out.ends_with('`') {
            self.out.push(' ');
        }
        self.spans.iter_mut().for_each(|span| span.shown.push_str(code.trim_matches('`')));
        self.out.push_str(&code);
        self.at_start = false;
    }

    fn end_line(&mut self) {
        if self.indent.is_none() {
            return self.text.push(' ');
        }
        self.flush();
        if !self.at_start && self.lead == Lead::Nothing {
            self.lead = Lead::Line;
        }
    }

    /// Ends a block.
    fn separate(&mut self) {
        self.flush();
        // A paragraph that begins an item follows the item's marker.
        if !self.out.is_empty() && self.markers.is_empty() {
            self.lead = Lead::Paragraph;
        }
    }

    fn begin_list(&mut self, number: Option<u64>) {
        self.separate();
        // Only a list that begins with 1 may follow a line without a blank one between.
        if self.lead == Lead::Paragraph && number.is_none_or(|number| number == 1) {
            self.lead = Lead::Line;
        }
        self.lists.push(number);
    }

    fn begin_item(&mut self) {
        self.flush();
        let marker = match self.lists.last() {
            _ if self.lists.len() > DEEPEST => String::new(),
            Some(Some(number)) => format!("{}. ", (*number).min(LARGEST_NUMBER)),
            _ => "- ".to_owned(),
        };
        self.widths.push(marker.len());
        self.markers.push(marker);
    }

    fn end_item(&mut self) {
        self.flush();
        self.widths.pop();
        let is_written = self.markers.pop().is_none();
        if is_written {
            self.lead = Lead::Line;
        }
        if let Some(Some(number)) = self.lists.last_mut().filter(|_| is_written) {
            *number = number.saturating_add(1);
        }
    }

    fn begin_span(&mut self, address: Option<String>) {
        self.flush();
        let before = (self.out.len(), self.lead, self.markers.clone(), self.at_start);
        self.begin();
        // Its first mark will stand before its text.
        self.at_start = false;
        self.spans.push(Span { address, from: self.out.len(), shown: String::new(), before });
    }

    fn end_span(&mut self) {
        self.flush();
        let Some(Span { address, from, shown, before }) = self.spans.pop() else { return };
        let inner = self.out.split_off(from);
        let text = inner.trim();
        if text.is_empty() {
            let (length, lead, markers, at_start) = before;
            self.out.truncate(length);
            (self.lead, self.markers, self.at_start) = (lead, markers, at_start);
            return;
        }
        self.spans.iter_mut().for_each(|span| span.shown.push_str(&shown));
        let is_bold = |span: &Span| span.address.is_none();
        let (open, close) = match &address {
            None if self.spans.iter().any(is_bold) => (String::new(), String::new()),
            None => ("**".to_owned(), "**".to_owned()),
            Some(address) => ("[".to_owned(), format!("]({address})")),
        };
        let (start, rest) = inner.split_at(inner.len() - inner.trim_start().len());
        let end = rest.get(text.len()..).unwrap_or_default();
        let is_bare = |address: &String| shown == *address || is_misleading(&shown, address);
        match address.filter(is_bare) {
            Some(address) => {
                let _ = write!(self.out, "{start}<{address}>{end}");
            }
            None if open == "**" && start.is_empty() && self.follows_bold(from) => {
                self.out.truncate(from - 2);
                let apart = if self.out.ends_with('`') && text.starts_with('`') { " " } else { "" };
                let _ = write!(self.out, "{apart}{text}**");
                self.bold_until = self.out.len();
                self.out.push_str(end);
            }
            None => {
                let _ = write!(self.out, "{start}{open}{text}{close}");
                if close == "**" {
                    self.bold_until = self.out.len();
                }
                self.out.push_str(end);
            }
        }
    }

    /// Whether bold text ended here, within the same span.
    fn follows_bold(&self, at: usize) -> bool {
        let is_within = self.spans.last().is_none_or(|span| span.from < at);
        is_within && at > 0 && self.bold_until == at
    }

    /// Writes what stands before text.
    fn begin(&mut self) {
        if self.lead != Lead::Nothing {
            self.out.truncate(self.out.trim_end_matches(' ').len());
            self.out.push_str(if self.lead == Lead::Line { "\n" } else { "\n\n" });
            self.out.extend(self.indent.as_deref());
            let open: usize = self.widths.iter().sum();
            let pending: usize = self.markers.iter().map(String::len).sum();
            self.out.extend(std::iter::repeat_n(' ', open.saturating_sub(pending)));
            self.at_start = true;
        }
        self.lead = Lead::Nothing;
        if !self.markers.is_empty() {
            self.out.push_str(&self.markers.concat());
            self.markers.clear();
            self.at_start = true;
        }
    }

    /// Writes the text that was read.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let begins = self.at_start || self.lead != Lead::Nothing || !self.markers.is_empty();
        // So the anchor goes too.
        let mut rest = if begins { text.trim_start() } else { &text };
        if rest.is_empty() {
            return;
        }
        self.begin();
        self.spans.iter_mut().for_each(|span| span.shown.push_str(rest));
        while self.spans.iter().all(|span| span.address.is_none())
            && let Some((start, end)) = find(rest)
        {
            self.plain(rest.get(..start).unwrap_or_default());
            let _ = write!(self.out, "<{}>", rest.get(start..end).unwrap_or_default());
            self.at_start = false;
            rest = rest.get(end..).unwrap_or_default();
        }
        self.plain(rest);
    }

    fn plain(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.at_start {
            push_guarded(&mut self.out, text);
        } else {
            push_escaped(&mut self.out, text);
        }
        self.at_start = false;
    }
}

/// Skips the events within the one that has begun.
fn skip(events: &mut OffsetIter<'_>) {
    let mut depth = 1_usize;
    for (event, _) in events.by_ref() {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

/// Adds text that begins a line, so that the line is a paragraph.
fn push_guarded(out: &mut String, text: &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let sign = rest.chars().next();
    let is_run =
        sign.is_some_and(|sign| rest.chars().take(3).filter(|it| *it == sign).count() == 3);
    let acts = match sign {
        Some('.' | ')') => {
            digits > 0 && rest.get(1..).is_none_or(|it| it.is_empty() || it.starts_with(' '))
        }
        _ if digits > 0 => false,
        // Quotations, headings, lists, rules, definitions and attributes.
        Some('#' | '>' | '+' | '-' | '=' | ':') => true,
        // Blocks of some dialects.
        Some('!' | '?' | '@' | '%' | '$' | '^' | '/') => is_run,
        _ => false,
    };
    out.push_str(number);
    if acts {
        out.push('\\');
        out.extend(sign);
        push_escaped(out, rest.get(1..).unwrap_or_default());
    } else {
        push_escaped(out, rest);
    }
}

/// Whether a scheme ends here that some readers link although its address has no slashes.
fn ends_with_chat(text: &str, at: usize) -> bool {
    at.checked_sub(4)
        .and_then(|from| text.get(from..at))
        .is_some_and(|it| it.eq_ignore_ascii_case("xmpp"))
}

/// Whether the beginning of an address ends here that some readers link without a scheme.
fn ends_with_www(text: &str, at: usize) -> bool {
    at.checked_sub(3)
        .and_then(|from| text.get(from..at))
        .is_some_and(|it| it.eq_ignore_ascii_case("www"))
}

/// Adds text so that no reader interprets a sign of it.
fn push_escaped(out: &mut String, text: &str) {
    let mut before = out.chars().next_back().unwrap_or(' ');
    for (at, sign) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        let mut following = rest.chars().skip(1);
        let after = following.next().unwrap_or(' ');
        match sign {
            '<' => out.push_str("&lt;"),
            '&' if begins_reference(rest) => out.push_str("&amp;"),
            '_' if before.is_alphanumeric() && after.is_alphanumeric() => out.push('_'),
            '\\' | '*' | '_' | '[' | ']' | '~' => out.extend(['\\', sign]),
            // Templates and attribute lists are found before escapes are, and cells before code.
            '{' => out.push_str("&#123;"),
            '}' => out.push_str("&#125;"),
            '|' => out.push_str("&#124;"),
            '`' => out.push_str("&#96;"),
            // Some readers find formulas before code, whose signs would then be text.
            '$' => out.push_str("&#36;"),
            // Some readers turn every bare address into a link.
            ':' if rest.starts_with("://") => out.push_str("\\:"),
            ':' if ends_with_chat(text, at) => out.push_str(": "),
            '.' if ends_with_www(text, at) => out.push_str("\\."),
            '!' if after == '[' => out.push_str("\\!"),
            _ => out.push(sign),
        }
        before = sign;
    }
}

#[cfg(test)]
mod tests;
