//! The lowest error rate of one kind where the other is at most a limit.

use maud::{Markup, html};

use super::cells::{head, percent_estimate, table};
use super::format::{ABSENT, percent, score, whole_percent};
use crate::evaluation::{AtLimit, ScorerReport};

pub(super) fn part(scorer: &ScorerReport) -> Markup {
    let name = &scorer.scorer.name;
    let caption = format!("{name}: thresholds chosen on these very data");
    table(
        &caption,
        html! {
            (head(&["Figure", "All attacks", "Highest species", "Threshold"]))
            tbody {
                (rows("BPCER", "APCER", &scorer.bpcer_at_apcer))
                (rows("APCER", "BPCER", &scorer.apcer_at_bpcer))
            }
        },
    )
}

fn rows(rate: &str, limited: &str, limits: &[AtLimit]) -> Markup {
    html! {
        @for at in limits {
            tr {
                th scope="row" { (rate) " at " (limited) " " (whole_percent(at.limit)) }
                td { (percent_estimate(&at.rate)) }
                td { (percent(at.worst_species)) }
                td {
                    @match (at.threshold, at.rate.value) {
                        (Some(threshold), _) => (score(threshold)),
                        (None, Some(_)) => "none: accept all",
                        (None, None) => (ABSENT),
                    }
                }
            }
        }
    }
}
