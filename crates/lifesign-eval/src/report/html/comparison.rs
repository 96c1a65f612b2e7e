//! All scorers side by side.

use maud::{Markup, html};

use super::at_default;
use super::cells::{absent, auc_estimate, columns, percent_estimate, rate, small, table};
use super::format::{milliseconds, number, percent, whole_percent};
use crate::evaluation::{AtLimit, Evaluation, ScorerReport, SpeciesRate};

/// Scorers beside each other on a printed page.
const MOST_COLUMNS: usize = 4;

/// What a row says of a scorer.
type Cell<'a> = Box<dyn Fn(&ScorerReport) -> Markup + 'a>;

pub(super) fn section(evaluation: &Evaluation) -> Markup {
    let scorers = &evaluation.scorers;
    let rows = rows(scorers);
    html! {
        section #side-by-side {
            h2 { "Side by side" }
            @for scorers in scorers.chunks(columns(scorers.len(), MOST_COLUMNS)) {
                (table("Figures of each scorer, over all attacks unless the row says otherwise", html! {
                    thead {
                        tr {
                            th scope="col" { "Figure" }
                            @for scorer in scorers { th.name scope="col" { (scorer.scorer.name) } }
                        }
                    }
                    tbody {
                        @for (name, cell) in &rows {
                            tr {
                                th scope="row" { (name) }
                                @for scorer in scorers { td { (cell(scorer)) } }
                            }
                        }
                    }
                }))
            }
        }
    }
}

fn rows(scorers: &[ScorerReport]) -> Vec<(Markup, Cell<'_>)> {
    let mut rows: Vec<(Markup, Cell)> = vec![
        (
            html! { "AUC" },
            Box::new(|scorer| auc_estimate(&scorer.auc)),
        ),
        (
            html! { "D-EER" },
            Box::new(|scorer| percent_estimate(&scorer.d_eer)),
        ),
    ];
    limit_rows(&mut rows, scorers, ["BPCER", "APCER"], |scorer| {
        &scorer.bpcer_at_apcer
    });
    limit_rows(&mut rows, scorers, ["APCER", "BPCER"], |scorer| {
        &scorer.apcer_at_bpcer
    });
    let grouped = scorers.iter().find_map(|scorer| scorer.groups.as_ref());
    if let Some(groups) = grouped {
        rows.push((
            html! { "D-EER, mean over " code { (groups.by) } },
            Box::new(|scorer| match &scorer.groups {
                Some(groups) => percent_estimate(&groups.macro_average.d_eer),
                None => absent(),
            }),
        ));
    }
    let default = scorers.iter().find_map(at_default);
    let at = default.map_or_else(
        || "at the default threshold".to_owned(),
        |point| format!("at {}, the default threshold", number(point.threshold)),
    );
    rows.push((
        html! { "APCER of the highest species" small { (at) } },
        Box::new(|scorer| named(at_default(scorer).and_then(|point| point.apcer_max.as_ref()))),
    ));
    rows.push((
        html! { "BPCER" small { (at) } },
        Box::new(|scorer| match at_default(scorer) {
            Some(point) => rate(&point.bpcer),
            None => absent(),
        }),
    ));
    rows.push((
        html! { "ACER" small { (at) "; the literature’s, not the standard’s" } },
        Box::new(|scorer| html! { (percent(at_default(scorer).and_then(|point| point.acer))) }),
    ));
    rows.push((html! { "BPNRR" }, Box::new(|scorer| rate(&scorer.bpnrr))));
    rows.push((
        html! { "APNRR of the highest species" },
        Box::new(|scorer| named(SpeciesRate::highest(&scorer.apnrr))),
    ));
    rows.push((
        html! { "Median latency" },
        Box::new(|scorer| match &scorer.latency {
            Some(latency) => html! { (milliseconds(latency.p50)) },
            None => html! { "not measured" },
        }),
    ));
    rows
}

/// A row for each limit; `rate` and `limited` are the two error rates' names.
fn limit_rows<'a>(
    rows: &mut Vec<(Markup, Cell<'a>)>,
    scorers: &'a [ScorerReport],
    [rate, limited]: [&str; 2],
    of: fn(&ScorerReport) -> &Vec<AtLimit>,
) {
    // Every scorer has the same limits.
    let limits = scorers.first().map(of);
    for (nth, limit) in limits.into_iter().flatten().enumerate() {
        rows.push((
            html! { (rate) " at " (limited) " " (whole_percent(limit.limit)) },
            Box::new(move |scorer| match of(scorer).get(nth) {
                Some(at) => html! {
                    (percent_estimate(&at.rate))
                    (small(at.worst_species.map(|worst| {
                        format!("highest species {}", percent(Some(worst)))
                    })))
                },
                None => absent(),
            }),
        ));
    }
}

fn named(species: Option<&SpeciesRate>) -> Markup {
    match species {
        Some(species) => html! { (rate(&species.rate)) small { em { (species.species) } } },
        None => absent(),
    }
}
