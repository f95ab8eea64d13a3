//! Figures as Markdown, which can be read as it is in a terminal too.

use std::fmt::Write;

use super::figures::{Chart, Line, Reach, Unit};
use super::statistics::Spread;

/// Where there is no figure.
const NOTHING: &str = "–";

/// A row for each figure: what it is compared with, what it is, the ratio, and whether it is what it is to be.
pub(super) fn lines(lines: &[Line]) -> String {
    let head = ["", "compared with", "rtcd", "ratio", "reach", ""].map(str::to_owned);
    let rows = lines.iter().map(|line| {
        let compared = line.baseline.as_ref().map(|baseline| {
            format!("{} {}", baseline.name, spread(Spread::of(&baseline.values), Some(line.unit)))
        });
        let verdict = line.is_met().map_or("", |met| if met { "met" } else { "**not met**" });
        [
            line.title.clone(),
            compared.unwrap_or_else(|| NOTHING.to_owned()),
            spread(Spread::of(&line.values), Some(line.unit)),
            spread(line.ratio(), None),
            line.reach.map(|reach| reach_of(reach, line.unit)).unwrap_or_default(),
            verdict.to_owned(),
        ]
        .to_vec()
    });
    markdown(std::iter::once(head.to_vec()).chain(rows).collect())
}

/// What a chart's plot shows.
pub(super) fn chart(chart: &Chart) -> String {
    let mut moments: Vec<f64> =
        chart.curves.iter().flat_map(|curve| curve.points().into_iter().map(|(x, _)| x)).collect();
    moments.sort_by(f64::total_cmp);
    moments.dedup();
    let mut rows = vec![vec![chart.x.label.to_owned()]];
    if let Some(head) = rows.first_mut() {
        head.extend(chart.curves.iter().map(|curve| format!("{},{}", curve.name, chart.y.unit)));
    }
    for x in moments {
        let cells = chart
            .curves
            .iter()
            .map(|curve| curve.at(x).map_or_else(|| NOTHING.to_owned(), |value| chart.y.unit.number(value)));
        rows.push(std::iter::once(format!("{x}")).chain(cells).collect());
    }
    markdown(rows)
}

/// The median, and how far the rounds were apart. A ratio has no unit.
fn spread(spread: Option<Spread>, unit: Option<Unit>) -> String {
    let Some(Spread { median, min, max }) = spread else { return NOTHING.to_owned() };
    let number = |value| unit.map_or_else(|| format!("{value:.2}"), |unit| unit.number(value));
    let unit = unit.map(|unit| unit.to_string()).unwrap_or_default();
    format!("{}{unit} ({}–{})", number(median), number(min), number(max))
}

fn reach_of(reach: Reach, unit: Unit) -> String {
    match reach {
        Reach::RatioAtMost(most) => format!("≤ {most} ×"),
        Reach::RatioAtLeast(least) => format!("≥ {least} ×"),
        Reach::AtMost(most) => format!("≤ {most}{unit}"),
    }
}

/// The first row is the head.
fn markdown(mut rows: Vec<Vec<String>>) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max())
        .map(|width| width.unwrap_or(0).max(3))
        .collect();
    rows.insert(1.min(rows.len()), widths.iter().map(|&width| "-".repeat(width)).collect());
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a String cannot fail.
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Axis, Curve};
    use super::*;

    #[test]
    fn figures() {
        let mut met =
            Line::new("MESSAGE, 16 × 4", Unit::Micros).against("echo").reach(Reach::RatioAtMost(2.5));
        for (echo, rtcd) in [(2.0, 4.0), (2.1, 4.5), (1.9, 4.4)] {
            met.add_pair(echo, rtcd);
        }
        let mut missed = Line::new("start", Unit::Millis).reach(Reach::AtMost(50.0));
        missed.add(51.234);
        let mut goodput =
            Line::new("goodput", Unit::PerSecond).against("peak").reach(Reach::RatioAtLeast(0.9));
        goodput.add_pair(10_000.4, 9_500.0);
        let mut shown = Line::new("memory", Unit::Kib);
        shown.add(9.96);
        let empty = Line::new("nothing", Unit::Kib).against("echo").reach(Reach::AtMost(10.0));
        insta::assert_snapshot!("figures", lines(&[met, missed, goodput, shown, empty]));
    }

    #[test]
    fn a_chart() {
        let axis = |label, unit| Axis { label, logarithmic: false, unit };
        let (mut echo, mut rtcd) = (Curve::new("echo"), Curve::new("rtcd"));
        for (x, value) in [(1000.0, 0.1), (2000.0, 0.25)] {
            echo.add(x, value);
        }
        rtcd.add(1000.0, 0.3);
        let figures = Chart {
            title: "Latency",
            file: "latency.svg",
            x: axis("messages/s", Unit::PerSecond),
            y: axis("latency", Unit::Millis),
            curves: vec![echo, rtcd],
        };
        insta::assert_snapshot!("chart", chart(&figures));
    }
}
