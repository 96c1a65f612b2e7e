//! What plots share: scales, axes, and a style for each line that is told by its dashes and its
//! marker as well as by its colour, for grey prints and colour-blind readers.

use std::f64::consts::SQRT_2;
use std::fmt::Write;

use maud::{Markup, html};
use statrs::function::erf::erf_inv;

use super::format::number;

/// Okabe and Ito's palette without its yellow, which white paper swallows.
const COLOURS: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#000000", "#cc79a7", "#56b4e9", "#e69f00",
];
const DASHES: [&str; 7] = [
    "none",
    "8 4",
    "2 3",
    "10 3 2 3",
    "14 4",
    "5 2 1 2 1 2",
    "1 5",
];
const FIFTHS: [f64; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
/// Outlines around 0, 0.
const MARKERS: [&str; 6] = [
    "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0Z",
    "M-4.5,-4.5H4.5V4.5H-4.5Z",
    "M0,-6L5.5,4.5H-5.5Z",
    "M0,-6.5L6,0L0,6.5L-6,0Z",
    "M0,6L5.5,-4.5H-5.5Z",
    "M-2,-5.5H2V-2H5.5V2H2V5.5H-2V2H-5.5V-2H-2Z",
];

/// How a scale stretches its values.
#[derive(Debug, Clone, Copy)]
enum Stretch {
    Linear,
    /// By the quantiles of the normal distribution: the axes of a DET curve.
    Probit,
}

/// From values to pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    stretch: Stretch,
    values: (f64, f64),
    pixels: (f64, f64),
}

impl Scale {
    pub(super) fn linear(values: (f64, f64), pixels: (f64, f64)) -> Scale {
        Scale {
            stretch: Stretch::Linear,
            values,
            pixels,
        }
    }

    /// `values` are shares, neither 0 nor 1.
    pub(super) fn probit(values: (f64, f64), pixels: (f64, f64)) -> Scale {
        Scale {
            stretch: Stretch::Probit,
            values,
            pixels,
        }
    }

    /// Where a value lies; one outside the scale, at its end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.values;
        let (from, to) = self.pixels;
        let part = self.stretched(value.max(low).min(high)) - self.stretched(low);
        from + (to - from) * part / (self.stretched(high) - self.stretched(low))
    }

    fn stretched(&self, value: f64) -> f64 {
        match self.stretch {
            Stretch::Linear => value,
            Stretch::Probit => SQRT_2 * erf_inv(2.0 * value - 1.0),
        }
    }
}

/// The marks along an axis, and what it is of.
pub(super) struct Ticks<'a> {
    pub(super) at: &'a [f64],
    pub(super) label: fn(f64) -> String,
    pub(super) title: &'a str,
}

impl<'a> Ticks<'a> {
    /// From 0 to 1.
    pub(super) fn shares(title: &'a str) -> Ticks<'a> {
        Ticks {
            at: &FIFTHS,
            label: number,
            title,
        }
    }

    /// From 0 to 100 %.
    pub(super) fn percents(title: &'a str) -> Ticks<'a> {
        Ticks {
            label: |tick| number(100.0 * tick),
            ..Ticks::shares(title)
        }
    }
}

/// Two axes around a plot.
pub(super) struct Frame {
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl Frame {
    /// Grid, marks and titles. The pixels around the frame that they take: 50 to the left, 42
    /// below, 10 above and 14 to the right.
    pub(super) fn axes(&self, x: &Ticks, y: &Ticks) -> Markup {
        let (left, right) = self.x.pixels;
        let (bottom, top) = self.y.pixels;
        let middle = (top + bottom) / 2.0;
        html! {
            @for &tick in x.at {
                @let at = px(self.x.at(tick));
                line.grid x1=(at) x2=(at) y1=(px(top)) y2=(px(bottom)) {}
                text.tick x=(at) y=(px(bottom + 16.0)) text-anchor="middle" { ((x.label)(tick)) }
            }
            @for &tick in y.at {
                @let at = self.y.at(tick);
                line.grid x1=(px(left)) x2=(px(right)) y1=(px(at)) y2=(px(at)) {}
                text.tick x=(px(left - 6.0)) y=(px(at + 4.0)) text-anchor="end" {
                    ((y.label)(tick))
                }
            }
            rect.frame x=(px(left)) y=(px(top)) width=(px(right - left))
                height=(px(bottom - top)) {}
            text.axis x=(px((left + right) / 2.0)) y=(px(bottom + 36.0)) text-anchor="middle" {
                (x.title)
            }
            text.axis text-anchor="middle"
                transform={ "translate(" (px(left - 38.0)) " " (px(middle)) ") rotate(-90)" } {
                (y.title)
            }
        }
    }

    /// Where a point lies.
    pub(super) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x.at(x), self.y.at(y))
    }

    /// A vertical line at a threshold.
    pub(super) fn threshold(&self, threshold: f64) -> Markup {
        let (bottom, top) = self.y.pixels;
        let at = px(self.x.at(threshold));
        html! { line.threshold x1=(at) x2=(at) y1=(px(top)) y2=(px(bottom)) {} }
    }
}

/// How the line of a series is told from others'.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series {
    colour: &'static str,
    dash: &'static str,
    marker: &'static str,
}

