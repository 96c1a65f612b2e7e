//! The report as one self-contained HTML file: nothing in it is loaded from anywhere, so that it
//! can be filed, mailed and printed, and reads the same in ten years.

mod cells;
mod comparison;
mod det;
#[cfg(test)]
pub(crate) mod fixture;
mod format;
mod glossary;
mod groups;
mod histogram;
mod limits;
mod method;
mod non_responses;
mod operating;
mod plot;
mod reliability;
mod scorer;
mod simplify;
mod species;
mod thresholds;
mod unreadable;
mod verdict;
mod worst;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::evaluation::{Data, Evaluation, OperatingPoint, ScorerReport, ThresholdOrigin};
use format::{count, counted, date};

const STYLE: &str = include_str!("html/style.css");
/// Should a name ever slip through unescaped, the browser still loads and runs nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
/// With more species than this, the line about the data only counts them.
const SPECIES_NAMED: usize = 6;

/// The report as one self-contained HTML file. `thumbnails` maps an image, as the manifest names
/// it, to a `data:` URL.
pub fn page(evaluation: &Evaluation, thumbnails: &BTreeMap<String, String>) -> String {
    let scorers = &evaluation.scorers;
    let title = format!(
        "Face liveness evaluation, {}, {}",
        evaluation.data.manifest,
        date(&evaluation.made.at)
    );
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(evaluation))
                main {
                    (verdict::section(evaluation))
                    (comparison::section(evaluation))
                    (det::section(scorers))
                    @for (nth, scorer) in scorers.iter().enumerate() {
                        (scorer::section(&scorer_id(nth), scorer, evaluation, thumbnails))
                    }
                    (unreadable::section(&evaluation.unreadable))
                    (glossary::section(evaluation))
                    (method::section(evaluation))
                }
            }
        }
    }
    .into_string()
}

fn header(evaluation: &Evaluation) -> Markup {
    let made = &evaluation.made;
    html! {
        header {
            h1 { "Face liveness evaluation" }
            p.facts {
                time datetime=(made.at) { (date(&made.at)) }
                " · manifest " code { (evaluation.data.manifest) }
                " · by ISO/IEC 30107-3"
            }
            p.facts { (size(&evaluation.data)) }
            (unreadable::notice(&evaluation.unreadable))
            (contents(evaluation))
        }
    }
}

/// The size of the data in one line.
fn size(data: &Data) -> String {
    let mut line = format!(
        "{}: {} bona fide and {}",
        counted(data.bona_fide + data.attacks, "presentation"),
        count(data.bona_fide),
        counted(data.attacks, "attack"),
    );
    match data.species.as_slice() {
        [] => {}
        [only] => line += &format!(" of the species {}", only.species),
        some if some.len() <= SPECIES_NAMED => {
            let named = some
                .iter()
                .map(|s| format!("{} {}", s.species, count(s.presentations)));
            let named: Vec<String> = named.collect();
            line += &format!(" of {} species ({})", some.len(), named.join(", "));
        }
        many => line += &format!(" of {} species", many.len()),
    }
    for (how_many, what) in [(data.sources, "source"), (data.subjects, "subject")] {
        if let Some(how_many) = how_many {
            line += &format!(", {}", counted(how_many, what));
        }
    }
    line
}

fn contents(evaluation: &Evaluation) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                li { a href="#verdict" { "Verdict" } }
                li { a href="#side-by-side" { "Side by side" } }
                li { a href="#det" { "DET curves" } }
                @for (nth, scorer) in evaluation.scorers.iter().enumerate() {
                    li { a href={ "#" (scorer_id(nth)) } { (scorer.scorer.name) } }
                }
                @if !evaluation.unreadable.is_empty() {
                    li { a href="#unreadable" { "Unreadable images" } }
                }
                li { a href="#reading" { "How to read it" } }
                li { a href="#method" { "How it was made" } }
            }
        }
    }
}

/// Not made from the name: two scorers may share one, and it may hold anything.
fn scorer_id(nth: usize) -> String {
    format!("scorer-{}", nth + 1)
}

/// The operating point at the service's default threshold.
fn at_default(scorer: &ScorerReport) -> Option<&OperatingPoint> {
    let points = &scorer.operating_points;
    points
        .iter()
        .find(|point| point.origin == ThresholdOrigin::Default)
}

#[cfg(test)]
mod tests;
