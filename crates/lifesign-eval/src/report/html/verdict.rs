//! The answer before the figures behind it: each scorer at the default threshold, in words.

use maud::{Markup, html};

use super::at_default;
use super::format::{
    counted, four_decimals, four_decimals_range, number, of, percent, percent_estimate,
    percent_range, whole_percent,
};
use crate::evaluation::{
    Evaluation, NonResponseRule, OperatingPoint, Rate, ScorerReport, SpeciesRate,
};

pub(super) fn section(evaluation: &Evaluation) -> Markup {
    html! {
        section #verdict {
            h2 { "Verdict" }
            p { (conditions(evaluation)) }
            @if let Some(best) = lowest_d_eer(&evaluation.scorers) {
                p { (best) }
            }
            div.cards {
                @for scorer in &evaluation.scorers {
                    (card(scorer))
                }
            }
        }
    }
}

/// What holds for every figure below it.
fn conditions(evaluation: &Evaluation) -> String {
    let confidence = whole_percent(evaluation.settings.confidence);
    let rule = match evaluation.settings.non_response {
        NonResponseRule::Apart => {
            "Presentations without a score are in the non-response rates only, as the standard asks."
        }
        NonResponseRule::Attack => {
            "Other than the standard asks, a presentation without a score counts as taken for an \
             attack in every error rate."
        }
    };
    format!(
        "A score above the threshold is taken for bona fide. Ranges are {confidence} confidence \
         intervals. {rule}"
    )
}

/// Which of several scorers has the lowest D-EER.
fn lowest_d_eer(scorers: &[ScorerReport]) -> Option<Markup> {
    if scorers.len() < 2 {
        return None;
    }
    let known = scorers.iter().filter_map(|scorer| {
        let value = scorer.d_eer.value.filter(|value| value.is_finite())?;
        Some((value, scorer))
    });
    let mut known: Vec<(f64, &ScorerReport)> = known.collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (&(lowest, best), rest) = known.split_first()?;
    let &(second, next) = rest.first()?;
    if second <= lowest {
        let equal = known.iter().filter(|(value, _)| *value <= lowest).count();
        return Some(html! {
            (equal) " of the " (scorers.len()) " scorers share the lowest D-EER, "
            (percent(Some(lowest))) "."
        });
    }
    let overlap = match (best.d_eer.high, next.d_eer.low) {
        (Some(high), Some(low)) if high >= low => {
            " Their intervals overlap: on these data the difference may be chance."
        }
        (Some(_), Some(_)) => " Their intervals do not overlap.",
        _ => "",
    };
    Some(html! {
        "Of the " (scorers.len()) " scorers, " strong { (best.scorer.name) }
        " has the lowest D-EER, " (percent_estimate(&best.d_eer)) ", before "
        strong { (next.scorer.name) } " with " (percent_estimate(&next.d_eer)) "." (overlap)
    })
}

fn card(scorer: &ScorerReport) -> Markup {
    let point = at_default(scorer);
    html! {
        article.card {
            h3 { (scorer.scorer.name) }
            @match point {
                Some(point) => p { (lead(point)) },
                None => p { "It was not evaluated at the default threshold." },
            }
            dl.tiles {
                @if let Some(point) = point {
                    @match &point.apcer_max {
                        Some(highest) => (tile(
                            html! { "APCER, " (highest_of(highest, point.apcer.len())) },
                            percent(highest.rate.value),
                            rate_note(&highest.rate),
                            rule_of_three(&highest.rate),
                        )),
                        None => (tile(html! { "APCER" }, percent(None), None, None)),
                    }
                    (tile(
                        html! { "BPCER" },
                        percent(point.bpcer.value),
                        rate_note(&point.bpcer),
                        rule_of_three(&point.bpcer),
                    ))
                }
                (tile(
                    html! { "D-EER, all attacks" },
                    percent(scorer.d_eer.value),
                    percent_range(scorer.d_eer.low, scorer.d_eer.high),
                    None,
                ))
                (tile(
                    html! { "AUC, all attacks" },
                    four_decimals(scorer.auc.value),
                    four_decimals_range(scorer.auc.low, scorer.auc.high),
                    None,
                ))
                (tile(
                    html! { "No score: bona fide (BPNRR)" },
                    percent(scorer.bpnrr.value),
                    rate_note(&scorer.bpnrr),
                    None,
                ))
                @match SpeciesRate::highest(&scorer.apnrr) {
                    Some(highest) => (tile(
                        html! { "No score: attacks (APNRR), " (highest_of(highest, scorer.apnrr.len())) },
                        percent(highest.rate.value),
                        rate_note(&highest.rate),
                        None,
                    )),
                    None => (tile(html! { "No score: attacks (APNRR)" }, percent(None), None, None)),
                }
            }
        }
    }
}

/// The two errors in words.
fn lead(point: &OperatingPoint) -> Markup {
    html! {
        "At the default threshold of " (number(point.threshold)) ", "
        @match &point.apcer_max {
            Some(SpeciesRate { species, rate }) => {
                strong { (of(rate)) }
                " presentations of " em { (species) } " passed for bona fide"
                @if rate.errors > 0 && point.apcer.len() > 1 {
                    ", the highest share among the PAI species"
                }
                @if rate.errors == 0 && point.apcer.len() > 1 {
                    ", nor did any of another PAI species"
                }
            },
            None => "no attack got a score",
        }
        "; "
        @if point.bpcer.presentations == 0 {
            "no bona fide presentation got a score."
        } @else {
            strong { (of(&point.bpcer)) } " bona fide presentations were taken for attacks."
        }
    }
}

fn highest_of(highest: &SpeciesRate, species: usize) -> Markup {
    html! {
        em { (highest.species) }
        @if species > 1 { ", highest of " (species) " species" }
    }
}

fn rate_note(rate: &Rate) -> Option<String> {
    let range = percent_range(rate.low, rate.high)?;
    Some(match rate.errors {
        // The rule of three's line says so.
        0 if rate.rule_of_three.is_some() => range,
        _ => format!("{range}, {}", of(rate)),
    })
}

/// An observed rate of none is no proof of a true rate of none.
fn rule_of_three(rate: &Rate) -> Option<String> {
    let bound = rate.rule_of_three.filter(|_| rate.errors == 0)?;
    Some(format!(
        "None of {}; with 95\u{a0}% confidence at most {} (rule of three)",
        counted(rate.presentations, "presentation"),
        percent(Some(bound))
    ))
}

fn tile(name: Markup, value: String, note: Option<String>, bound: Option<String>) -> Markup {
    html! {
        div {
            dt { (name) }
            dd.value { (value) }
            @for line in [note, bound].into_iter().flatten() {
                dd.note { (line) }
            }
        }
    }
}