impl Series {
    pub(super) fn nth(nth: usize) -> Series {
        Series {
            colour: COLOURS[nth % COLOURS.len()],
            dash: DASHES[nth % DASHES.len()],
            marker: MARKERS[nth % MARKERS.len()],
        }
    }

    /// A line through points given in pixels.
    pub(super) fn line(&self, points: &[(f64, f64)]) -> Markup {
        html! {
            path.line d=(path(points)) stroke=(self.colour) stroke-dasharray=(self.dash) {}
        }
    }

    /// The series' marker; whoever points at it is told `title`.
    pub(super) fn marker(&self, (x, y): (f64, f64), title: &str) -> Markup {
        html! {
            path.marker d=(self.marker) fill=(self.colour)
                transform={ "translate(" (px(x)) " " (px(y)) ")" } {
                title { (title) }
            }
        }
    }

    /// For the legend.
    pub(super) fn swatch(&self) -> Markup {
        html! {
            svg.swatch width="52" height="16" viewBox="0 0 52 16" aria-hidden="true" {
                (self.line(&[(1.0, 8.0), (51.0, 8.0)]))
                path.marker d=(self.marker) fill=(self.colour) transform="translate(26 8)" {}
            }
        }
    }
}

/// A picture that shrinks with the screen; `label` tells what it shows to who cannot see it.
pub(super) fn svg(width: f64, height: f64, label: &str, content: Markup) -> Markup {
    html! {
        svg width=(px(width)) height=(px(height))
            viewBox={ "0 0 " (px(width)) " " (px(height)) } role="img" aria-label=(label) {
            (content)
        }
    }
}

/// A tenth of a pixel is finer than any printer shows, and keeps the file small.
pub(super) fn px(pixels: f64) -> String {
    let text = format!("{pixels:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (nth, &(x, y)) in points.iter().enumerate() {
        let step = if nth == 0 { 'M' } else { 'L' };
        // Writing to a string does not fail.
        let _ = write!(path, "{step}{},{}", px(x), px(y));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_in_the_middle_of_a_symmetric_probit_scale() {
        let scale = Scale::probit((0.001, 0.999), (0.0, 400.0));
        assert!((scale.at(0.5) - 200.0).abs() < 1e-9);
        assert!((scale.at(0.1) + scale.at(0.9) - 400.0).abs() < 1e-6);
        // The quantile of 97.7 % is 1.9954, that of 99.9 % 3.0902.
        assert!((scale.at(0.977) - 200.0 * (1.0 + 1.9954 / 3.0902)).abs() < 0.01);
    }

    #[test]
    fn a_probit_scale_rises_and_ends_where_the_plot_ends() {
        let scale = Scale::probit((0.001, 0.6), (0.0, 400.0));
        let shares: Vec<f64> = (1..=600)
            .map(|nth| scale.at(f64::from(nth) / 1e3))
            .collect();
        assert!(shares.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(scale.at(0.0), 0.0);
        assert_eq!(scale.at(1.0), 400.0);
        assert_eq!(scale.at(f64::NAN), 0.0);
    }

    #[test]
    fn no_two_of_many_series_look_alike() {
        let looks: std::collections::BTreeSet<String> = (0..COLOURS.len() * MARKERS.len())
            .map(|nth| format!("{:?}", Series::nth(nth)))
            .collect();
        assert_eq!(looks.len(), COLOURS.len() * MARKERS.len());
    }
}
