//! What an evaluation found: the content of every report, and the schema of `--json`.
//!
//! Error rates are shares, 0 to 1. Fields that cannot be computed, such as a rate of no
//! presentations, are `null`, never left out.

use serde::Serialize;

/// Version of the schema; a change that breaks readers counts it up.
pub const SCHEMA: &str = "lifesign-evaluation/1";

/// A whole evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evaluation {
    /// `lifesign-evaluation/1`.
    pub schema: &'static str,
    /// How it was made.
    pub made: Made,
    /// What was presented.
    pub data: Data,
    /// How figures were computed.
    pub settings: Settings,
    /// Images that could not be read: in no figure of any scorer.
    pub unreadable: Vec<Unreadable>,
    /// The scorers' figures, in the order given.
    pub scorers: Vec<ScorerReport>,
    /// Metrics of the standard that do not apply here, and why.
    pub not_applicable: Vec<NotApplicable>,
}

/// How an evaluation was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Made {
    /// Version of Lifesign.
    pub lifesign: String,
    /// The exact command.
    pub command: String,
    /// When, UTC, as `2026-11-23T17:00:00Z`.
    pub at: String,
    /// Seconds that scoring took.
    pub seconds: f64,
    /// Assessments at the same time.
    pub workers: usize,
}

/// What was presented.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Data {
    /// The manifest's file.
    pub manifest: String,
    /// SHA-256 of the manifest.
    pub manifest_sha256: String,
    /// `COLUMN=VALUE` conditions that chose its rows.
    pub conditions: Vec<String>,
    /// Bona fide presentations, readable ones.
    pub bona_fide: usize,
    /// Attack presentations, readable ones.
    pub attacks: usize,
    /// Attack presentations of each PAI species.
    pub species: Vec<SpeciesCount>,
    /// Different values of `source`, or `null` without that column.
    pub sources: Option<usize>,
    /// Different values of `subject`, or `null` without that column.
    pub subjects: Option<usize>,
}

/// How many presentations there are of a species.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SpeciesCount {
    /// As the manifest names it; `unspecified` where it does not.
    pub species: String,
    /// Presentations.
    pub presentations: usize,
}

/// How figures were computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Settings {
    /// Confidence of every interval: 0.95.
    pub confidence: f64,
    /// The bootstrap behind the intervals of figures that are not rates.
    pub bootstrap: Bootstrap,
    /// What a non-response counts as in the error rates.
    pub non_response: NonResponseRule,
    /// Column of the tables by group.
    pub group_by: Option<String>,
}

/// What a presentation without a score counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NonResponseRule {
    /// Nothing: it is in the non-response rates only, as the standard asks.
    #[default]
    Apart,
    /// An attack, at every threshold: what a gate sees that lets nobody through without a score.
    Attack,
}

/// How the bootstrap drew.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Bootstrap {
    /// What was drawn with replacement: `source`, `subject` or `image`.
    pub unit: String,
    /// How many of them there are.
    pub units: usize,
    /// How often was drawn.
    pub replicates: usize,
    /// Seed of the generator.
    pub seed: u64,
}

/// An image that could not be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unreadable {
    /// Line of the manifest, the header being 1.
    pub line: u64,
    /// As the manifest names it.
    pub image: String,
    /// Why.
    pub reason: String,
}

/// A metric of the standard that does not apply.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotApplicable {
    /// Its abbreviation.
    pub metric: &'static str,
    /// Its full name.
    pub name: &'static str,
    /// Why it does not apply.
    pub why: &'static str,
}

/// An error rate: so many errors in so many presentations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rate {
    /// Errors.
    pub errors: usize,
    /// Presentations.
    pub presentations: usize,
    /// Errors per presentation.
    pub value: Option<f64>,
    /// Lower bound of the two-sided Clopper-Pearson interval.
    pub low: Option<f64>,
    /// Upper bound of the two-sided Clopper-Pearson interval.
    pub high: Option<f64>,
    /// Where nothing failed: 3 / presentations, at most 1, the upper bound of the rule of three.
    pub rule_of_three: Option<f64>,
}

/// A figure that is not a rate of one threshold, with its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Estimate {
    /// On all presentations.
    pub value: Option<f64>,
    /// 2.5th percentile of the bootstrap.
    pub low: Option<f64>,
    /// 97.5th percentile of the bootstrap.
    pub high: Option<f64>,
}

/// Who scored.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScorerInfo {
    /// For tables.
    pub name: String,
    /// What it is.
    pub kind: ScorerKind,
    /// What it was run with, in a sentence.
    pub description: String,
    /// Weights or score files.
    pub files: Vec<FileInfo>,
}

