//! From responses to an [`Evaluation`].

mod groups;
mod rates;
mod scorer;

use std::collections::BTreeMap;

use crate::evaluation::{
    Bootstrap, Data, Evaluation, Made, NonResponseRule, NotApplicable, SCHEMA, ScorerInfo,
    Settings, SpeciesCount,
};
use crate::manifest::{Condition, Manifest, Row};
use crate::metrics::Sample;
use crate::metrics::bootstrap::{Draws, REPLICATES, SEED};
use crate::metrics::interval::CONFIDENCE;
use crate::run::Scored;
use crate::scorer::Response;
use crate::table::TableError;
use crate::units::Units;

/// What is asked of an evaluation.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Thresholds besides the default and the D-EER's.
    pub thresholds: Vec<f64>,
    /// Column of the tables by group.
    pub group: Option<String>,
    /// What a presentation without a score counts as.
    pub non_response: NonResponseRule,
}

/// The manifest, for the record.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Its file.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Which rows were chosen.
    pub conditions: Vec<Condition>,
}

/// Computes every figure.
///
/// # Errors
/// [`TableError::Column`] when the manifest lacks the column to group by.
pub fn assemble(
    manifest: &Manifest,
    origin: &Origin,
    scored: &Scored,
    scorers: &[&ScorerInfo],
    options: &Options,
    made: Made,
) -> Result<Evaluation, TableError> {
    let rows = &scored.rows;
    let species = species(rows);
    let units = Units::of(manifest, rows);
    let groups = options
        .group
        .as_deref()
        .map(|by| groups::Grouping::new(manifest, rows, by))
        .transpose()?;
    let draws = Draws::new(units.count);
    let cohort = Cohort {
        rows,
        species: &species,
        units: &units,
        draws: &draws,
        groups: groups.as_ref(),
        options,
    };
    let reports = scorers.iter().enumerate().map(|(nth, &info)| {
        scorer::report(&cohort, info, &scored.responses[nth], &scored.times[nth])
    });
    let different = |name: &str, value: fn(&Row) -> Option<&String>| {
        manifest.column(name).ok()?;
        let mut values: Vec<&String> = rows.iter().filter_map(value).collect();
        values.sort();
        values.dedup();
        Some(values.len())
    };
    Ok(Evaluation {
        schema: SCHEMA,
        made,
        data: Data {
            manifest: origin.file.clone(),
            manifest_sha256: origin.sha256.clone(),
            conditions: origin.conditions.iter().map(ToString::to_string).collect(),
            bona_fide: rows.iter().filter(|row| !row.label.is_attack()).count(),
            attacks: rows.iter().filter(|row| row.label.is_attack()).count(),
            sources: different("source", |row| row.source.as_ref()),
            subjects: different("subject", |row| row.subject.as_ref()),
            species: species.clone(),
        },
        settings: Settings {
            confidence: CONFIDENCE,
            bootstrap: Bootstrap {
                unit: units.name.to_owned(),
                units: units.count,
                replicates: if units.count < 2 { 0 } else { REPLICATES },
                seed: SEED,
            },
            non_response: options.non_response,
            group_by: options.group.clone(),
        },
        unreadable: scored.unreadable.clone(),
        scorers: reports.collect(),
        not_applicable: NOT_APPLICABLE.to_vec(),
    })
}

const NOT_APPLICABLE: [NotApplicable; 2] = [
    NotApplicable {
        metric: "IAPAR",
        name: "impostor attack presentation accept rate",
        why: "It rates a whole verification system: attacks that pass the attack detection and \
              also match an enrolled reference. Nothing is compared with a reference here.",
    },
    NotApplicable {
        metric: "RIAPAR",
        name: "relative impostor attack presentation accept rate",
        why: "It adds the false reject rate of a comparison subsystem to IAPAR; there is no such \
              subsystem here.",
    },
];

/// What all scorers are judged on.
struct Cohort<'a> {
    rows: &'a [Row],
    species: &'a [SpeciesCount],
    units: &'a Units,
    draws: &'a Draws,
    groups: Option<&'a groups::Grouping>,
    options: &'a Options,
}

/// One presentation and what a scorer made of it.
struct Judged<'a> {
    row: &'a Row,
    /// Position of an attack's species.
    species: Option<usize>,
    unit: usize,
    group: usize,
    response: &'a Response,
    /// What enters the error rates; `None` for a non-response that is kept apart.
    score: Option<f64>,
}

impl Judged<'_> {
    /// As curves take it, where it enters the error rates.
    fn sample(&self) -> Option<Sample> {
        Some(Sample {
            score: self.score?,
            attack: self.is_attack(),
            unit: self.unit,
        })
    }

    fn is_attack(&self) -> bool {
        self.species.is_some()
    }

    /// Whether it is taken for bona fide.
    fn accepted(&self, threshold: f64) -> bool {
        self.score.is_some_and(|score| score > threshold)
    }

    /// The score that was given, whatever the rule for non-responses.
    fn given(&self) -> Option<f64> {
        match self.response {
            Response::Score { score, .. } => Some(*score),
            Response::NonResponse { .. } => None,
        }
    }
}

impl<'a> Cohort<'a> {
    fn judge(&self, responses: &'a [Response]) -> Vec<Judged<'a>> {
        let position = |name: &str| {
            let position = self.species.iter().position(|known| known.species == name);
            position.unwrap_or_default()
        };
        let each = self.rows.iter().zip(responses).enumerate();
        each.map(|(nth, (row, response))| Judged {
            row,
            species: row.label.species().map(position),
            unit: self.units.of_row[nth],
            group: self.groups.map_or(0, |groups| groups.of_row[nth]),
            response,
            score: match (response, self.options.non_response) {
                (Response::Score { score, .. }, _) => Some(*score),
                (Response::NonResponse { .. }, NonResponseRule::Apart) => None,
                (Response::NonResponse { .. }, NonResponseRule::Attack) => Some(f64::NEG_INFINITY),
            },
        })
        .collect()
    }
}

fn species(rows: &[Row]) -> Vec<SpeciesCount> {
    let mut counts = BTreeMap::new();
    for species in rows.iter().filter_map(|row| row.label.species()) {
        *counts.entry(species).or_insert(0) += 1;
    }
    let counts = counts.into_iter();
    counts
        .map(|(species, presentations)| SpeciesCount {
            species: species.to_owned(),
            presentations,
        })
        .collect()
}

#[cfg(test)]
mod tests;
