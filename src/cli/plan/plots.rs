//! Plots as inline SVG, each with a table of the same figures.

use std::fmt::Write as _;

use super::words::count;

/// Size of a plot in its own units; the page scales it.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 260.0;
/// Room for the numbers on the left and below.
const LEFT: f64 = 62.0;
const BELOW: f64 = 34.0;
const ABOVE: f64 = 10.0;
const RIGHT: f64 = 12.0;
/// Points of a series that are drawn.
const POINTS_MAX: usize = 400;
/// Rows of a table.
const ROWS: usize = 9;

/// One line of a plot: seconds from the start, and a value.
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// A plot and its table.
pub(super) struct Plot {
    pub(super) title: &'static str,
    /// What it shows and how to read it.
    pub(super) note: String,
    pub(super) series: Vec<Series>,
    /// How a value is written.
    pub(super) words: fn(f64) -> String,
}

/// A round number not below `value`: 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|&round| round >= value * 0.999_999)
        .unwrap_or(10.0 * power)
}

/// Unit of time in which a span is written: its name and its seconds.
fn unit(span_s: f64) -> (&'static str, f64) {
    if span_s < 600.0 {
        ("s", 1.0)
    } else if span_s < 6.0 * 3_600.0 {
        ("min", 60.0)
    } else {
        ("h", 3_600.0)
    }
}

/// Steps from 0 to `most`, about five.
fn ticks(most: f64) -> Vec<f64> {
    let step = round_up(most / 5.0);
    let mut ticks = vec![0.0];
    while let Some(&last) = ticks.last()
        && last + step <= most * 1.000_001
        && ticks.len() < 12
    {
        ticks.push(last + step);
    }
    ticks
}

/// Every n-th point, so that at most `most` are left; the first and the last stay.
fn thinned(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let every = points.len().div_ceil(most.max(2) - 1).max(1);
    let mut few: Vec<_> = points.iter().copied().step_by(every).collect();
    if let Some(&last) = points.last()
        && few.last() != Some(&last)
    {
        few.push(last);
    }
    few
}

impl Plot {
    /// The plot as an HTML section, its table beside it.
    pub(super) fn html(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let span_s = points().map(|point| point.0).fold(1.0, f64::max);
        let most = points().map(|point| point.1).fold(0.0, f64::max);
        let mut html = format!("<section>\n<h2>{}</h2>\n<p>{}</p>\n", self.title, self.note);
        html.push_str("<div class=\"plot\">\n<figure>\n");
        self.legend(&mut html);
        self.svg(&mut html, span_s, if most > 0.0 { most * 1.05 } else { 1.0 });
        html.push_str("</figure>\n");
        self.table(&mut html, span_s);
        html.push_str("</div>\n</section>\n");
        html
    }

    fn legend(&self, html: &mut String) {
        html.push_str("<figcaption>");
        for (at, series) in self.series.iter().enumerate() {
            let _ = write!(html, "<span class=\"s{at}\">{}</span> ", series.name);
        }
        html.push_str("</figcaption>\n");
    }

    fn svg(&self, html: &mut String, span_s: f64, most: f64) {
        let x = |seconds: f64| LEFT + (WIDTH - LEFT - RIGHT) * seconds / span_s;
        let y = |value: f64| HEIGHT - BELOW - (HEIGHT - BELOW - ABOVE) * value / most;
        let _ = writeln!(
            html,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            self.title
        );
        for tick in ticks(most) {
            let (at, right, words) = (y(tick), WIDTH - RIGHT, (self.words)(tick));
            let _ = writeln!(
                html,
                "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{words}</text>",
                LEFT - 6.0,
                at + 4.0
            );
        }
        let (name, seconds) = unit(span_s);
        for tick in ticks(span_s / seconds) {
            let _ = writeln!(
                html,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} {name}</text>",
                x(tick * seconds),
                HEIGHT - BELOW + 18.0,
                count(tick)
            );
        }
        for (at, series) in self.series.iter().enumerate() {
            let _ = write!(html, "<polyline class=\"s{at}\" points=\"");
            for (seconds, value) in thinned(&series.points, POINTS_MAX) {
                let _ = write!(html, "{:.1},{:.1} ", x(seconds), y(value));
            }
            html.push_str("\"/>\n");
        }
        html.push_str("</svg>\n");
    }

    fn table(&self, html: &mut String, span_s: f64) {
        let (name, seconds) = unit(span_s);
        let _ = write!(html, "<table><thead><tr><th>{name}</th>");
        for series in &self.series {
            let _ = write!(html, "<th>{}</th>", series.name);
        }
        html.push_str("</tr></thead><tbody>\n");
        let first = self.series.first().map_or(&[][..], |series| &series.points);
        for (at, _) in thinned(first, ROWS) {
            let _ = write!(html, "<tr><td>{}</td>", count(at / seconds));
            for series in &self.series {
                let known = series.points.partition_point(|point| point.0 < at - 1e-6);
                let value = series.points.get(known).map(|point| (self.words)(point.1));
                let _ = write!(html, "<td>{}</td>", value.unwrap_or_default());
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody></table>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers() {
        assert_eq!(ticks(1_000.0), [0.0, 200.0, 400.0, 600.0, 800.0, 1_000.0]);
        assert_eq!(ticks(83_352.0), [0.0, 20_000.0, 40_000.0, 60_000.0, 80_000.0]);
        assert_eq!(ticks(0.9).len(), 5);
        assert_eq!((unit(90.0).0, unit(7_200.0).0, unit(86_400.0).0), ("s", "min", "h"));
    }

    #[test]
    fn a_long_series_keeps_its_ends() {
        let points: Vec<(f64, f64)> = (0..1_001).map(|at| (f64::from(at), 1.0)).collect();
        let few = thinned(&points, 9);
        assert!(few.len() <= 10);
        assert_eq!((few.first(), few.last()), (points.first(), points.last()));
        assert_eq!(thinned(&points[..3], 9).len(), 3);
        assert_eq!(thinned(&[], 9), []);
    }

    #[test]
    fn a_plot_draws_every_series_and_tells_the_same_in_a_table() {
        let series = |name, top: f64| Series {
            name,
            points: (0..=10).map(|at| (f64::from(at) * 60.0, top * f64::from(at))).collect(),
        };
        let plot = Plot {
            title: "Two",
            note: "lines".into(),
            series: vec![series("one", 1.0), series("other", 100.0)],
            words: count,
        };
        let html = plot.html();
        assert_eq!(html.matches("<polyline").count(), 2);
        assert!(html.contains("<th>one</th><th>other</th>"));
        assert!(html.contains("<td>10</td><td>10</td><td>1,000</td>"), "{html}");
    }
}
