//! Medians and the like.

use std::time::Duration;

use serde::Serialize;

/// What lies in the middle of some figures, and how far a quarter of them is from it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    /// A quarter is below.
    pub lower: f64,
    /// Half is below.
    pub median: f64,
    /// A quarter is above.
    pub upper: f64,
}

impl Spread {
    /// Of any figures; of none it is not a number.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Spread {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        Spread {
            lower: quantile(&figures, 0.25),
            median: quantile(&figures, 0.5),
            upper: quantile(&figures, 0.75),
        }
    }
}

/// The figure below which a share `q` of `sorted` lies.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (q * last as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// In milliseconds.
pub fn ms(time: Duration) -> f64 {
    1e3 * time.as_secs_f64()
}

/// The straight line through `points` by least squares: at 0, and for each 1.
pub fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let along = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y));
    let square = points.iter().map(|(x, _)| (x - mean_x).powi(2));
    let slope = along.sum::<f64>() / square.sum::<f64>();
    (mean_y - slope * mean_x, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_what_lies_in_the_middle() {
        let spread = Spread::of([5.0, 1.0, 2.0, 4.0, 3.0]);
        assert_eq!((spread.lower, spread.median, spread.upper), (2.0, 3.0, 4.0));
    }

    #[test]
    fn a_line_goes_through_points_on_it() {
        let (at_0, slope) = line(&[(1.0, 5.0), (2.0, 7.0), (4.0, 11.0)]);
        assert!((at_0 - 3.0).abs() < 1e-9 && (slope - 2.0).abs() < 1e-9);
    }
}
