//! What was measured.

use std::fmt;

use super::statistics::Spread;

/// What a figure counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Micros,
    Millis,
    Kib,
    PerSecond,
    /// Of a time.
    Percent,
}

impl Unit {
    /// A value without its unit, with the digits that mean something.
    pub(super) fn number(self, value: f64) -> String {
        match self {
            Self::Millis if value < 10.0 => format!("{value:.3}"),
            Self::Micros | Self::Millis | Self::Percent => format!("{value:.2}"),
            Self::Kib => format!("{value:.1}"),
            Self::PerSecond => format!("{value:.0}"),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Micros => " µs",
            Self::Millis => " ms",
            Self::Kib => " KiB",
            Self::PerSecond => "/s",
            Self::Percent => " %",
        })
    }
}

/// What a figure is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reach {
    /// At most so many times what it is compared with.
    RatioAtMost(f64),
    /// At least so many times that.
    RatioAtLeast(f64),
    AtMost(f64),
}

/// A figure, measured once a round.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) title: String,
    pub(super) unit: Unit,
    pub(super) values: Vec<f64>,
    /// What it is compared with, measured in the same rounds.
    pub(super) baseline: Option<Baseline>,
    pub(super) reach: Option<Reach>,
}

#[derive(Debug, Clone)]
pub(super) struct Baseline {
    pub(super) name: &'static str,
    pub(super) values: Vec<f64>,
}

impl Line {
    /// Without values.
    pub(super) fn new(title: impl Into<String>, unit: Unit) -> Self {
        Self { title: title.into(), unit, values: Vec::new(), baseline: None, reach: None }
    }

    /// Compared with `name`.
    pub(super) fn against(mut self, name: &'static str) -> Self {
        self.baseline = Some(Baseline { name, values: Vec::new() });
        self
    }

    pub(super) fn reach(mut self, reach: Reach) -> Self {
        self.reach = Some(reach);
        self
    }

    pub(super) fn add(&mut self, value: f64) {
        self.values.push(value);
    }

    /// One round of a figure that is compared with something.
    pub(super) fn add_pair(&mut self, baseline: f64, value: f64) {
        self.values.push(value);
        if let Some(compared) = &mut self.baseline {
            compared.values.push(baseline);
        }
    }

    pub(super) fn ratio(&self) -> Option<Spread> {
        Spread::of_ratios(&self.values, &self.baseline.as_ref()?.values)
    }

    /// Whether it is what it is to be, if that is said. The median counts.
    pub(super) fn is_met(&self) -> Option<bool> {
        let median = |spread: Option<Spread>| spread.map(|spread| spread.median);
        Some(match self.reach? {
            Reach::RatioAtMost(most) => median(self.ratio())? <= most,
            Reach::RatioAtLeast(least) => median(self.ratio())? >= least,
            Reach::AtMost(most) => median(Spread::of(&self.values))? <= most,
        })
    }
}

/// Figures against something that grows.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    /// Name of the plot's file.
    pub(super) file: &'static str,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) curves: Vec<Curve>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub(super) label: &'static str,
    /// Each step multiplies.
    pub(super) logarithmic: bool,
    pub(super) unit: Unit,
}

#[derive(Debug, Clone)]
pub(super) struct Curve {
    pub(super) name: &'static str,
    points: Vec<(f64, Vec<f64>)>,
}

impl Curve {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, points: Vec::new() }
    }

    /// One round's value at `x`.
    pub(super) fn add(&mut self, x: f64, value: f64) {
        match self.points.iter_mut().find(|(known, _)| *known == x) {
            Some((_, values)) => values.push(value),
            None => self.points.push((x, vec![value])),
        }
    }

    /// The medians, from left to right.
    pub(super) fn points(&self) -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> =
            self.points.iter().filter_map(|(x, values)| Some((*x, Spread::of(values)?.median))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    }

    pub(super) fn at(&self, x: f64) -> Option<f64> {
        self.points().into_iter().find(|(known, _)| *known == x).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides_whether_a_reach_is_met() {
        let mut line = Line::new("x", Unit::Micros).against("echo");
        assert_eq!(line.is_met(), None, "nothing is to be reached");
        line.reach = Some(Reach::RatioAtMost(2.0));
        assert_eq!(line.is_met(), None, "nothing was measured");
        for (baseline, value) in [(1.0, 2.0), (1.0, 5.0), (2.0, 2.0)] {
            line.add_pair(baseline, value);
        }
        for (reach, met) in [
            (Reach::RatioAtMost(2.0), true),
            (Reach::RatioAtMost(1.9), false),
            (Reach::RatioAtLeast(2.0), true),
            (Reach::RatioAtLeast(2.1), false),
            (Reach::AtMost(2.0), true),
            (Reach::AtMost(1.9), false),
        ] {
            line.reach = Some(reach);
            assert_eq!(line.is_met(), Some(met), "{reach:?}");
        }
    }

    #[test]
    fn a_curve_has_the_median_of_each_point_in_order() {
        let mut curve = Curve::new("x");
        for (x, value) in [(5.0, 1.0), (1.0, 7.0), (5.0, 3.0), (5.0, 2.0)] {
            curve.add(x, value);
        }
        assert_eq!(curve.points(), [(1.0, 7.0), (5.0, 2.0)]);
        assert_eq!((curve.at(5.0), curve.at(2.0)), (Some(2.0), None));
    }
}
