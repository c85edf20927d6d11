//! The picture of a connector, as part of a page: a PNG, or an SVG that only draws.
//!
//! An SVG is a program: it can load, link, animate and run scripts. One is accepted whole if all of
//! its elements and attributes only draw, and refused otherwise; nothing in it is repaired.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Largest icon, in bytes. A page carries it in itself.
pub const LARGEST: usize = 64 * 1024;

/// Elements that only draw.
const ELEMENTS: [&str; 16] = [
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "defs",
    "linearGradient",
    "radialGradient",
    "stop",
    "clipPath",
    "title",
    "desc",
];

/// Attributes that only draw.
const ATTRIBUTES: [&str; 52] = [
    "xmlns",
    "version",
    "viewBox",
    "width",
    "height",
    "id",
    "role",
    "aria-label",
    "aria-hidden",
    "preserveAspectRatio",
    "d",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "cx",
    "cy",
    "fx",
    "fy",
    "r",
    "rx",
    "ry",
    "points",
    "transform",
    "gradientTransform",
    "gradientUnits",
    "spreadMethod",
    "clipPathUnits",
    "offset",
    "pathLength",
    "fill",
    "fill-rule",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-opacity",
    "stop-color",
    "stop-opacity",
    "clip-path",
    "clip-rule",
    "color",
    "opacity",
    "display",
    "visibility",
    "xml:space",
];

/// A picture that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icon {
    kind: &'static str,
    bytes: Vec<u8>,
}

/// Why a file is no icon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoIcon(String);

impl fmt::Display for NoIcon {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Icon {
    /// Reads a PNG or an SVG.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, NoIcon> {
        let no = |why: &str| NoIcon(why.to_owned());
        if bytes.len() > LARGEST {
            return Err(no("it is larger than 64 KiB"));
        }
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Ok(Self { kind: "image/png", bytes: bytes.to_vec() });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| no("it is neither a PNG nor an SVG"))?;
        only_draws(text.trim())?;
        Ok(Self { kind: "image/svg+xml", bytes: bytes.to_vec() })
    }

    /// The name of its file in a package.
    #[must_use]
    pub fn file(&self) -> &'static str {
        if self.kind == "image/png" { "icon.png" } else { "icon.svg" }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// It as an address for an `img`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("data:{};base64,{}", self.kind, STANDARD.encode(&self.bytes))
    }
}

/// Refuses an SVG with anything that does more than draw.
fn only_draws(text: &str) -> Result<(), NoIcon> {
    let cut = |text: &str| smp_host::text::shortened(text, 40).into_owned();
    let mut rest = text;
    let mut is_first = true;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        check_text(before)?;
        let end = tag.find('>').ok_or_else(|| NoIcon("one of its tags does not end".into()))?;
        let inside = tag.get(1..end).unwrap_or_default();
        rest = tag.get(end + 1..).unwrap_or_default();
        if let Some(name) = inside.strip_prefix('/') {
            if !ELEMENTS.contains(&name.trim_end()) {
                return Err(NoIcon(format!("it ends an element `{}`", cut(name))));
            }
            continue;
        }
        let inside = inside.strip_suffix('/').unwrap_or(inside);
        let (name, attributes) =
            inside.split_once(|sign: char| sign.is_ascii_whitespace()).unwrap_or((inside, ""));
        if !ELEMENTS.contains(&name) {
            return Err(NoIcon(format!("it has an element `{}`, which may do more", cut(name))));
        }
        if is_first && name != "svg" {
            return Err(NoIcon("it does not begin with the element `svg`".into()));
        }
        is_first = false;
        check_attributes(attributes)?;
    }
    if is_first {
        return Err(NoIcon("it is neither a PNG nor an SVG".into()));
    }
    check_text(rest)
}

