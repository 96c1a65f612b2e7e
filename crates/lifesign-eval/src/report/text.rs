//! The tables of a terminal, which are Markdown, so that they can be pasted into a document.

use std::fmt::Write as _;

use crate::evaluation::{
    AtLimit, Estimate, Evaluation, GroupRow, NonResponseRule, OperatingPoint, Rate, ScorerReport,
    SpeciesRate, ThresholdOrigin,
};
use crate::metrics::LIMITS;

/// The evaluation as Markdown.
pub fn markdown(evaluation: &Evaluation) -> String {
    let mut text = format!("{}\n", presentations(evaluation));
    let mut table = |title: &str, rows: Vec<Vec<String>>| {
        let _ = write!(text, "\n{title}\n\n{}", aligned(&rows));
    };
    table(&intervals(evaluation), overview(evaluation));
    for (nth, point) in first(evaluation).iter().enumerate() {
        if point.origin != ThresholdOrigin::DEer {
            let title = format!("At threshold {}, per cent:", point.threshold);
            table(&title, at_threshold(evaluation, nth));
        }
    }
    table(
        "At each scorer's own D-EER threshold, per cent:",
        at_d_eer(evaluation),
    );
    if let Some(by) = &evaluation.settings.group_by {
        let title = format!("D-EER by {by}, per cent:");
        table(&title, by_group(evaluation));
        let threshold = first(evaluation).first().map_or(0.0, |at| at.threshold);
        let title =
            format!("APCER (all attacks) / BPCER at threshold {threshold} by {by}, per cent:");
        table(&title, rates_by_group(evaluation));
    }
    table(
        "APCER (all attacks) / BPCER by threshold, per cent:",
        by_threshold(evaluation),
    );
    text
}

fn presentations(evaluation: &Evaluation) -> String {
    let data = &evaluation.data;
    let species = data
        .species
        .iter()
        .map(|species| format!("{} {}", species.presentations, species.species));
    let species: Vec<String> = species.collect();
    let sources = data
        .sources
        .map_or(String::new(), |sources| format!(", {sources} sources"));
    let unreadable = match evaluation.unreadable.len() {
        0 => String::new(),
        count => format!(", {count} images could not be read and are in no figure"),
    };
    let rule = match evaluation.settings.non_response {
        NonResponseRule::Apart => "",
        NonResponseRule::Attack => "; a non-response counts as an attack",
    };
    format!(
        "{} bona fide and {} attack presentations ({}){sources}{unreadable}{rule}.",
        data.bona_fide,
        data.attacks,
        species.join(", ")
    )
}

fn intervals(evaluation: &Evaluation) -> String {
    let bootstrap = &evaluation.settings.bootstrap;
    let (units, unit) = (bootstrap.units, &bootstrap.unit);
    format!(
        "Error rates in per cent, with 95 % intervals by bootstrap over {units} {unit}s; \"at\" is \
         at most:"
    )
}

/// The first scorer's operating points: all scorers have the same fixed ones.
fn first(evaluation: &Evaluation) -> &[OperatingPoint] {
    let report = evaluation.scorers.first();
    report.map_or(&[], |report| &report.operating_points)
}

fn head(evaluation: &Evaluation, first: &str) -> Vec<String> {
    let names = evaluation
        .scorers
        .iter()
        .map(|report| report.scorer.name.clone());
    std::iter::once(first.to_owned()).chain(names).collect()
}

/// A row with a cell for each scorer.
fn row(
    evaluation: &Evaluation,
    name: impl Into<String>,
    cell: impl Fn(&ScorerReport) -> String,
) -> Vec<String> {
    let cells = evaluation.scorers.iter().map(cell);
    std::iter::once(name.into()).chain(cells).collect()
}

