//! The outline of a component's file: the names of its imports and exports, and the toolchain that
//! made it, read without compiling anything.

use wasmparser::{KnownCustom, Parser, Payload};

/// What a file says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    /// Full names of its imports.
    pub(super) imports: Vec<String>,
    /// Full names of its exports.
    pub(super) exports: Vec<String>,
    /// What it was made with.
    pub(super) toolchain: Toolchain,
}

/// The language and tool that made a component, by its `producers` sections. It only chooses
/// words: a file can say anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Toolchain {
    /// The Rust compiler.
    Rust,
    /// Clang, for C and C++.
    Clang,
    /// An engine for JavaScript, by `jco` or `componentize-js`.
    JavaScript,
    /// CPython, by `componentize-py`.
    Python,
    /// TinyGo or Go.
    Go,
    /// Nothing that this host knows.
    #[default]
    Unknown,
}

impl Outline {
    /// Reads it. `None` if the file is damaged: the compiler says how.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (mut outline, mut depth, mut said) = (Self::default(), 0_usize, Vec::new());
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.ok()? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        outline.imports.push(import.ok()?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        outline.exports.push(export.ok()?.name.name.to_owned());
                    }
                }
                // Core modules: interpreters are told by the libraries that they are linked of.
                Payload::ExportSection(exports) => {
                    let names = exports.into_iter().flatten().map(|export| export.name);
                    said.extend(names.filter_map(interpreter).map(ToOwned::to_owned));
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Producers(fields) = section.as_known() {
                        // A damaged one says nothing.
                        said.extend(fields.into_iter().flatten().flat_map(|field| {
                            field.values.into_iter().flatten().map(|value| value.name.to_owned())
                        }));
                    }
                }
                _ => {}
            }
        }
        outline.toolchain = Toolchain::of(&said);
        Some(outline)
    }
}

/// The tool that links an interpreter of which this is a symbol, as `library:symbol`.
fn interpreter(symbol: &str) -> Option<&'static str> {
    let (library, _) = symbol.split_once(':')?;
    match library {
        "libcomponentize_py_runtime.so" => Some("componentize-py"),
        "componentize_qjs_runtime.wasm" => Some("componentize-qjs"),
        _ => None,
    }
}

impl Toolchain {
    /// Words of `producers`, and who says them. An interpreter is itself made with Clang or Rust,
    /// so it comes first; Clang is last, because other compilers link what it made.
    const WORDS: [(&'static str, Self); 10] = [
        ("componentize-py", Self::Python),
        ("componentizejs", Self::JavaScript),
        ("componentize-qjs", Self::JavaScript),
        ("javascript", Self::JavaScript),
        ("tinygo", Self::Go),
        ("go", Self::Go),
        ("rust", Self::Rust),
        ("rustc", Self::Rust),
        ("clang", Self::Clang),
        ("c11", Self::Clang),
    ];

    fn of(said: &[String]) -> Self {
        let is_said = |word: &str| said.iter().any(|name| name.eq_ignore_ascii_case(word));
        Self::WORDS.iter().find(|(word, _)| is_said(word)).map_or(Self::Unknown, |(_, by)| *by)
    }

    /// How its own options leave WASI out, in a sentence.
    #[must_use]
    pub fn without_wasi(self) -> &'static str {
        match self {
            Self::Rust => "In Rust, build for `wasm32-unknown-unknown`.",
            Self::JavaScript => {
                "In JavaScript, `componentize-qjs --sync --stub-wasi` leaves WASI out, and so does \
                 `jco componentize --disable all`."
            }
            Self::Python => "In Python, `componentize-py componentize --stub-wasi` leaves it out.",
            Self::Clang | Self::Go | Self::Unknown => {
                "Leave WASI out with an option of the toolchain, if it has one. In Rust, build for \
                 `wasm32-unknown-unknown`."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_is_known_by_its_words_and_an_interpreter_by_its_own() {
        for (said, toolchain) in [
            (&["Rust", "rustc", "clang", "wit-component"][..], Toolchain::Rust),
            (&["clang", "C11"], Toolchain::Clang),
            (&["C11", "clang", "Rust", "ComponentizeJS"], Toolchain::JavaScript),
            (&["Rust", "rustc", "componentize-qjs"], Toolchain::JavaScript),
            (&["clang", "rustc", "componentize-py"], Toolchain::Python),
            (&["TinyGo", "clang"], Toolchain::Go),
            (&["mojo"], Toolchain::Unknown),
            (&[], Toolchain::Unknown),
        ] {
            let said: Vec<_> = said.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(Toolchain::of(&said), toolchain, "{said:?}");
        }
    }

    #[test]
    fn an_interpreter_is_known_by_its_libraries() {
        for (symbol, tool) in [
            ("libcomponentize_py_runtime.so:memory_base", Some("componentize-py")),
            ("componentize_qjs_runtime.wasm:cabi_realloc", Some("componentize-qjs")),
            ("libc.so:memory_base", None),
            ("memory", None),
        ] {
            assert_eq!(interpreter(symbol), tool, "{symbol}");
        }
    }

    #[test]
    fn a_damaged_file_has_no_outline() {
        assert_eq!(Outline::read(b"\0asm\x0d\0\x01\0"), Some(Outline::default()));
        assert_eq!(Outline::read(b"\0asm\x0d\0\x01\0\x0b\x7f"), None);
    }
}
