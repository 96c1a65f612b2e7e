//! Figures by group: of each value of a column, such as a dataset or a camera.

use maud::{Markup, html};

use super::cells::{auc_estimate, columns, percent_estimate, rate, small, table};
use super::format::{four_decimals, number, percent};
use super::operating::origin;
use crate::evaluation::{GroupRow, Groups, OperatingPoint, Rate};

/// Operating points beside each other on a printed page.
const MOST_COLUMNS: usize = 3;

pub(super) fn part(name: &str, groups: &Groups, points: &[OperatingPoint]) -> Markup {
    let indices: Vec<usize> = (0..points.len()).collect();
    html! {
        (free(name, groups))
        @for chunk in indices.chunks(columns(points.len(), MOST_COLUMNS)) {
            (at_points(name, groups, points, chunk))
        }
        p.note {
            "Error rates of a group pool its attacks, whatever their species. Bold marks the \
             worst group of a column. Means count each group alike, however few presentations \
             it has."
        }
    }
}

/// What depends on no threshold.
fn free(name: &str, groups: &Groups) -> Markup {
    let rows = &groups.rows;
    let mean = &groups.macro_average;
    let worst_bpnrr = worst(rows.iter().map(|row| row.bpnrr.value));
    let worst_apnrr = worst(rows.iter().map(|row| row.apnrr.value));
    // Of an AUC, the lowest is the worst.
    let worst_auc = worst(rows.iter().map(|row| row.auc.map(|auc| -auc)));
    let worst_d_eer = worst(rows.iter().map(|row| row.d_eer));
    let caption = format!("{name}: non-responses, AUC and D-EER by {}", groups.by);
    table(
        &caption,
        html! {
            thead {
                tr {
                    th scope="col" { code { (groups.by) } }
                    th scope="col" { "BPNRR" }
                    th scope="col" { "APNRR" }
                    th scope="col" { "AUC" }
                    th scope="col" { "D-EER" }
                }
            }
            tbody {
                @for row in rows {
                    tr {
                        (head(row))
                        (rate_cell(&row.bpnrr, worst_bpnrr))
                        (rate_cell(&row.apnrr, worst_apnrr))
                        (cell(row.auc.map(|auc| -auc), worst_auc, html! { (four_decimals(row.auc)) }))
                        (cell(row.d_eer, worst_d_eer, html! { (percent(row.d_eer)) }))
                    }
                }
            }
            tfoot {
                tr {
                    th scope="row" {
                        "Mean"
                        (small(Some(format!(
                            "of {} groups of both classes", mean.groups_of_both
                        ))))
                    }
                    td {}
                    td {}
                    td { (auc_estimate(&mean.auc)) }
                    td { (percent_estimate(&mean.d_eer)) }
                }
            }
        },
    )
}

fn at_points(name: &str, groups: &Groups, points: &[OperatingPoint], chunk: &[usize]) -> Markup {
    let rows = &groups.rows;
    let chosen = || {
        chunk
            .iter()
            .filter_map(|&nth| Some((nth, points.get(nth)?)))
    };
    let worst_of = |nth: usize| {
        let rates = || rows.iter().filter_map(|row| row.at.get(nth));
        (
            worst(rates().map(|at| at.apcer.value)),
            worst(rates().map(|at| at.bpcer.value)),
        )
    };
    let worst_of: Vec<_> = (0..points.len()).map(worst_of).collect();
    let caption = format!(
        "{name}: error rates at its operating points by {}",
        groups.by
    );
    table(
        &caption,
        html! {
            thead {
                tr {
                    th scope="col" rowspan="2" { code { (groups.by) } }
                    @for (_, point) in chosen() {
                        th.span scope="colgroup" colspan="2" {
                            "at " (number(point.threshold)) ", " (origin(point.origin))
                        }
                    }
                }
                tr {
                    @for _ in chosen() { th scope="col" { "APCER" } th scope="col" { "BPCER" } }
                }
            }
            tbody {
                @for row in rows {
                    tr {
                        (head(row))
                        @for (nth, _) in chosen() {
                            @match row.at.get(nth) {
                                Some(at) => {
                                    (rate_cell(&at.apcer, worst_of[nth].0))
                                    (rate_cell(&at.bpcer, worst_of[nth].1))
                                },
                                None => { td {} td {} },
                            }
                        }
                    }
                }
            }
            tfoot {
                tr {
                    th scope="row" { "Mean" }
                    @for (nth, _) in chosen() {
                        @match groups.macro_average.at.get(nth) {
                            Some(at) => {
                                td { (percent_estimate(&at.apcer)) }
                                td { (percent_estimate(&at.bpcer)) }
                            },
                            None => { td {} td {} },
                        }
                    }
                }
            }
        },
    )
}

fn head(row: &GroupRow) -> Markup {
    html! {
        th scope="row" {
            @if row.group.is_empty() { em { "none" } } @else { (row.group) }
        }
    }
}

fn rate_cell(of: &Rate, worst: Option<f64>) -> Markup {
    if of.presentations == 0 {
        return html! { td { (percent(None)) } };
    }
    cell(of.value, worst, rate(of))
}

fn cell(value: Option<f64>, worst: Option<f64>, content: Markup) -> Markup {
    let marked = value.is_some() && value == worst;
    html! { td.marked[marked] { (content) } }
}

/// The highest value of a column, where it is higher than another.
fn worst(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.flatten().collect();
    let highest = values.iter().copied().reduce(f64::max)?;
    values
        .iter()
        .any(|&value| value < highest)
        .then_some(highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_worse_than_another() {
        assert_eq!(worst([Some(0.1), None, Some(0.3)].into_iter()), Some(0.3));
        assert_eq!(worst([Some(0.1), Some(0.1)].into_iter()), None);
        assert_eq!(worst([None, Some(0.1)].into_iter()), None);
    }
}
