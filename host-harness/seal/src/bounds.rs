//! Bounds of what is sealed, looked at before anything is decoded: libraries below decode nested
//! components by recursion, and a few bytes can stand for a great many imports.

use wasmparser_of_components::{Parser, Payload};

use crate::SealError;

/// Components and modules inside one another. Toolchains nest three.
const DEEPEST: usize = 16;
/// Imports of a component or module, and of all that it contains. CPython's are some 400.
const MOST_IMPORTS: usize = 10_000;
/// Longest part of a name in a message.
const LONGEST_NAME: usize = 120;
/// Most names in a message.
const MOST_NAMES: usize = 20;

/// Refuses what is nested too deeply or imports too much. What cannot be read is not judged here.
pub(crate) fn check(bytes: &[u8]) -> Result<(), SealError> {
    let (mut depth, mut imports) = (0_usize, 0_usize);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => depth += 1,
            // The last one is that of the file itself.
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::ImportSection(section)) => imports += count(section.count()),
            Ok(Payload::ComponentImportSection(section)) => imports += count(section.count()),
            Ok(_) => {}
            // The decoder says what is wrong.
            Err(_) => return Ok(()),
        }
        if depth > DEEPEST {
            return Err(SealError::TooLarge(format!(
                "it has components inside one another, more than {DEEPEST} deep"
            )));
        }
        if imports > MOST_IMPORTS {
            return Err(SealError::TooLarge(format!("it has more than {MOST_IMPORTS} imports")));
        }
    }
    Ok(())
}

fn count(imports: u32) -> usize {
    usize::try_from(imports).unwrap_or(usize::MAX)
}

/// Names for a message: the first ones, each cut where it is long, and how many more there are.
pub(crate) fn listed(names: &[String]) -> String {
    let cut = |name: &String| match name.char_indices().nth(LONGEST_NAME) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or_default()),
        None => name.clone(),
    };
    let first: Vec<String> = names.iter().take(MOST_NAMES).map(cut).collect();
    match names.len().saturating_sub(first.len()) {
        0 => first.join(", "),
        more => format!("{}, and {more} more", first.join(", ")),
    }
}
