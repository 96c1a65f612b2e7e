//! The detection error trade-off: what fewer attacks accepted cost in bona fide presentations
//! turned away, for all scorers in one plot.

use maud::{Markup, html};

use super::at_default;
use super::format::{number, percent};
use super::plot::{Frame, Scale, Series, Ticks, px, svg};
use super::simplify::simplify;
use crate::evaluation::ScorerReport;

const WIDTH: f64 = 490.0;
const HEIGHT: f64 = 478.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 476.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 436.0;
const TICKS: [f64; 13] = [
    0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99,
];
/// Both axes start here: a rate of 0 has no place on such an axis.
const LOW: f64 = 0.001;
/// Where they may end. The first is the usual one; a poor detector needs another.
const HIGHS: [f64; 3] = [0.6, 0.9, 0.99];
/// Pixels that a simplified curve may be off.
const TOLERANCE: f64 = 0.3;
/// Room that a letter beside a marker takes.
const LETTER: f64 = 13.0;

pub(super) fn section(scorers: &[ScorerReport]) -> Markup {
    html! {
        section.whole #det {
            h2 { "DET curves" }
            figure {
                (plot(scorers))
                figcaption {
                    p {
                        "Each curve shows a scorer at every threshold: nearer to the lower left \
                         corner is better. APCER is over all attacks, whatever their species."
                    }
                    ul.legend {
                        @for (nth, scorer) in scorers.iter().enumerate() {
                            li {
                                (Series::nth(nth).swatch())
                                span { b { (letter(nth)) } " " (scorer.scorer.name) (at(scorer)) }
                            }
                        }
                    }
                    p {
                        "A marker is the operating point at the default threshold. The dotted \
                         diagonal is where both rates are equal: a curve crosses it at its D-EER. \
                         The axes are those of normal deviates; 0 % lies on their edge at 0.1 %, \
                         and curves leave the plot at their other end."
                    }
                }
            }
        }
    }
}

fn at(scorer: &ScorerReport) -> Markup {
    html! {
        @if let Some(point) = at_default(scorer) {
            small {
                "at " (number(point.threshold)) ": APCER " (percent(point.apcer_pooled.value))
                ", BPCER " (percent(point.bpcer.value))
            }
        }
    }
}

fn plot(scorers: &[ScorerReport]) -> Markup {
    let points: Vec<Option<(f64, f64)>> = scorers.iter().map(operating_point).collect();
    let high = high(scorers, &points);
    let frame = Frame {
        x: Scale::probit((LOW, high), (LEFT, RIGHT)),
        y: Scale::probit((LOW, high), (BOTTOM, TOP)),
    };
    let ticks: Vec<f64> = TICKS.into_iter().filter(|&tick| tick <= high).collect();
    let axis = |title| Ticks {
        at: &ticks,
        label: |tick| number(100.0 * tick),
        title,
    };
    let x = axis("APCER: attacks taken for bona fide, %");
    let y = axis("BPCER: bona fide taken for attacks, %");
    let label = format!(
        "DET curves of {}: BPCER by APCER; the figures are in the tables.",
        scorers
            .iter()
            .map(|scorer| scorer.scorer.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    );
    let content = html! {
        (frame.axes(&x, &y))
        line.diagonal x1=(px(LEFT)) y1=(px(BOTTOM)) x2=(px(RIGHT)) y2=(px(TOP)) {}
        text.tick transform={ "translate(" (px(LEFT + 22.0)) " " (px(BOTTOM - 30.0)) ") rotate(-45)" } {
            "APCER = BPCER"
        }
        @for (nth, scorer) in scorers.iter().enumerate() {
            (Series::nth(nth).line(&curve(scorer, &frame)))
        }
        (markers(scorers, &points, &frame))
    };
    svg(WIDTH, HEIGHT, &label, content)
}

/// Attacks pooled, so that the marker lies on the curve.
fn operating_point(scorer: &ScorerReport) -> Option<(f64, f64)> {
    let point = at_default(scorer)?;
    point.apcer_pooled.value.zip(point.bpcer.value)
}

/// The lowest end at which every operating point and every D-EER is on the plot.
fn high(scorers: &[ScorerReport], points: &[Option<(f64, f64)>]) -> f64 {
    let rates = points.iter().flatten().flat_map(|&(x, y)| [x, y]);
    let highest = rates
        .chain(scorers.iter().filter_map(|scorer| scorer.d_eer.value))
        .fold(0.0, f64::max);
    let [usual, more, most] = HIGHS;
    match highest {
        highest if highest <= usual => usual,
        highest if highest <= more => more,
        _ => most,
    }
}

/// A curve in pixels, ends that run along the plot's edge left out but for their beginning.
fn curve(scorer: &ScorerReport, frame: &Frame) -> Vec<(f64, f64)> {
    let points = scorer.det.iter();
    let points: Vec<(f64, f64)> = points
        .map(|point| frame.at((point.apcer, point.bpcer)))
        .collect();
    let inside = |&(x, y): &(f64, f64)| x < RIGHT && y > TOP;
    let first = points.iter().position(inside).unwrap_or(0);
    let last = points.iter().rposition(inside).unwrap_or(0);
    let end = (last + 2).min(points.len());
    simplify(&points[first.saturating_sub(1)..end], TOLERANCE)
}

/// The operating points' markers, each with its letter where it hides nothing, if there is such a
/// place.
fn markers(scorers: &[ScorerReport], points: &[Option<(f64, f64)>], frame: &Frame) -> Markup {
    let at = points.iter().map(|point| point.map(|at| frame.at(at)));
    let at: Vec<Option<(f64, f64)>> = at.collect();
    let mut taken: Vec<(f64, f64)> = at.iter().flatten().copied().collect();
    let mut letters = Vec::new();
    for (nth, &at) in at.iter().enumerate() {
        if let Some(at) = at {
            let place = free_place(at, &taken);
            taken.push(place);
            letters.push((nth, at, place));
        }
    }
    html! {
        @for (nth, at, _) in &letters {
            (Series::nth(*nth).marker(*at, &scorers[*nth].scorer.name))
        }
        @for (nth, _, (x, y)) in &letters {
            text.letter x=(px(*x)) y=(px(y + 4.5)) text-anchor="middle" { (letter(*nth)) }
        }
    }
}

fn free_place((x, y): (f64, f64), taken: &[(f64, f64)]) -> (f64, f64) {
    let places = [(1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0)];
    let mut places = places
        .map(|(right, down)| (x + LETTER * right, y + LETTER * down))
        .into_iter();
    let free = |place: &(f64, f64)| {
        (LEFT..RIGHT).contains(&place.0)
            && (TOP..BOTTOM).contains(&place.1)
            && taken
                .iter()
                .all(|other| (place.0 - other.0).hypot(place.1 - other.1) > LETTER)
    };
    places.find(free).unwrap_or((x + LETTER, y - LETTER))
}

/// `A`, `B`, and numbers after `Z`.
fn letter(nth: usize) -> String {
    match u8::try_from(nth) {
        Ok(small) if small < 26 => char::from(b'A' + small).to_string(),
        _ => (nth + 1).to_string(),
    }
}