fn overview(evaluation: &Evaluation) -> Vec<Vec<String>> {
    let row = |name: String, cell: &dyn Fn(&ScorerReport) -> String| row(evaluation, name, cell);
    let mut rows = vec![
        head(evaluation, ""),
        row("AUC".to_owned(), &|report| area(&report.auc)),
        row("D-EER".to_owned(), &|report| with_interval(&report.d_eer)),
    ];
    type Limits = fn(&ScorerReport) -> &[AtLimit];
    let limits: [(&str, Limits); 2] = [
        ("BPCER at APCER", |report| &report.bpcer_at_apcer),
        ("APCER at BPCER", |report| &report.apcer_at_bpcer),
    ];
    for (name, at) in limits {
        for (nth, limit) in LIMITS.into_iter().enumerate() {
            let name = format!("{name} {} %", (100.0 * limit).round());
            rows.push(row(name, &|report| with_interval(&at(report)[nth].rate)));
        }
    }
    if let Some(by) = &evaluation.settings.group_by {
        let name = format!("macro D-EER over {by}s of both classes");
        rows.push(row(name, &|report| {
            let groups = report.groups.as_ref();
            groups.map_or_else(dash, |groups| with_interval(&groups.macro_average.d_eer))
        }));
    }
    rows.push(row("BPNRR".to_owned(), &|report| counted(&report.bpnrr)));
    rows.push(row("APNRR of the worst species".to_owned(), &|report| {
        let worst = SpeciesRate::highest(&report.apnrr);
        worst.map_or_else(dash, |species| counted(&species.rate))
    }));
    rows.push(row("expected calibration error".to_owned(), &|report| {
        let calibration = report.calibration.as_ref();
        calibration.map_or_else(dash, |figures| percent(Some(figures.ece)))
    }));
    rows.push(row("median latency, ms".to_owned(), &|report| {
        let latency = report.latency.as_ref();
        latency.map_or_else(
            || "from cache".to_owned(),
            |times| format!("{:.1}", times.p50),
        )
    }));
    rows
}

fn at_threshold(evaluation: &Evaluation, nth: usize) -> Vec<Vec<String>> {
    let mut rows = vec![head(evaluation, "")];
    rows.extend(rates(evaluation, &|report| {
        report.operating_points.get(nth)
    }));
    rows
}

fn at_d_eer(evaluation: &Evaluation) -> Vec<Vec<String>> {
    let at = |report: &ScorerReport| -> Option<usize> {
        let points = &report.operating_points;
        points
            .iter()
            .position(|point| point.origin == ThresholdOrigin::DEer)
    };
    let mut rows = vec![head(evaluation, "")];
    rows.push(row(evaluation, "threshold", |report| {
        at(report).map_or_else(dash, |nth| {
            format!("{:.4}", report.operating_points[nth].threshold)
        })
    }));
    rows.extend(rates(evaluation, &|report| {
        at(report).map(|nth| &report.operating_points[nth])
    }));
    rows
}

/// Rows of error rates at the operating point that `at` picks.
fn rates(
    evaluation: &Evaluation,
    at: &dyn Fn(&ScorerReport) -> Option<&OperatingPoint>,
) -> Vec<Vec<String>> {
    let row = |name: String, cell: &dyn Fn(&OperatingPoint) -> String| {
        row(evaluation, name, |report| {
            at(report).map_or_else(dash, cell)
        })
    };
    let species = evaluation.data.species.iter().enumerate();
    let mut rows: Vec<Vec<String>> = species
        .map(|(nth, species)| {
            let cell = |point: &OperatingPoint| exact(&point.apcer[nth].rate);
            row(format!("APCER, {}", species.species), &cell)
        })
        .collect();
    let worst = |point: &OperatingPoint| {
        let worst = point.apcer_max.as_ref();
        worst.map_or_else(dash, |SpeciesRate { species, rate }| {
            format!("{} ({species})", percent(rate.value))
        })
    };
    rows.push(row("**highest APCER**".to_owned(), &worst));
    rows.push(row("APCER, all attacks".to_owned(), &|point| {
        exact(&point.apcer_pooled)
    }));
    rows.push(row("**BPCER**".to_owned(), &|point| exact(&point.bpcer)));
    rows.push(row("ACER (not the standard's)".to_owned(), &|point| {
        percent(point.acer)
    }));
    rows.push(row("attacks accepted, of all".to_owned(), &|point| {
        counted(&point.attacks_accepted)
    }));
    rows.push(row("bona fide turned away, of all".to_owned(), &|point| {
        counted(&point.bona_fide_turned_away)
    }));
    rows
}

/// The first scorer's groups: all scorers have the same.
fn groups(evaluation: &Evaluation) -> &[GroupRow] {
    let report = evaluation.scorers.first();
    let groups = report.and_then(|report| report.groups.as_ref());
    groups.map_or(&[], |groups| &groups.rows)
}

