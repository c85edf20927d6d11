//! Figures in a document: tables between marks, which are generated from the results.
//!
//! ```text
//! <!-- figures: size path -->
//! …
//! <!-- end of figures -->
//! ```

use crate::results::Results;
use crate::table::{Versus, number, table};

const BEGIN: &str = "<!-- figures: ";
const CLOSE: &str = " -->";
const END: &str = "<!-- end of figures -->";

/// The document with the tables of these results. The group `machine` describes the machine.
#[must_use]
pub fn filled(document: &str, results: &Results) -> String {
    let mut filled = String::new();
    let mut is_inside = false;
    for line in document.split_inclusive('\n') {
        if line.trim_end() == END {
            is_inside = false;
        }
        if !is_inside {
            filled += line;
        }
        if let Some(groups) =
            line.trim_end().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(CLOSE))
        {
            is_inside = true;
            let groups: Vec<_> = groups.split(' ').collect();
            filled += &if groups == ["machine"] {
                machine(results)
            } else {
                table(results, &groups, Versus::Nothing)
            };
        }
    }
    filled
}

fn machine(results: &Results) -> String {
    let [before, after] = results.load;
    format!(
        "Measured on {} cores; the load of the machine was {} in the minute before and {} in the \
         last minute of it.\n",
        results.cores,
        number(before),
        number(after)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Figure, Kind};

    #[test]
    fn what_stands_between_the_marks_is_written_anew() {
        let figure = Figure::of("size.a", "A", "KiB", Kind::Exact, vec![7.0]);
        let results =
            Results { component: None, cores: 2, load: [0.5, 1.0], figures: vec![figure] };
        let document = "before\n<!-- figures: size -->\nold\n<!-- end of figures -->\nafter\n<!-- \
                        figures: machine -->\n<!-- end of figures -->\n";
        let filled = filled(document, &results);
        assert!(filled.starts_with("before\n<!-- figures: size -->\n| figure"), "{filled}");
        assert!(
            filled.contains("| A      | 7 KiB")
                && filled.contains("\nafter\n")
                && !filled.contains("old"),
            "{filled}"
        );
        assert!(filled.contains("on 2 cores; the load of the machine was 0.500"), "{filled}");
        assert_eq!(super::filled(&filled, &results), filled);
    }
}
