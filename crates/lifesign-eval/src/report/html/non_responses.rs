//! Presentations that got no score.

use maud::{Markup, html};

use super::cells::{head, rate, table};
use super::format::count;
use crate::evaluation::{NonResponseRule, ScorerReport};

pub(super) fn part(scorer: &ScorerReport, rule: NonResponseRule) -> Markup {
    let name = &scorer.scorer.name;
    let none = scorer.bpnrr.errors == 0
        && scorer.apnrr.iter().all(|species| species.rate.errors == 0)
        && scorer.non_responses.is_empty();
    html! {
        @if none {
            p { "Every presentation got a score." }
        } @else {
            p {
                @match rule {
                    NonResponseRule::Apart => "They are in these rates only, in no error rate.",
                    NonResponseRule::Attack => "They also count as taken for attacks in every \
                        error rate.",
                }
            }
            div.side {
                (rates(name, scorer))
                @if !scorer.non_responses.is_empty() { (reasons(name, scorer)) }
            }
        }
    }
}

fn rates(name: &str, scorer: &ScorerReport) -> Markup {
    let caption = format!("{name}: non-response rates");
    table(
        &caption,
        html! {
            (head(&["Presentations", "Without a score"]))
            tbody {
                tr { th scope="row" { "Bona fide (BPNRR)" } td { (rate(&scorer.bpnrr)) } }
                @for species in &scorer.apnrr {
                    tr {
                        th scope="row" { em { (species.species) } " (APNRR)" }
                        td { (rate(&species.rate)) }
                    }
                }
            }
        },
    )
}

fn reasons(name: &str, scorer: &ScorerReport) -> Markup {
    let caption = format!("{name}: non-responses by reason");
    table(
        &caption,
        html! {
            (head(&["Reason", "Bona fide", "Attacks"]))
            tbody {
                @for of in &scorer.non_responses {
                    tr {
                        th scope="row" { code { (of.reason) } }
                        td { (count(of.bona_fide)) }
                        td { (count(of.attacks)) }
                    }
                }
            }
        },
    )
}