/// What a scorer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScorerKind {
    /// Lifesign end to end: its own detector, capture check, crops, networks and calibration.
    Engine,
    /// Networks of a specification, on the manifest's face boxes or our detector's.
    Network,
    /// Scores made elsewhere.
    Scores,
}

/// A file that a scorer is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileInfo {
    /// Its name.
    pub name: String,
    /// SHA-256 of its content, in lower-case hexadecimal.
    pub sha256: String,
}

/// All figures of one scorer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScorerReport {
    /// Who scored.
    pub scorer: ScorerInfo,
    /// Bona fide presentation non-response rate.
    pub bpnrr: Rate,
    /// Attack presentation non-response rate of each species, in the order of `data.species`.
    pub apnrr: Vec<SpeciesRate>,
    /// Non-responses by their reason.
    pub non_responses: Vec<NonResponseCount>,
    /// Area under the ROC curve: the probability that a bona fide presentation scores above an
    /// attack, ties counting half.
    pub auc: Estimate,
    /// Detection equal error rate, over all attacks.
    pub d_eer: Estimate,
    /// The lowest BPCER where APCER is at most 10, 5 and 1 %.
    pub bpcer_at_apcer: Vec<AtLimit>,
    /// The lowest APCER where BPCER is at most 10, 5 and 1 %.
    pub apcer_at_bpcer: Vec<AtLimit>,
    /// Error rates at the default threshold, at thresholds given, and at the D-EER's.
    pub operating_points: Vec<OperatingPoint>,
    /// Threshold-free figures of each species against all bona fide presentations.
    pub species: Vec<SpeciesFigures>,
    /// Figures by group, where a column was named.
    pub groups: Option<Groups>,
    /// Error rates at thresholds 0.05 to 0.95.
    pub thresholds: Vec<ThresholdRow>,
    /// How well scores are probabilities; `null` where any is outside 0 to 1.
    pub calibration: Option<CalibrationFigures>,
    /// The DET curve: APCER over all attacks and BPCER, from the lowest threshold to the highest.
    pub det: Vec<DetPoint>,
    /// How scores are distributed; `null` where any is outside 0 to 1.
    pub histogram: Option<Histogram>,
    /// Time per image, of the images scored in this run; `null` where all came from the cache.
    pub latency: Option<Latency>,
    /// The attacks that scored highest and the bona fide presentations that scored lowest.
    pub worst: Worst,
}

/// A rate of one species.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SpeciesRate {
    /// The species.
    pub species: String,
    /// Its rate.
    pub rate: Rate,
}

impl SpeciesRate {
    /// The highest rate; of equal ones the one that may be highest, having the fewest
    /// presentations.
    pub fn highest(rates: &[SpeciesRate]) -> Option<&SpeciesRate> {
        let key = |species: &SpeciesRate| (species.rate.value, species.rate.high);
        let known = rates.iter().filter(|species| species.rate.value.is_some());
        known.reduce(|highest, next| {
            if key(next) > key(highest) {
                next
            } else {
                highest
            }
        })
    }
}

/// Non-responses for one reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NonResponseCount {
    /// The reason, such as `multiple_faces_detected`.
    pub reason: String,
    /// Bona fide presentations.
    pub bona_fide: usize,
    /// Attack presentations.
    pub attacks: usize,
}

/// An error rate where the other one is at most a limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AtLimit {
    /// The most that the other rate may be.
    pub limit: f64,
    /// The lowest rate there, over all attacks.
    pub rate: Estimate,
    /// The threshold that gives it; `null` where everything has to be accepted for it.
    pub threshold: Option<f64>,
    /// The same for the species for which it is highest.
    pub worst_species: Option<f64>,
}

/// Error rates at one threshold: a score above it is taken for bona fide.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OperatingPoint {
    /// Where the threshold comes from.
    pub origin: ThresholdOrigin,
    /// The threshold.
    pub threshold: f64,
    /// APCER of each species, in the order of `data.species`.
    pub apcer: Vec<SpeciesRate>,
    /// The highest of them: the headline.
    pub apcer_max: Option<SpeciesRate>,
    /// Over all attacks, whatever their species: not the standard's.
    pub apcer_pooled: Rate,
    /// Bona fide presentation classification error rate.
    pub bpcer: Rate,
    /// Mean of the highest APCER and BPCER: the literature's, not the standard's.
    pub acer: Option<f64>,
    /// Attacks accepted, of all attacks, non-responses counting as not accepted.
    pub attacks_accepted: Rate,
    /// Bona fide presentations not accepted, of all, for their score or for want of one.
    pub bona_fide_turned_away: Rate,
}

/// Where a threshold comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ThresholdOrigin {
    /// The service's default.
    Default,
    /// Given on the command line.
    Given,
    /// Where APCER and BPCER are nearest: chosen on these very data.
    DEer,
}

