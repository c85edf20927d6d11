//! Plots a figure over sizes, as SVG: one line, both axes from zero or logarithmic, readable in
//! light and dark.

use std::fmt::Write as _;

use crate::figure::Figure;
use crate::results::Results;
use crate::table::number;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
/// The plot area: left, right, top, bottom.
const AREA: [f64; 4] = [70.0, 690.0, 60.0, 250.0];

/// What to plot.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// The prefix of the figures' keys; the rest of a key is the size.
    pub prefix: &'static str,
    /// Heading.
    pub title: &'static str,
    /// The label of the sizes.
    pub sizes: &'static str,
}

/// The plots of a run, by the names of their files.
pub const PLOTS: [(&str, Plot); 2] = [
    (
        "growth-members.svg",
        Plot {
            prefix: "growth.members.",
            title: "Processor time per member",
            sizes: "members of the organization",
        },
    ),
    (
        "growth-tenants.svg",
        Plot {
            prefix: "growth.tenants.",
            title: "Processor time per tenant",
            sizes: "tenants at once in one process",
        },
    ),
];

/// The plot of `bench-platform --postgres`.
pub const WORKERS: (&str, Plot) = (
    "growth-workers.svg",
    Plot {
        prefix: "growth.workers.",
        title: "Memory of a worker process",
        sizes: "tenants that run in it, each waiting for its second page",
    },
);

impl Plot {
    /// Draws the plot. `None` if nothing was measured for it.
    #[must_use]
    pub fn draw(&self, results: &Results) -> Option<String> {
        let points: Vec<(f64, &Figure)> = results
            .figures
            .iter()
            .filter_map(|figure| {
                Some((figure.key.strip_prefix(self.prefix)?.parse().ok()?, figure))
            })
            .collect();
        let (smallest, largest) = (points.first()?.0, points.last()?.0);
        let unit = &points.first()?.1.unit;
        let top = ceiling(points.iter().map(|(_, figure)| figure.max).fold(0.0, f64::max));
        let [left, right, upper, lower] = AREA;
        let across = |size: f64| {
            left + 30.0
                + (right - left - 60.0) * (size / smallest).log10()
                    / (largest / smallest).log10().max(1e-9)
        };
        let is_single = points.iter().all(|(_, figure)| figure.samples == 1);
        let measured = if is_single {
            "measured once"
        } else {
            "median; the bar is from the smallest to the largest of the runs"
        };
        let down = |value: f64| lower - (lower - upper) * value / top;
        let mut svg = format!(
            concat!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" "#,
                r#"role="img" aria-label="{title}, in {unit}, by {sizes}">"#,
                "\n<style>text {{ font: 13px sans-serif; fill: #5b6470 }} .title {{ font-size: \
                 16px; font-weight: 600 }} ",
                ".value {{ font-weight: 600 }} .grid {{ stroke: #8a94a0; stroke-opacity: .3 }} ",
                ".spread {{ stroke: #2f74d0; stroke-opacity: .45; stroke-width: 6 }} ",
                ".line {{ stroke: #2f74d0; stroke-width: 2.5; fill: none }} circle {{ fill: \
                 #2f74d0 }} ",
                "@media (prefers-color-scheme: dark) {{ text {{ fill: #c6ced8 }} }}</style>\n",
                r#"<text class="title" x="{left}" y="26">{title}</text>"#,
                "\n",
                r#"<text x="{left}" y="45">{unit}, {measured}</text>"#,
                "\n"
            ),
            width = WIDTH,
            height = HEIGHT,
            title = self.title,
            unit = unit,
            measured = measured,
            sizes = self.sizes,
            left = left,
        );
        for part in 0..=4 {
            let value = top * f64::from(part) / 4.0;
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" \
                 y2=\"{y:.1}\"/><text x=\"{x}\" y=\"{t:.1}\" text-anchor=\"end\">{}</text>",
                number(value),
                y = down(value),
                x = left - 8.0,
                t = down(value) + 4.0,
            );
        }
        let path: Vec<String> = points
            .iter()
            .map(|(size, figure)| format!("{:.1},{:.1}", across(*size), down(figure.median)))
            .collect();
        let _ = writeln!(svg, "<polyline class=\"line\" points=\"{}\"/>", path.join(" "));
        for (size, figure) in &points {
            let x = across(*size);
            let _ = writeln!(
                svg,
                "<line class=\"spread\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" \
                 y2=\"{:.1}\"/><circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\"/><text class=\"value\" \
                 x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text><text x=\"{x:.1}\" \
                 y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                down(figure.min),
                down(figure.max),
                down(figure.median),
                down(figure.max) - 10.0,
                number(figure.median),
                lower + 20.0,
                number(*size),
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n</svg>",
            f64::midpoint(left, right),
            lower + 40.0,
            self.sizes
        );
        Some(svg)
    }
}

/// The end of an axis: a round number that leaves room for the labels above the line.
fn ceiling(value: f64) -> f64 {
    let wanted = value * 1.25;
    let power = 10_f64.powf(wanted.max(1e-9).log10().floor());
    [1.0, 2.0, 4.0, 8.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|end| *end >= wanted)
        .unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Kind;

    #[test]
    fn a_plot_shows_each_size_with_its_figure() {
        let figure = |size: u32, value| {
            Figure::of(&format!("growth.members.{size}"), "", "µs", Kind::Cpu, vec![value])
        };
        let figures = [(1_000, 4.5), (10_000, 4.25), (1_000_000, 4.0)]
            .map(|(size, value)| figure(size, value))
            .to_vec();
        let svg = PLOTS[0]
            .1
            .draw(&Results { component: None, cores: 2, load: [0.0, 0.0], figures })
            .expect("a plot");
        for text in ["1,000,000</text>", "10,000</text>", "4.25</text>", "8</text>"] {
            assert!(svg.contains(text), "{text}");
        }
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.contains("µs, measured once</text>"), "no spread is shown of one value");
    }

    #[test]
    fn an_axis_ends_at_a_round_number_above_the_line() {
        for (value, end) in [(4.0, 8.0), (7.9, 10.0), (0.3, 0.4), (99.0, 200.0)] {
            assert!((ceiling(value) - end).abs() < 1e-9, "{value}");
        }
    }
}