fn check_attributes(mut rest: &str) -> Result<(), NoIcon> {
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(());
        }
        let malformed = || NoIcon("one of its attributes is not `name=\"value\"`".into());
        let (name, value) = rest.split_once('=').ok_or_else(malformed)?;
        let name = name.trim_end();
        let value = value.trim_start();
        let quote = value.chars().next().filter(|sign| ['"', '\''].contains(sign));
        let (value, after) = value
            .get(1..)
            .zip(quote)
            .and_then(|(it, quote)| it.split_once(quote))
            .ok_or_else(malformed)?;
        if !ATTRIBUTES.contains(&name) {
            let name = smp_host::text::shortened(name, 40);
            return Err(NoIcon(format!("it has an attribute `{name}`, which may do more")));
        }
        let is_own = name == "xmlns" && value == "http://www.w3.org/2000/svg";
        let is_reference = value.strip_prefix("url(#").is_some_and(|it| it.ends_with(')'));
        let loads = value.contains("url(") && (!is_reference || value.matches("url(").count() > 1);
        if !is_own && (loads || value.contains(':') || value.contains('\\')) {
            return Err(NoIcon(format!("its attribute `{name}` has an address")));
        }
        check_text(value)?;
        rest = after;
    }
}

/// A reference to a character could hide any of the above.
fn check_text(text: &str) -> Result<(), NoIcon> {
    if text.contains('&') {
        return Err(NoIcon("it has a reference to a character or an entity".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(inside: &str) -> Result<Icon, NoIcon> {
        let text =
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox='0 0 1 1'>{inside}</svg>");
        Icon::read(text.as_bytes())
    }

    #[test]
    fn a_picture_that_only_draws_becomes_part_of_the_page() {
        let icon = svg("<title>Example</title><defs><linearGradient id=\"a\"><stop offset=\"0\" \
             stop-color=\"#fff\"/></linearGradient></defs><path fill=\"url(#a)\" d=\"M0 0h1z\"/>")
        .unwrap();
        assert!(icon.address().starts_with("data:image/svg+xml;base64,PHN2"));
        assert_eq!(icon.file(), "icon.svg");
        let png = Icon::read(b"\x89PNG\r\n\x1a\n\"><script>").unwrap();
        assert_eq!((png.file(), png.address().contains('<')), ("icon.png", false));
    }

    #[test]
    fn a_picture_that_may_do_more_is_refused() {
        for (inside, because) in [
            ("<script>alert(1)</script>", "`script`"),
            ("<SCRIPT/>", "`SCRIPT`"),
            ("<style>a{}</style>", "`style`"),
            ("<foreignObject/>", "`foreignObject`"),
            ("<image href=\"https://a.test/x.png\"/>", "`image`"),
            ("<use href=\"#a\"/>", "`use`"),
            ("<animate/>", "`animate`"),
            ("<a href=\"https://a.test\"><path/></a>", "`a`"),
            ("<!-- x -->", "`!--`"),
            ("<?xml-stylesheet href=\"x\"?>", "`?xml-stylesheet`"),
            ("<path onload=\"alert(1)\"/>", "`onload`"),
            ("<path style=\"fill:red\"/>", "`style`"),
            ("<path fill=\"url(https://a.test/x)\"/>", "`fill` has an address"),
            ("<path fill=\"url(#a) url(//a.test)\"/>", "`fill` has an address"),
            ("<path fill=\"\\75rl(x)\"/>", "`fill` has an address"),
            ("<path fill=\"&#117;rl(x)\"/>", "a reference"),
            ("<path fill=red />", "is not `name="),
            ("<path d", "is not `name="),
            ("&lt;", "a reference"),
        ] {
            let refused = svg(inside).unwrap_err().to_string();
            assert!(refused.contains(because), "{inside}: {refused}");
        }
        for (bytes, because) in [
            (&b"<g></g>"[..], "does not begin"),
            (b"<svg></svg><path ", "does not end"),
            (b"GIF89a", "neither"),
            (b"\xff\xd8\xff", "neither"),
            (b"<!DOCTYPE svg><svg/>", "`!DOCTYPE`"),
        ] {
            let refused = Icon::read(bytes).unwrap_err().to_string();
            assert!(refused.contains(because), "{refused}");
        }
        assert!(Icon::read(&vec![b' '; LARGEST + 1]).is_err());
    }
}
