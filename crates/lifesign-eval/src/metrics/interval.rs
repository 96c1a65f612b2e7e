//! Exact intervals of error rates: C. Clopper and E. Pearson, *The use of confidence or fiducial
//! limits illustrated in the case of the binomial*, Biometrika 26 (1934).

use statrs::distribution::{Beta, ContinuousCDF};

use crate::evaluation::Rate;

/// Confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// `errors` in `presentations` as a rate with its interval.
///
/// # Panics
/// When there are more errors than presentations.
pub fn rate(errors: usize, presentations: usize) -> Rate {
    assert!(errors <= presentations, "{errors} of {presentations}");
    let share = |part: f64| (presentations > 0).then(|| part / presentations as f64);
    let interval = clopper_pearson(errors, presentations, CONFIDENCE);
    Rate {
        errors,
        presentations,
        value: share(errors as f64),
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        // J. Hanley and A. Lippman-Hand, *If nothing goes wrong, is everything all right?*,
        // JAMA 249 (1983): the one-sided 95 % bound, 1 - 0.05^(1/n), is nearly 3/n.
        rule_of_three: share(3.0)
            .filter(|_| errors == 0)
            .map(|bound| bound.min(1.0)),
    }
}

/// The two-sided interval of a binomial proportion, or `None` where nothing was presented.
///
/// ```
/// let (low, high) = lifesign_eval::metrics::interval::clopper_pearson(1, 29, 0.95).unwrap();
/// assert!((low - 0.0009).abs() < 5e-5 && (high - 0.1776).abs() < 5e-5);
/// ```
pub fn clopper_pearson(errors: usize, presentations: usize, confidence: f64) -> Option<(f64, f64)> {
    if presentations == 0 || errors > presentations {
        return None;
    }
    let tail = (1.0 - confidence) / 2.0;
    let (wrong, right) = (errors as f64, (presentations - errors) as f64);
    // Parameters above 0 are all that a Beta distribution asks for.
    let quantile = |a: f64, b: f64, p: f64| Beta::new(a, b).ok().map(|beta| beta.inverse_cdf(p));
    let low = match errors {
        0 => 0.0,
        _ => quantile(wrong, right + 1.0, tail)?,
    };
    let high = match presentations - errors {
        0 => 1.0,
        _ => quantile(wrong + 1.0, right, 1.0 - tail)?,
    };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table I of R. Newcombe, *Two-sided confidence intervals for the single proportion*,
    /// Statistics in Medicine 17 (1998), method 5 (Clopper-Pearson).
    #[test]
    fn bounds_are_those_of_newcombes_published_table() {
        for (errors, presentations, low, high) in [
            (81, 263, 0.2527, 0.3676),
            (15, 148, 0.0578, 0.1617),
            (0, 20, 0.0, 0.1684),
            (1, 29, 0.0009, 0.1776),
        ] {
            let found = clopper_pearson(errors, presentations, 0.95).unwrap();
            assert!(
                (found.0 - low).abs() < 5e-5 && (found.1 - high).abs() < 5e-5,
                "{errors}/{presentations}: {found:?}"
            );
        }
    }

    #[test]
    fn all_wrong_is_none_wrong_mirrored_and_nothing_presented_has_no_rate() {
        let (low, high) = clopper_pearson(20, 20, 0.95).unwrap();
        assert!((low - (1.0 - 0.1684)).abs() < 5e-5 && high == 1.0);
        let none = rate(0, 0);
        assert_eq!(
            (none.value, none.low, none.rule_of_three),
            (None, None, None)
        );
    }

    #[test]
    fn the_rule_of_three_is_given_where_nothing_failed_and_there_only() {
        assert_eq!(rate(0, 100).rule_of_three, Some(0.03));
        assert_eq!(rate(0, 2).rule_of_three, Some(1.0));
        assert_eq!(rate(1, 100).rule_of_three, None);
    }
}