fn by_group(evaluation: &Evaluation) -> Vec<Vec<String>> {
    let mut rows = vec![head(evaluation, "")];
    for (nth, group) in groups(evaluation).iter().enumerate() {
        if group.d_eer.is_none() {
            continue; // one class only
        }
        rows.push(row(evaluation, &*group.group, |report| {
            let groups = report.groups.as_ref();
            percent(groups.and_then(|groups| groups.rows[nth].d_eer))
        }));
    }
    rows
}

/// At the first operating point, which is the default threshold.
fn rates_by_group(evaluation: &Evaluation) -> Vec<Vec<String>> {
    let mut rows = vec![head(evaluation, "")];
    for (nth, group) in groups(evaluation).iter().enumerate() {
        rows.push(row(evaluation, &*group.group, |report| {
            let groups = report.groups.as_ref();
            groups.map_or_else(dash, |groups| {
                let at = &groups.rows[nth].at[0];
                format!("{} / {}", percent(at.apcer.value), percent(at.bpcer.value))
            })
        }));
    }
    rows.push(row(evaluation, "mean, each counting alike", |report| {
        let groups = report.groups.as_ref();
        groups.map_or_else(dash, |groups| {
            let at = &groups.macro_average.at[0];
            format!("{} / {}", percent(at.apcer.value), percent(at.bpcer.value))
        })
    }));
    rows
}

fn by_threshold(evaluation: &Evaluation) -> Vec<Vec<String>> {
    let thresholds = evaluation.scorers.first();
    let thresholds = thresholds.map_or(&[][..], |report| &report.thresholds);
    let mut rows = vec![head(evaluation, "threshold")];
    for (nth, at) in thresholds.iter().enumerate() {
        rows.push(row(evaluation, format!("{:.2}", at.threshold), |report| {
            let at = &report.thresholds[nth];
            format!("{} / {}", percent(at.apcer_pooled), percent(at.bpcer))
        }));
    }
    rows
}

fn dash() -> String {
    "–".to_owned()
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(dash, |share| format!("{:.1}", 100.0 * share))
}

fn area(estimate: &Estimate) -> String {
    let Estimate { value, low, high } = *estimate;
    let value = value.map_or_else(dash, |value| format!("{value:.4}"));
    match low.zip(high) {
        Some((low, high)) => format!("{value} ({low:.4}–{high:.4})"),
        None => value,
    }
}

fn with_interval(estimate: &Estimate) -> String {
    interval(estimate.value, estimate.low, estimate.high)
}

fn interval(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    match low.zip(high) {
        Some(_) => format!("{} ({}–{})", percent(value), percent(low), percent(high)),
        None => percent(value),
    }
}

/// With the exact interval and the size.
fn exact(rate: &Rate) -> String {
    format!(
        "{} of {}",
        interval(rate.value, rate.low, rate.high),
        rate.presentations
    )
}

/// With the counts.
fn counted(rate: &Rate) -> String {
    match rate.presentations {
        0 => dash(),
        presentations => format!("{} ({}/{presentations})", percent(rate.value), rate.errors),
    }
}

/// A Markdown table whose source is aligned too.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &[String], nth: usize| {
        row.get(nth)
            .cloned()
            .unwrap_or_default()
            .replace('|', "\\|")
    };
    let widths: Vec<usize> = (0..columns)
        .map(|nth| {
            let widths = rows.iter().map(|row| cell(row, nth).chars().count());
            widths.max().unwrap_or(0).max(3)
        })
        .collect();
    let mut text = String::new();
    for (line, row) in rows.iter().enumerate() {
        for (nth, width) in widths.iter().enumerate() {
            let cell = cell(row, nth);
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if line == 0 {
            for width in &widths {
                let _ = write!(text, "|{}", "-".repeat(width + 2));
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_cells_cannot_break_it() {
        let rows = [
            vec!["".to_owned(), "AUC".to_owned()],
            vec!["a|b".to_owned(), "0.9".to_owned()],
        ];
        assert_eq!(
            aligned(&rows),
            "|      | AUC |\n|------|-----|\n| a\\|b | 0.9 |\n"
        );
    }
}
