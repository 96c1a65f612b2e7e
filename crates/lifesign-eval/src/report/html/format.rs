//! Figures as text. What cannot be computed is a dash, never a `NaN`.

use crate::evaluation::{Estimate, Rate};

/// In place of a figure that does not exist.
pub(super) const ABSENT: &str = "–";

/// `0.0262` as `2.6 %`. What is not quite none or all is not rounded to it.
pub(super) fn percent(share: Option<f64>) -> String {
    match share.filter(|share| share.is_finite()) {
        None => ABSENT.to_owned(),
        Some(share) if share > 0.0 && share < 0.0005 => "<0.1\u{a0}%".to_owned(),
        Some(share) if share > 0.9995 && share < 1.0 => ">99.9\u{a0}%".to_owned(),
        Some(share) => format!("{:.1}\u{a0}%", 100.0 * share),
    }
}

/// A limit or a confidence: `0.05` as `5 %`.
pub(super) fn whole_percent(share: f64) -> String {
    format!("{}\u{a0}%", number(100.0 * share))
}

/// A figure from 0 to 1 that is no rate: `0.9852`.
pub(super) fn four_decimals(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        None => ABSENT.to_owned(),
        Some(value) => format!("{value:.4}"),
    }
}

/// The interval `0.1–13.8 %`, where there is one.
pub(super) fn percent_range(low: Option<f64>, high: Option<f64>) -> Option<String> {
    let (low, high) = finite(low, high)?;
    Some(format!(
        "{:.1}\u{2060}–\u{2060}{:.1}\u{a0}%",
        100.0 * low,
        100.0 * high
    ))
}

/// The interval `0.9712–0.9934`, where there is one.
pub(super) fn four_decimals_range(low: Option<f64>, high: Option<f64>) -> Option<String> {
    let (low, high) = finite(low, high)?;
    Some(format!("{low:.4}\u{2060}–\u{2060}{high:.4}"))
}

fn finite(low: Option<f64>, high: Option<f64>) -> Option<(f64, f64)> {
    low.zip(high)
        .filter(|(low, high)| low.is_finite() && high.is_finite())
}

/// `2.6 % (0.1–13.8 %)`, for a sentence.
pub(super) fn percent_estimate(estimate: &Estimate) -> String {
    let value = percent(estimate.value);
    match percent_range(estimate.low, estimate.high) {
        None => value,
        Some(range) => format!("{value} ({range})"),
    }
}

/// `1 of 38`, or `none of 38`.
pub(super) fn of(rate: &Rate) -> String {
    match rate.errors {
        0 => format!("none of {}", count(rate.presentations)),
        errors => format!("{} of {}", count(errors), count(rate.presentations)),
    }
}

/// `12,345`.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 image`, `2 images`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{}\u{a0}{noun}{plural}", count(number))
}

/// A threshold: at most four decimals, and none for their own sake.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return ABSENT.to_owned();
    }
    let size = value.abs();
    if size != 0.0 && !(0.001..1e9).contains(&size) {
        return minus(format!("{value:.2e}"));
    }
    let fixed = format!("{value:.4}");
    let trimmed = fixed.trim_end_matches('0').trim_end_matches('.');
    minus(if trimmed == "-0" { "0" } else { trimmed }.to_owned())
}

/// A score: four decimals, so that a column of them lines up.
pub(super) fn score(value: f64) -> String {
    match value {
        value if value > 0.0 && value < 0.000_05 => "<0.0001".to_owned(),
        value if value == 0.0 || (0.000_05..1e6).contains(&value.abs()) => {
            minus(format!("{value:.4}"))
        }
        value => number(value),
    }
}

fn minus(text: String) -> String {
    text.replace('-', "\u{2212}")
}

/// Milliseconds, with decimals only where they tell something.
pub(super) fn milliseconds(value: f64) -> String {
    match value {
        value if !value.is_finite() => ABSENT.to_owned(),
        value if value < 10.0 => format!("{value:.1}\u{a0}ms"),
        value => format!("{value:.0}\u{a0}ms"),
    }
}

/// Seconds, in minutes and hours where they are many.
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return ABSENT.to_owned();
    }
    if seconds < 60.0 {
        return format!("{seconds:.1}\u{a0}s");
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}\u{a0}h {minutes}\u{a0}min")
    } else {
        format!("{minutes}\u{a0}min {seconds}\u{a0}s")
    }
}

/// `2026-11-23T17:00:00Z` as `23 November 2026, 17:00 UTC`; what is not of that form as it is.
pub(super) fn date(at: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let parsed = || {
        let (day, time) = at.strip_suffix('Z')?.split_once('T')?;
        let mut parts = day.splitn(3, '-');
        let year = parts.next()?;
        let month: usize = parts.next()?.parse().ok()?;
        let day: u8 = parts.next()?.parse().ok()?;
        let month = MONTHS.get(month.checked_sub(1)?)?;
        let minutes = time.get(..5)?;
        Some(format!("{day} {month} {year}, {minutes} UTC"))
    };
    parsed().unwrap_or_else(|| at.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_to_none_or_all() {
        assert_eq!(percent(Some(0.0262)), "2.6\u{a0}%");
        assert_eq!(percent(Some(0.0)), "0.0\u{a0}%");
        assert_eq!(percent(Some(0.0001)), "<0.1\u{a0}%");
        assert_eq!(percent(Some(0.9999)), ">99.9\u{a0}%");
        assert_eq!(percent(Some(1.0)), "100.0\u{a0}%");
    }

    #[test]
    fn what_cannot_be_computed_is_a_dash() {
        assert_eq!(percent(None), ABSENT);
        assert_eq!(percent(Some(f64::NAN)), ABSENT);
        assert_eq!(number(f64::INFINITY), ABSENT);
        assert_eq!(percent_range(Some(0.1), None), None);
    }

    #[test]
    fn numbers_show_no_more_digits_than_they_have() {
        assert_eq!(number(0.6), "0.6");
        assert_eq!(number(0.483_726), "0.4837");
        assert_eq!(number(-12.0), "\u{2212}12");
        assert_eq!(score(0.6), "0.6000");
        assert_eq!(score(0.000_02), "<0.0001");
        assert_eq!(whole_percent(0.05), "5\u{a0}%");
        assert_eq!(whole_percent(0.07), "7\u{a0}%");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn a_date_is_written_out_and_anything_else_left_as_it_is() {
        assert_eq!(date("2026-11-23T17:00:00Z"), "23 November 2026, 17:00 UTC");
        assert_eq!(date("yesterday"), "yesterday");
        assert_eq!(date("2026-00-23T17:00:00Z"), "2026-00-23T17:00:00Z");
    }
}
