//! The text of a fault: `NAME[;OPTION=VALUE]…`.
//!
//! ```text
//! status-NNN  [;body=gateway|wrapped|bare|access|html|none] [;code=CODE]
//!             [;retry-after=SECONDS|date+SECONDS] [;reset=SECONDS] [;message=TEXT]
//! unauthorized  missing-scope  access-denied  not-allowed  organization-not-found  no-route  invalid-cursor
//! drop  drop-body  stall  stall-body  slow;ms=N
//! html  truncated  wrong-types  invalid-utf8  empty-body  nested[;depth=N]
//! oversized[;bytes=N][;length=told|untold]  gzip-bomb[;bytes=N]  redirect[;to=URL]
//! next-elsewhere[;origin=ORIGIN]  same-cursor  endless  endless-empty  empty-page  cursor-expired
//! total;value=absent|null|N|+N|-N  duplicate  shifted[;by=N]
//! ```
//! The third line has short forms of common statuses. A value ends at the next `;`, except for that
//! of `message`, which comes last and is all the rest. The output of `Display` parses to the same
//! fault.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::fault::{BODY_LIMIT, DEPTH_LIMIT};
use super::{ErrorAnswer, Fault, RetryAfter, Shape, Total};

/// Why a text is not a fault or a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct GrammarError(pub(super) String);

/// 64 MiB: more than a client should accept for one page.
const USUAL_BYTES: u64 = 64 << 20;
/// Deep enough to end a recursive parser's stack.
const USUAL_DEPTH: usize = 100_000;
/// A path of the mock itself, so that its log shows whether a client followed it.
const USUAL_REDIRECT: &str = "/admin/v1/elsewhere";
/// A host that cannot exist.
const USUAL_ORIGIN: &str = "https://elsewhere.invalid";

impl FromStr for Fault {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Fault, GrammarError> {
        let (name, rest) =
            text.split_once(';').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let mut options = Options::read(name, rest)?;
        let fault = named(name, &mut options)?;
        options.finish()?;
        Ok(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Status(answer) => write!(out, "{answer}"),
            Fault::Drop => out.write_str("drop"),
            Fault::DropBody => out.write_str("drop-body"),
            Fault::Stall => out.write_str("stall"),
            Fault::StallBody => out.write_str("stall-body"),
            Fault::Slow(time) => write!(out, "slow;ms={}", time.as_millis()),
            Fault::Html => out.write_str("html"),
            Fault::Truncated => out.write_str("truncated"),
            Fault::WrongTypes => out.write_str("wrong-types"),
            Fault::InvalidUtf8 => out.write_str("invalid-utf8"),
            Fault::Nested { depth } => write!(out, "nested;depth={depth}"),
            Fault::Oversized { bytes, told } => {
                write!(
                    out,
                    "oversized;bytes={bytes};length={}",
                    if *told { "told" } else { "untold" }
                )
            }
            Fault::GzipBomb { bytes } => write!(out, "gzip-bomb;bytes={bytes}"),
            Fault::Errors => out.write_str("errors"),
            Fault::EmptyBody => out.write_str("empty-body"),
            Fault::Redirect { to } => write!(out, "redirect;to={to}"),
            Fault::NextElsewhere { origin } => write!(out, "next-elsewhere;origin={origin}"),
            Fault::SameCursor => out.write_str("same-cursor"),
            Fault::Endless => out.write_str("endless"),
            Fault::EndlessEmpty => out.write_str("endless-empty"),
            Fault::EmptyPage => out.write_str("empty-page"),
            Fault::CursorExpired => out.write_str("cursor-expired"),
            Fault::Total(Total::Absent) => out.write_str("total;value=absent"),
            Fault::Total(Total::Null) => out.write_str("total;value=null"),
            Fault::Total(Total::Exactly(number)) => write!(out, "total;value={number}"),
            Fault::Total(Total::Off(number)) => write!(out, "total;value={number:+}"),
            Fault::Duplicate => out.write_str("duplicate"),
            Fault::Shifted { by } => write!(out, "shifted;by={by}"),
        }
    }
}

impl fmt::Display for ErrorAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "status-{};body={}", self.status, self.shape.word())?;
        if let Some(code) = &self.code {
            write!(out, ";code={code}")?;
        }
        match self.retry_after {
            Some(RetryAfter::Seconds(seconds)) => write!(out, ";retry-after={seconds}")?,
            Some(RetryAfter::Date(seconds)) => write!(out, ";retry-after=date+{seconds}")?,
            None => {}
        }
        if let Some(seconds) = self.reset {
            write!(out, ";reset={seconds}")?;
        }
        self.message.as_ref().map_or(Ok(()), |message| write!(out, ";message={message}"))
    }
}

impl Shape {
    const ALL: [Shape; 6] =
        [Shape::Gateway, Shape::Wrapped, Shape::Bare, Shape::Access, Shape::Html, Shape::None];

