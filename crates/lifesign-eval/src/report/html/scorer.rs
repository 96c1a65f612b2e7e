//! All figures of one scorer.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::format::{count, milliseconds};
use super::{
    at_default, cells, groups, histogram, limits, non_responses, operating, reliability, species,
    thresholds, worst,
};
use crate::evaluation::{Evaluation, Latency, ScorerReport};

pub(super) fn section(
    id: &str,
    scorer: &ScorerReport,
    evaluation: &Evaluation,
    thumbnails: &BTreeMap<String, String>,
) -> Markup {
    let name = &scorer.scorer.name;
    let threshold = at_default(scorer).map(|point| point.threshold);
    html! {
        section.scorer id=(id) {
            h2 { "Scorer " (name) }
            p { (scorer.scorer.description) }
            (part(html! { "Operating points" }, operating::part(scorer)))
            (part(html! { "One error rate at a limit of the other" }, limits::part(scorer)))
            (figure(
                html! { "Scores" },
                histogram::part(name, scorer.histogram.as_ref(), threshold),
            ))
            (part(html! { "Each species" }, species::part(name, &scorer.species)))
            @if let Some(groups) = &scorer.groups {
                (part(
                    html! { "By " code { (groups.by) } },
                    groups::part(name, groups, &scorer.operating_points),
                ))
            }
            (part(
                html! { "Non-responses" },
                non_responses::part(scorer, evaluation.settings.non_response),
            ))
            (figure(
                html! { "Calibration" },
                reliability::part(name, scorer.calibration.as_ref()),
            ))
            (figure(
                html! { "Error rates by threshold" },
                thresholds::part(name, &scorer.thresholds, threshold),
            ))
            (figure(html! { "Latency" }, latency(name, scorer.latency.as_ref())))
            (part(html! { "Worst errors" }, worst::part(name, &scorer.worst, thumbnails)))
        }
    }
}

/// Tables, which may go on on the next page.
fn part(title: Markup, content: Markup) -> Markup {
    html! { section { h3 { (title) } (content) } }
}

/// What is printed on one page, with its title.
fn figure(title: Markup, content: Markup) -> Markup {
    html! { section.whole { h3 { (title) } (content) } }
}

fn latency(name: &str, latency: Option<&Latency>) -> Markup {
    let Some(latency) = latency else {
        return html! { p { "Not measured: all scores came from the cache." } };
    };
    let columns = [
        ("Median", latency.p50),
        ("90th percentile", latency.p90),
        ("95th percentile", latency.p95),
        ("99th percentile", latency.p99),
        ("Slowest", latency.max),
    ];
    let caption = format!("{name}: time from an image’s bytes to its score");
    cells::table(
        &caption,
        html! {
            thead {
                tr {
                    th scope="col" { "Images timed" }
                    @for (name, _) in columns { th scope="col" { (name) } }
                }
            }
            tbody {
                tr {
                    td { (count(latency.images)) }
                    @for (_, value) in columns { td { (milliseconds(value)) } }
                }
            }
        },
    )
}
