//! Several rounds of one figure.

/// What the rounds gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    /// `None` if there are no values.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let lower = if sorted.len().is_multiple_of(2) { *sorted.get(middle - 1)? } else { upper };
        Some(Self { median: f64::midpoint(lower, upper), min, max })
    }

    /// Of the ratios pair by pair: what disturbs both halves of a pair alike does not show in it.
    pub(super) fn of_ratios(figures: &[f64], baselines: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> =
            figures.iter().zip(baselines).map(|(figure, baseline)| figure / baseline).collect();
        Self::of(&ratios)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_extremes() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[3.0]), Some(Spread { median: 3.0, min: 3.0, max: 3.0 }));
        assert_eq!(Spread::of(&[9.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 9.0 }));
        assert_eq!(Spread::of(&[4.0, 1.0, 9.0, 2.0]), Some(Spread { median: 3.0, min: 1.0, max: 9.0 }));
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        // The second round was disturbed as a whole: it counts as one ratio among others.
        let spread = Spread::of_ratios(&[4.0, 80.0, 6.0], &[2.0, 40.0, 2.0]);
        assert_eq!(spread, Some(Spread { median: 2.0, min: 2.0, max: 3.0 }));
    }
}