/// Threshold-free figures of one species against all bona fide presentations.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SpeciesFigures {
    /// The species.
    pub species: String,
    /// Its presentations, with or without a response.
    pub presentations: usize,
    /// As in [`ScorerReport`].
    pub auc: Estimate,
    /// As in [`ScorerReport`].
    pub d_eer: Estimate,
}

/// Figures by group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Groups {
    /// The column.
    pub by: String,
    /// One row for each of its values, in alphabetical order.
    pub rows: Vec<GroupRow>,
    /// Means over the groups, each counting alike, of those that have the figure.
    pub macro_average: MacroAverage,
}

/// Figures of one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GroupRow {
    /// The column's value; empty where it has none.
    pub group: String,
    /// Bona fide non-response rate.
    pub bpnrr: Rate,
    /// Attack non-response rate, whatever the species.
    pub apnrr: Rate,
    /// `null` in a group of one class.
    pub auc: Option<f64>,
    /// `null` in a group of one class.
    pub d_eer: Option<f64>,
    /// At each operating point of the scorer, in its order.
    pub at: Vec<GroupRates>,
}

/// Error rates of a group at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GroupRates {
    /// The threshold.
    pub threshold: f64,
    /// Over the group's attacks, whatever their species.
    pub apcer: Rate,
    /// Over the group's bona fide presentations.
    pub bpcer: Rate,
}

/// Means over groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MacroAverage {
    /// Groups that hold both classes: those that the AUC and the D-EER are averaged over.
    pub groups_of_both: usize,
    /// Mean AUC.
    pub auc: Estimate,
    /// Mean D-EER, each group at a threshold of its own.
    pub d_eer: Estimate,
    /// At each operating point of the scorer, in its order.
    pub at: Vec<MacroRates>,
}

/// Means over groups at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MacroRates {
    /// The threshold.
    pub threshold: f64,
    /// Mean over the groups that hold attacks.
    pub apcer: Estimate,
    /// Mean over the groups that hold bona fide presentations.
    pub bpcer: Estimate,
}

/// Error rates at a threshold, for a table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ThresholdRow {
    /// The threshold.
    pub threshold: f64,
    /// The highest of the species.
    pub apcer_max: Option<f64>,
    /// Over all attacks.
    pub apcer_pooled: Option<f64>,
    /// Bona fide presentation classification error rate.
    pub bpcer: Option<f64>,
}

/// How well scores are probabilities of bona fide, at the mix of classes of these data.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CalibrationFigures {
    /// Share of bona fide among the scored presentations.
    pub bona_fide_share: f64,
    /// Mean squared distance of the score from the label (1 bona fide, 0 attack).
    pub brier: f64,
    /// Expected calibration error: mean distance of the bins' mean score from their share of bona
    /// fide, weighted by the bins' size.
    pub ece: f64,
    /// Ten bins of equal width: the reliability diagram.
    pub bins: Vec<ReliabilityBin>,
}

/// Presentations whose scores lie in one tenth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReliabilityBin {
    /// Lowest score.
    pub low: f64,
    /// Highest score.
    pub high: f64,
    /// Presentations.
    pub presentations: usize,
    /// Their mean score; `null` in an empty bin.
    pub mean_score: Option<f64>,
    /// Share of bona fide among them.
    pub bona_fide: Rate,
}

/// A point of the DET curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DetPoint {
    /// `null` where everything is accepted.
    pub threshold: Option<f64>,
    /// Over all attacks.
    pub apcer: f64,
    /// Bona fide presentation classification error rate.
    pub bpcer: f64,
}

/// Scores counted in bins of equal width from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Histogram {
    /// Bona fide presentations in each bin.
    pub bona_fide: Vec<usize>,
    /// Attacks of each species in each bin, in the order of `data.species`.
    pub attacks: Vec<SpeciesHistogram>,
}

/// A species' scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SpeciesHistogram {
    /// The species.
    pub species: String,
    /// Presentations in each bin.
    pub counts: Vec<usize>,
}

/// Milliseconds from the image's bytes to the score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latency {
    /// Images that were timed.
    pub images: usize,
    /// Half took at most this long.
    pub p50: f64,
    /// 90 % took at most this long.
    pub p90: f64,
    /// 95 % took at most this long.
    pub p95: f64,
    /// 99 % took at most this long.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// The worst errors.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Worst {
    /// Attacks by falling score.
    pub attacks: Vec<WorstRow>,
    /// Bona fide presentations by rising score.
    pub bona_fide: Vec<WorstRow>,
}

/// One of the worst errors.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WorstRow {
    /// As the manifest names it.
    pub image: String,
    /// The PAI species of an attack.
    pub species: Option<String>,
    /// The source, where the manifest names it.
    pub source: Option<String>,
    /// The score.
    pub score: f64,
}
