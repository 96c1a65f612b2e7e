//! Error rates at a scorer's operating points.

use maud::{Markup, html};

use super::cells::{columns, rate, table};
use super::format::{number, percent};
use crate::evaluation::{OperatingPoint, Rate, ScorerReport, ThresholdOrigin};

/// Operating points beside each other on a printed page.
const MOST_COLUMNS: usize = 5;

/// A rate that is not a species', what its name does not say, and where it is.
type Row = (&'static str, &'static str, fn(&OperatingPoint) -> &Rate);

pub(super) fn part(scorer: &ScorerReport) -> Markup {
    let points = &scorer.operating_points;
    let own = points
        .iter()
        .any(|point| point.origin == ThresholdOrigin::DEer);
    html! {
        @for points in points.chunks(columns(points.len(), MOST_COLUMNS)) {
            (rates(&scorer.scorer.name, points))
        }
        @if own {
            p.note {
                "The D-EER’s threshold is chosen on these very data; on others, its error rates \
                 are likely to be higher."
            }
        }
    }
}

fn rates(name: &str, points: &[OperatingPoint]) -> Markup {
    let caption = format!("{name}: error rates at its operating points");
    let species = points.first().map_or(&[][..], |first| &first.apcer);
    let rest: [Row; 4] = [
        (
            "APCER, all attacks pooled",
            "not the standard’s",
            |point| &point.apcer_pooled,
        ),
        ("BPCER", "", |point| &point.bpcer),
        (
            "Attacks accepted",
            "of all, with or without a score",
            |point| &point.attacks_accepted,
        ),
        (
            "Bona fide turned away",
            "of all, for their score or for want of one",
            |point| &point.bona_fide_turned_away,
        ),
    ];
    table(
        &caption,
        html! {
            thead {
                tr {
                    th scope="col" { "Threshold" }
                    @for point in points {
                        th scope="col" {
                            (number(point.threshold)) small { (origin(point.origin)) }
                        }
                    }
                }
            }
            tbody {
                @for (nth, of) in species.iter().enumerate() {
                    tr {
                        th scope="row" { "APCER, " em { (of.species) } }
                        @for point in points { (apcer(point, nth)) }
                    }
                }
                @for (name, note, of) in rest {
                    tr {
                        th scope="row" {
                            (name)
                            @if !note.is_empty() { small { (note) } }
                        }
                        @for point in points { td { (rate(of(point))) } }
                    }
                    @if name == "BPCER" {
                        tr {
                            th scope="row" { "ACER" small { "the literature’s, not the standard’s" } }
                            @for point in points { td { (percent(point.acer)) } }
                        }
                    }
                }
            }
        },
    )
}

/// The cell of a species, marked where it is the highest one.
fn apcer(point: &OperatingPoint, nth: usize) -> Markup {
    let Some(of) = point.apcer.get(nth) else {
        return html! { td {} };
    };
    let marked = point.apcer_max.as_ref().is_some_and(|highest| {
        highest.rate.errors > 0 && point.apcer.len() > 1 && highest.species == of.species
    });
    html! {
        td.marked[marked] {
            (rate(&of.rate))
            @if marked { small.mark { "highest" } }
        }
    }
}

/// Where a threshold comes from.
pub(super) fn origin(origin: ThresholdOrigin) -> &'static str {
    match origin {
        ThresholdOrigin::Default => "default",
        ThresholdOrigin::Given => "given",
        ThresholdOrigin::DEer => "D-EER’s",
    }
}
