//! Figures by the values of a column, and their means, in which every group counts alike.

use super::rates::{apcer, bpcer, non_response};
use super::{Cohort, Judged};
use crate::evaluation::{
    Estimate, GroupRates, GroupRow, Groups, MacroAverage, MacroRates, OperatingPoint,
};
use crate::manifest::{Manifest, Row};
use crate::metrics::Curve;
use crate::metrics::bootstrap::{Draws, estimate};
use crate::table::TableError;

/// Which row is in which group.
pub(super) struct Grouping {
    by: String,
    names: Vec<String>,
    pub of_row: Vec<usize>,
}

impl Grouping {
    pub fn new(manifest: &Manifest, rows: &[Row], by: &str) -> Result<Grouping, TableError> {
        let column = manifest.column(by)?;
        let mut names: Vec<String> = rows
            .iter()
            .map(|row| row.value(column).to_owned())
            .collect();
        names.sort();
        names.dedup();
        let position =
            |row: &Row| names.binary_search_by(|name| name.as_str().cmp(row.value(column)));
        let of_row = rows.iter().map(|row| position(row).unwrap_or_default());
        Ok(Grouping {
            by: by.to_owned(),
            of_row: of_row.collect(),
            names,
        })
    }
}

/// The table of a scorer.
pub(super) fn table(
    cohort: &Cohort<'_>,
    grouping: &Grouping,
    judged: &[Judged<'_>],
    points: &[OperatingPoint],
) -> Groups {
    let rows: Vec<GroupRow> = grouping
        .names
        .iter()
        .enumerate()
        .map(|(group, name)| row(judged, points, group, name))
        .collect();
    // Groups can be drawn in place of units only where they are the units.
    let draws = (grouping.by == cohort.units.name).then(|| Draws::new(rows.len()));
    let mean = |value: &dyn Fn(&GroupRow) -> Option<f64>| {
        let values: Vec<Option<f64>> = rows.iter().map(value).collect();
        macro_mean(&values, draws.as_ref())
    };
    let at = points.iter().enumerate().map(|(nth, point)| MacroRates {
        threshold: point.threshold,
        apcer: mean(&|row| row.at[nth].apcer.value),
        bpcer: mean(&|row| row.at[nth].bpcer.value),
    });
    Groups {
        by: grouping.by.clone(),
        macro_average: MacroAverage {
            groups_of_both: rows.iter().filter(|row| row.d_eer.is_some()).count(),
            auc: mean(&|row| row.auc),
            d_eer: mean(&|row| row.d_eer),
            at: at.collect(),
        },
        rows,
    }
}

fn row(judged: &[Judged<'_>], points: &[OperatingPoint], group: usize, name: &str) -> GroupRow {
    let here = |one: &Judged<'_>| one.group == group;
    let samples = judged.iter().filter(|one| here(one));
    let samples = samples.filter_map(Judged::sample);
    let figures = Curve::new(samples.collect()).figures();
    let at = points.iter().map(|point| GroupRates {
        threshold: point.threshold,
        apcer: apcer(judged, point.threshold, here),
        bpcer: bpcer(judged, point.threshold, here),
    });
    GroupRow {
        group: name.to_owned(),
        bpnrr: non_response(judged, |one| here(one) && !one.is_attack()),
        apnrr: non_response(judged, |one| here(one) && one.is_attack()),
        auc: figures.map(|figures| figures.auc),
        d_eer: figures.map(|figures| figures.d_eer),
        at: at.collect(),
    }
}

/// Mean over the groups that have a value, with the interval of drawing groups.
fn macro_mean(values: &[Option<f64>], draws: Option<&Draws>) -> Estimate {
    let mean = |weight: &dyn Fn(usize) -> f64| {
        let (mut sum, mut total) = (0.0, 0.0);
        for (group, value) in values.iter().enumerate() {
            if let Some(value) = value {
                sum += weight(group) * value;
                total += weight(group);
            }
        }
        (total > 0.0).then(|| sum / total)
    };
    let replicates = draws.map_or_else(Vec::new, |draws| draws.replicate(mean));
    estimate(mean(&|_| 1.0), replicates)
}
