//! How scores are distributed: one row for bona fide presentations and one for each species, over
//! the same scores.

use maud::{Markup, html};

use super::format::{count, counted, number};
use super::plot::{Scale, px, svg};
use crate::evaluation::Histogram;

const WIDTH: f64 = 500.0;
const LEFT: f64 = 14.0;
const RIGHT: f64 = 486.0;
/// A row's name stands above its bars.
const NAME: f64 = 25.0;
/// The height that the bars of all rows share, and what a row gets of it at least and at most.
const BARS: f64 = 420.0;
const ROW: (f64, f64) = (26.0, 64.0);
/// Marks, their labels and the axis' title.
const AXIS: f64 = 44.0;
/// So that the bar of a single presentation is seen.
const LOWEST_BAR: f64 = 1.5;
/// Letters of a species' name that fit above its bars.
const LETTERS: usize = 34;

/// One row.
struct Row<'a> {
    name: &'a str,
    counts: &'a [usize],
    /// Whether a score above the threshold is an error.
    attack: bool,
}

pub(super) fn part(name: &str, histogram: Option<&Histogram>, threshold: Option<f64>) -> Markup {
    let Some(histogram) = histogram else {
        return html! {
            p { "No histogram: some scores lie outside 0 to 1." }
        };
    };
    let mut rows = vec![Row {
        name: "bona fide",
        counts: &histogram.bona_fide,
        attack: false,
    }];
    rows.extend(histogram.attacks.iter().map(|species| Row {
        name: &species.species,
        counts: &species.counts,
        attack: true,
    }));
    html! {
        figure {
            (plot(name, &rows, threshold))
            figcaption {
                p {
                    "Scores of bona fide presentations and of each species. A bar’s height is the "
                    strong { "square root" }
                    " of its count, so that rare errors stay visible; each row is scaled to its \
                     own highest bar."
                }
                @if let Some(threshold) = threshold {
                    p {
                        "The dashed line is the default threshold " (number(threshold)) ". "
                        span.key.wrong {} " Dark bars are on the wrong side of it, "
                        span.key.right {} " light ones on the right side."
                    }
                }
            }
        }
    }
}

fn plot(name: &str, rows: &[Row], threshold: Option<f64>) -> Markup {
    let (least, most) = ROW;
    let bars = (BARS / rows.len().max(1) as f64).max(least).min(most);
    let bottom = rows.len() as f64 * (NAME + bars);
    let x = Scale::linear((0.0, 1.0), (LEFT, RIGHT));
    let label = format!("{name}: histograms of scores from 0 to 1, one for each class and species");
    let content = html! {
        @for tick in 0..=5 {
            @let share = f64::from(tick) / 5.0;
            @let at = px(x.at(share));
            line.grid x1=(at) x2=(at) y1=(px(NAME)) y2=(px(bottom + 5.0)) {}
            text.tick x=(at) y=(px(bottom + 18.0)) text-anchor="middle" { (number(share)) }
        }
        @for (nth, row) in rows.iter().enumerate() {
            @let base = (nth + 1) as f64 * (NAME + bars);
            (self::row(row, (base, bars), &x, threshold))
        }
        text.axis x=(px((LEFT + RIGHT) / 2.0)) y=(px(bottom + 37.0)) text-anchor="middle" {
            "Score"
        }
    };
    svg(WIDTH, bottom + AXIS, &label, content)
}

fn row(row: &Row, (base, height): (f64, f64), x: &Scale, threshold: Option<f64>) -> Markup {
    let bins = row.counts.len().max(1) as f64;
    let most = row.counts.iter().copied().max().unwrap_or(0);
    let scored: usize = row.counts.iter().sum();
    let y = Scale::linear((0.0, (most.max(1) as f64).sqrt()), (base, base - height));
    html! {
        text.row x=(px(LEFT)) y=(px(base - height - 6.0)) {
            (shortened(row.name)) tspan.muted {
                ", " (counted(scored, "score")) ", up to " (count(most)) " in a bar"
            }
            title { (row.name) }
        }
        @for (nth, &presentations) in row.counts.iter().enumerate() {
            @if presentations > 0 {
                @let (low, high) = (nth as f64 / bins, (nth + 1) as f64 / bins);
                @let wrong = threshold.is_some_and(|threshold| {
                    ((low + high) / 2.0 > threshold) == row.attack
                });
                @let top = y.at((presentations as f64).sqrt()).min(base - LOWEST_BAR);
                rect.bar.wrong[wrong] x=(px(x.at(low) + 0.5)) y=(px(top))
                    width=(px((x.at(high) - x.at(low) - 1.0).max(1.0))) height=(px(base - top)) {
                    title { (number(low)) " to " (number(high)) ": " (count(presentations)) }
                }
            }
        }
        @if let Some(threshold) = threshold {
            @let at = px(x.at(threshold));
            line.threshold x1=(at) x2=(at) y1=(px(base - height)) y2=(px(base)) {}
        }
        line.base x1=(px(LEFT)) x2=(px(RIGHT)) y1=(px(base)) y2=(px(base)) {}
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(LETTERS - 1).collect();
    short.push('…');
    short
}
