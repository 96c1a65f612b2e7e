//! What tables are made of: the figure in full size, what it rests on in small print under it.

use maud::{Markup, html};

use super::format::{ABSENT, count, four_decimals, four_decimals_range, percent, percent_range};
use crate::evaluation::{Estimate, Rate};

/// A table in a box of its own, which scrolls on a narrow screen where the page must not. `rows`
/// holds the table's `thead`, `tbody` and `tfoot`.
pub(super) fn table(caption: &str, rows: Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                (rows)
            }
        }
    }
}

/// The head of a table whose columns are plain words.
pub(super) fn head(columns: &[&str]) -> Markup {
    html! {
        thead { tr { @for column in columns { th scope="col" { (column) } } } }
    }
}

/// A rate with its count and interval.
pub(super) fn rate(rate: &Rate) -> Markup {
    html! {
        (percent(rate.value))
        small { (count(rate.errors)) " of " (count(rate.presentations)) }
        (small(percent_range(rate.low, rate.high)))
    }
}

/// An estimate in per cent, with its interval.
pub(super) fn percent_estimate(estimate: &Estimate) -> Markup {
    html! {
        (percent(estimate.value))
        (small(percent_range(estimate.low, estimate.high)))
    }
}

/// An area under the curve with its interval.
pub(super) fn auc_estimate(estimate: &Estimate) -> Markup {
    html! {
        (four_decimals(estimate.value))
        (small(four_decimals_range(estimate.low, estimate.high)))
    }
}

/// A line of small print, where there is something to print.
pub(super) fn small(text: Option<String>) -> Markup {
    html! {
        @if let Some(text) = text {
            small { (text) }
        }
    }
}

/// How many columns each of several tables gets, where one takes `most`: six as three and three,
/// not as five and one.
pub(super) fn columns(many: usize, most: usize) -> usize {
    many.div_ceil(many.div_ceil(most).max(1)).max(1)
}

/// For a cell that has no figure at all.
pub(super) fn absent() -> Markup {
    html! { (ABSENT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_share_their_columns_evenly() {
        assert_eq!(
            [0, 1, 4, 5, 6, 9].map(|many| columns(many, 4)),
            [1, 1, 4, 3, 3, 3]
        );
    }

    #[test]
    fn a_rate_of_nothing_is_a_dash() {
        let nothing = Rate {
            errors: 0,
            presentations: 0,
            value: None,
            low: None,
            high: None,
            rule_of_three: None,
        };
        assert_eq!(rate(&nothing).into_string(), "–<small>0 of 0</small>");
    }
}
