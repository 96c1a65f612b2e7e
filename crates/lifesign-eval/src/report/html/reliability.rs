//! The reliability diagram: whether, of presentations with a score of 0.8, 80 % are bona fide.

use maud::{Markup, html};

use super::format::{count, four_decimals, number, percent};
use super::plot::{Frame, Scale, Series, Ticks, px, svg};
use crate::evaluation::{CalibrationFigures, ReliabilityBin};

const SIDE: f64 = 376.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 10.0;
/// Above it the axis' own labels, below it the bins' sizes.
const SIZES: f64 = 52.0;

pub(super) fn part(name: &str, calibration: Option<&CalibrationFigures>) -> Markup {
    let Some(calibration) = calibration else {
        return html! {
            p { "Scores outside 0 to 1 are no probabilities: there is nothing to calibrate." }
        };
    };
    html! {
        figure {
            (plot(name, &calibration.bins))
            figcaption {
                p {
                    "Brier score " strong { (four_decimals(Some(calibration.brier))) }
                    ", expected calibration error " strong { (four_decimals(Some(calibration.ece))) } "."
                }
                p {
                    "Each marker is one bin of scores: its mean score, and the share of bona fide \
                     presentations in it, with the share’s interval. Of scores that are \
                     probabilities, all lie on the dotted diagonal. Below the plot, the number of \
                     presentations in each bin."
                }
                p {
                    "It holds for the mix of these data, " (percent(Some(calibration.bona_fide_share)))
                    " bona fide, and for no other."
                }
            }
        }
    }
}

fn plot(name: &str, bins: &[ReliabilityBin]) -> Markup {
    let (right, bottom) = (LEFT + SIDE, TOP + SIDE);
    let frame = Frame {
        x: Scale::linear((0.0, 1.0), (LEFT, right)),
        y: Scale::linear((0.0, 1.0), (bottom, TOP)),
    };
    let x = Ticks::shares("Mean score");
    let y = Ticks::percents("Bona fide, %");
    let label = format!("{name}: share of bona fide presentations by score");
    let content = html! {
        (frame.axes(&x, &y))
        line.diagonal x1=(px(LEFT)) y1=(px(bottom)) x2=(px(right)) y2=(px(TOP)) {}
        @for bin in bins {
            @let middle = frame.x.at((bin.low + bin.high) / 2.0);
            text.size x=(px(middle)) y=(px(bottom + SIZES)) text-anchor="middle" {
                (count(bin.presentations))
            }
            (marker(bin, &frame))
        }
        text.size x=(px(LEFT - 6.0)) y=(px(bottom + SIZES)) text-anchor="end" { "n" }
    };
    svg(right + 14.0, bottom + SIZES + 8.0, &label, content)
}

fn marker(bin: &ReliabilityBin, frame: &Frame) -> Markup {
    let Some((score, share)) = bin.mean_score.zip(bin.bona_fide.value) else {
        return html! {};
    };
    let at = frame.at((score, share));
    let title = format!(
        "{} to {}: mean score {}, {} of {} bona fide",
        number(bin.low),
        number(bin.high),
        number(score),
        count(bin.bona_fide.errors),
        count(bin.bona_fide.presentations),
    );
    html! {
        @if let Some((low, high)) = bin.bona_fide.low.zip(bin.bona_fide.high) {
            @let (low, high) = (frame.y.at(low), frame.y.at(high));
            line.whisker x1=(px(at.0)) x2=(px(at.0)) y1=(px(low)) y2=(px(high)) {}
            @for end in [low, high] {
                line.whisker x1=(px(at.0 - 4.0)) x2=(px(at.0 + 4.0)) y1=(px(end)) y2=(px(end)) {}
            }
        }
        (Series::nth(0).marker(at, &title))
    }
}