    fn word(self) -> &'static str {
        match self {
            Shape::Gateway => "gateway",
            Shape::Wrapped => "wrapped",
            Shape::Bare => "bare",
            Shape::Access => "access",
            Shape::Html => "html",
            Shape::None => "none",
        }
    }
}

fn named(name: &str, options: &mut Options<'_>) -> Result<Fault, GrammarError> {
    if let Some(status) = name.strip_prefix("status-") {
        return status_fault(status, options).map(Fault::Status);
    }
    Ok(match name {
        "unauthorized" => Fault::unauthorized(),
        "missing-scope" => Fault::missing_scope(),
        "access-denied" => Fault::access_denied(),
        "not-allowed" => Fault::not_allowed(),
        "organization-not-found" => Fault::organization_not_found(),
        "no-route" => Fault::no_route(),
        "invalid-cursor" => Fault::invalid_cursor(),
        "drop" => Fault::Drop,
        "drop-body" => Fault::DropBody,
        "stall" => Fault::Stall,
        "stall-body" => Fault::StallBody,
        "slow" => Fault::Slow(Duration::from_millis(options.required("ms")?)),
        "html" => Fault::Html,
        "truncated" => Fault::Truncated,
        "wrong-types" => Fault::WrongTypes,
        "invalid-utf8" => Fault::InvalidUtf8,
        "errors" => Fault::Errors,
        "empty-body" => Fault::EmptyBody,
        "nested" => Fault::Nested {
            depth: at_most("depth", options.number("depth")?.unwrap_or(USUAL_DEPTH), DEPTH_LIMIT)?,
        },
        "oversized" => Fault::Oversized {
            bytes: at_most("bytes", options.number("bytes")?.unwrap_or(USUAL_BYTES), BODY_LIMIT)?,
            told: match options.take("length") {
                Some("told") => true,
                Some("untold") | None => false,
                Some(other) => {
                    return Err(GrammarError(format!(
                        "`length={other}`: it is `told` or `untold`"
                    )));
                }
            },
        },
        "gzip-bomb" => Fault::GzipBomb {
            bytes: at_most("bytes", options.number("bytes")?.unwrap_or(USUAL_BYTES), BODY_LIMIT)?,
        },
        "redirect" => {
            Fault::Redirect { to: options.take("to").unwrap_or(USUAL_REDIRECT).to_owned() }
        }
        "next-elsewhere" => Fault::NextElsewhere {
            origin: options.take("origin").unwrap_or(USUAL_ORIGIN).to_owned(),
        },
        "same-cursor" => Fault::SameCursor,
        "endless" => Fault::Endless,
        "endless-empty" => Fault::EndlessEmpty,
        "empty-page" => Fault::EmptyPage,
        "cursor-expired" => Fault::CursorExpired,
        "total" => Fault::Total(total(options)?),
        "duplicate" => Fault::Duplicate,
        "shifted" => Fault::Shifted { by: options.number("by")?.unwrap_or(1) },
        _ => return Err(GrammarError(format!("`{name}` is not a fault"))),
    })
}

fn status_fault(status: &str, options: &mut Options<'_>) -> Result<ErrorAnswer, GrammarError> {
    let number = status.parse::<u16>().ok().filter(|number| (200..600).contains(number));
    let number =
        number.ok_or_else(|| GrammarError(format!("`status-{status}`: a status is 200 to 599")))?;
    let mut answer = ErrorAnswer::new(number);
    if let Some(code) = options.take("code") {
        answer = answer.code(code);
    }
    if let Some(word) = options.take("body") {
        let shape = Shape::ALL.into_iter().find(|shape| shape.word() == word);
        answer.shape = shape.ok_or_else(|| {
            let words = Shape::ALL.map(Shape::word).join(", ");
            GrammarError(format!("`body={word}`: it must be one of {words}"))
        })?;
    }
    answer.message = options.take("message").map(str::to_owned);
    answer.reset = options.number("reset")?;
    answer.retry_after = match options.take("retry-after") {
        None => None,
        Some(text) => Some(match text.strip_prefix("date+") {
            Some(seconds) => RetryAfter::Date(number_in("retry-after", seconds)?),
            None => RetryAfter::Seconds(number_in("retry-after", text)?),
        }),
    };
    Ok(answer)
}

fn total(options: &mut Options<'_>) -> Result<Total, GrammarError> {
    Ok(match options.take("value") {
        None => return Err(GrammarError("`total` needs `value=…`".to_owned())),
        Some("absent") => Total::Absent,
        Some("null") => Total::Null,
        Some(text) if text.starts_with(['+', '-']) => Total::Off(number_in("value", text)?),
        Some(text) => Total::Exactly(number_in("value", text)?),
    })
}

/// The options of one fault, each used once.
struct Options<'a> {
    name: &'a str,
    left: Vec<(&'a str, &'a str)>,
}

