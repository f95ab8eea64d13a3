//! Charts as SVG: black on white, so that they can be read on a light and on a dark page.

use std::ops::Range;

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::BenchError;
use super::figures::{Axis, Chart};

const SIZE: (u32, u32) = (800, 450);

/// Told apart by those who see no colours too, as no two are equally bright.
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(230, 159, 0), RGBColor(0, 0, 0), RGBColor(204, 121, 167)];

/// The chart as the text of an SVG file.
pub(super) fn svg(chart: &Chart) -> Result<String, BenchError> {
    let points = || chart.curves.iter().flat_map(|curve| curve.points());
    let x = range(&chart.x, points().map(|(x, _)| x), 1.1);
    let y = range(&chart.y, points().map(|(_, y)| y), if chart.y.logarithmic { 4.0 } else { 1.3 });
    match (chart.x.logarithmic, chart.y.logarithmic) {
        (false, false) => draw(chart, x, y),
        (false, true) => draw(chart, x, y.log_scale()),
        (true, false) => draw(chart, x.log_scale(), y),
        (true, true) => draw(chart, x.log_scale(), y.log_scale()),
    }
}

/// What an axis shows: all values, and from nought if steps do not multiply; `room` is how many times the most it goes on, for
/// the legend.
fn range(axis: &Axis, values: impl Iterator<Item = f64> + Clone, room: f64) -> Range<f64> {
    let (least, most) = (values.clone().fold(f64::INFINITY, f64::min), values.fold(0.0, f64::max));
    match axis.logarithmic {
        true if least > 0.0 && least.is_finite() => least / 1.1..most * room,
        true => 1.0..10.0,
        false => 0.0..if most > 0.0 { most * room } else { 1.0 },
    }
}

fn draw<X, Y>(chart: &Chart, x: X, y: Y) -> Result<String, BenchError>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let mut text = String::new();
    drawn(chart, x, y, &mut text).map_err(|error| BenchError::Plot(error.to_string()))?;
    Ok(text)
}

fn drawn<X, Y>(chart: &Chart, x: X, y: Y, text: &mut String) -> Result<(), Box<dyn std::error::Error>>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut area = ChartBuilder::on(&root)
        .caption(chart.title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(x, y)?;
    area.configure_mesh()
        .x_desc(chart.x.label)
        .y_desc(chart.y.label)
        .x_label_formatter(&|value| format!("{value}"))
        .y_label_formatter(&|value| format!("{}", (value * 1e6).round() / 1e6))
        .light_line_style(BLACK.mix(0.06))
        .draw()?;
    for (curve, colour) in chart.curves.iter().zip(COLOURS.iter().cycle()) {
        area.draw_series(LineSeries::new(curve.points(), colour.stroke_width(2)))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        area.draw_series(curve.points().into_iter().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    area.configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}
