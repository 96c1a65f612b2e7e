//! Error rates at evenly spaced thresholds.

use maud::{Markup, html};

use super::cells::table;
use super::format::{number, percent};
use super::plot::{Frame, Scale, Series, Ticks, svg};
use crate::evaluation::ThresholdRow;

const WIDTH: f64 = 430.0;
const HEIGHT: f64 = 330.0;

/// A column of the table, and a line of the plot.
type Column = (&'static str, &'static str, fn(&ThresholdRow) -> Option<f64>);
const COLUMNS: [Column; 3] = [
    ("APCER", "highest species", |row| row.apcer_max),
    ("APCER", "all attacks pooled", |row| row.apcer_pooled),
    ("BPCER", "", |row| row.bpcer),
];

pub(super) fn part(name: &str, rows: &[ThresholdRow], threshold: Option<f64>) -> Markup {
    if rows.is_empty() {
        return html! { p { "There are none." } };
    }
    html! {
        div.side {
            figure.stacked {
                (plot(name, rows, threshold))
                figcaption {
                    ul.legend {
                        @for (nth, (rate, of, _)) in COLUMNS.iter().enumerate() {
                            li { (Series::nth(nth).swatch()) span { (rate) " " small { (of) } } }
                        }
                    }
                    @if let Some(threshold) = threshold {
                        p {
                            "The dashed vertical line is the default threshold "
                            (number(threshold)) "."
                        }
                    }
                }
            }
            (figures(name, rows))
        }
    }
}

fn plot(name: &str, rows: &[ThresholdRow], threshold: Option<f64>) -> Markup {
    let frame = Frame {
        x: Scale::linear((0.0, 1.0), (50.0, WIDTH - 14.0)),
        y: Scale::linear((0.0, 1.0), (HEIGHT - 42.0, 10.0)),
    };
    let x = Ticks::shares("Threshold");
    let y = Ticks::percents("Error rate, %");
    let label = format!("{name}: APCER and BPCER by threshold, as in the table beside");
    let content = html! {
        (frame.axes(&x, &y))
        @if let Some(threshold) = threshold { (frame.threshold(threshold)) }
        @for (nth, (rate, _, value)) in COLUMNS.iter().enumerate() {
            @let known = rows.iter().filter_map(|row| Some((row.threshold, value(row)?)));
            @let points: Vec<(f64, f64)> = known.collect();
            @let pixels: Vec<(f64, f64)> = points.iter().map(|&at| frame.at(at)).collect();
            (Series::nth(nth).line(&pixels))
            // Every third one, starting apart, so that coinciding lines are told apart.
            @for (point, &at) in points.iter().zip(&pixels).skip(nth).step_by(3) {
                (Series::nth(nth).marker(at, &format!(
                    "{rate} at {}: {}", number(point.0), percent(Some(point.1))
                )))
            }
        }
    };
    svg(WIDTH, HEIGHT, &label, content)
}

fn figures(name: &str, rows: &[ThresholdRow]) -> Markup {
    let caption = format!("{name}: error rates by threshold");
    let body = html! {
        thead {
            tr {
                th scope="col" { "Threshold" }
                @for (rate, of, _) in COLUMNS { th scope="col" { (rate) small { (of) } } }
            }
        }
        tbody {
            @for row in rows {
                tr {
                    th scope="row" { (format!("{:.2}", row.threshold)) }
                    @for (_, _, value) in COLUMNS { td { (percent(value(row))) } }
                }
            }
        }
    };
    html! { div.dense { (table(&caption, body)) } }
}