impl<'a> Options<'a> {
    fn read(name: &'a str, mut rest: Option<&'a str>) -> Result<Options<'a>, GrammarError> {
        let mut left: Vec<(&str, &str)> = Vec::new();
        while let Some(text) = rest {
            let part;
            (part, rest) = match text.split_once(';') {
                Some((part, rest)) if !text.starts_with("message=") => (part, Some(rest)),
                _ => (text, None),
            };
            let (key, value) = part.split_once('=').ok_or_else(|| {
                GrammarError(format!("`{part}` is not an option: `name=value` is expected"))
            })?;
            if left.iter().any(|(known, _)| *known == key) {
                return Err(GrammarError(format!("option `{key}` is given twice")));
            }
            left.push((key, value));
        }
        Ok(Options { name, left })
    }

    fn take(&mut self, key: &str) -> Option<&'a str> {
        let at = self.left.iter().position(|(known, _)| *known == key)?;
        Some(self.left.swap_remove(at).1)
    }

    fn number<N: FromStr>(&mut self, key: &str) -> Result<Option<N>, GrammarError> {
        self.take(key).map(|text| number_in(key, text)).transpose()
    }

    fn required<N: FromStr>(&mut self, key: &str) -> Result<N, GrammarError> {
        self.number(key)?.ok_or_else(|| GrammarError(format!("`{}` needs `{key}=…`", self.name)))
    }

    fn finish(self) -> Result<(), GrammarError> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => Err(GrammarError(format!("`{}` has no option `{key}`", self.name))),
        }
    }
}

fn number_in<N: FromStr>(key: &str, text: &str) -> Result<N, GrammarError> {
    text.parse().map_err(|_| GrammarError(format!("`{key}={text}` is not a valid number")))
}

fn at_most<N: PartialOrd + fmt::Display>(
    key: &str,
    number: N,
    limit: N,
) -> Result<N, GrammarError> {
    if number > limit {
        return Err(GrammarError(format!("`{key}={number}` is more than {limit}")));
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Fault {
        text.parse().unwrap()
    }

    #[test]
    fn every_fault_reads_back_as_it_was_written() {
        for text in [
            "status-429;body=gateway;retry-after=2",
            "status-429;body=gateway;retry-after=date+30;reset=60",
            "status-403;body=wrapped;code=ADMIN-403-3;message=No entry",
            "status-503;body=html",
            "status-401;body=gateway;reset=5;message=Unauthorized; scope does not match; really",
            "drop",
            "drop-body",
            "stall",
            "stall-body",
            "slow;ms=250",
            "html",
            "truncated",
            "wrong-types",
            "invalid-utf8",
            "nested;depth=500",
            "oversized;bytes=1000;length=told",
            "oversized;bytes=1000;length=untold",
            "gzip-bomb;bytes=1000",
            "empty-body",
            "redirect;to=https://x.invalid:8080/a?b=c",
            "next-elsewhere;origin=http://x.invalid",
            "same-cursor",
            "endless",
            "endless-empty",
            "empty-page",
            "cursor-expired",
            "total;value=absent",
            "total;value=null",
            "total;value=7",
            "total;value=+3",
            "total;value=-3",
            "duplicate",
            "shifted;by=-2",
        ] {
            assert_eq!(read(text).to_string(), text);
        }
    }

    #[test]
    fn short_names_stand_for_statuses() {
        for (short, long) in [
            ("unauthorized", "status-401"),
            ("missing-scope", "status-401;message=Unauthorized; scope does not match"),
            ("access-denied", "status-403;body=access"),
            ("not-allowed", "status-403;code=ADMIN-403-3"),
            ("organization-not-found", "status-404;code=ADMIN-404-2"),
            ("no-route", "status-404;body=gateway;message=failed to match any route"),
            ("invalid-cursor", "status-400;code=ADMIN-400-1"),
        ] {
            assert_eq!(read(short), read(long), "{short}");
        }
    }

    #[test]
    fn defaults_are_filled_in() {
        assert_eq!(read("oversized"), Fault::Oversized { bytes: 64 << 20, told: false });
        assert_eq!(read("shifted"), Fault::Shifted { by: 1 });
        assert_eq!(read("redirect"), Fault::Redirect { to: "/admin/v1/elsewhere".into() });
    }

    #[test]
    fn what_is_no_fault_is_refused_with_the_reason() {
        for (text, message) in [
            ("", "`` is not a fault"),
            ("explode", "`explode` is not a fault"),
            ("status-99", "`status-99`: a status is 200 to 599"),
            ("status-429;retry-after=soon", "`retry-after=soon` is not a valid number"),
            (
                "status-500;body=xml",
                "`body=xml`: it must be one of gateway, wrapped, bare, access, html, none",
            ),
            ("slow", "`slow` needs `ms=…`"),
            ("total", "`total` needs `value=…`"),
            ("drop;when=now", "`drop` has no option `when`"),
            ("drop;now", "`now` is not an option: `name=value` is expected"),
            ("nested;depth=1;depth=2", "option `depth` is given twice"),
            ("oversized;bytes=2000000000", "`bytes=2000000000` is more than 1073741824"),
            ("oversized;length=no", "`length=no`: it is `told` or `untold`"),
        ] {
            assert_eq!(text.parse::<Fault>().unwrap_err().to_string(), message, "{text}");
        }
    }
}
