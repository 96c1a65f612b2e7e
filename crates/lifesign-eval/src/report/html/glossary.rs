//! How to read the report: what each figure is, and which way round.

use maud::{Markup, html};

use super::format::{ABSENT, count, whole_percent};
use crate::evaluation::{Bootstrap, Evaluation, NonResponseRule};

/// Terms and what they mean, where no figure of the evaluation is part of it.
const TERMS: [(&str, &str); 15] = [
    (
        "Score and threshold",
        "The higher a score, the more the presentation looks bona fide. A score above the \
         threshold is accepted as bona fide; one at or below it is taken for an attack.",
    ),
    (
        "Bona fide presentation",
        "A living person who shows the camera their own face, as the service is meant to be used.",
    ),
    (
        "PAI species",
        "A kind of presentation attack instrument, such as prints, replays on a screen or masks. \
         Error rates are told of each, for a detector is as weak as against the species that it \
         knows least.",
    ),
    (
        "APCER",
        "Attack presentation classification error rate: of a species’ attacks that got a score, \
         the share that is accepted as bona fide. The headline is the highest of the species. \
         Pooled, it is the share of all attacks, whatever their species: a figure that a large \
         and easy species makes look better, and that the standard does not know.",
    ),
    (
        "BPCER",
        "Bona fide presentation classification error rate: of bona fide presentations that got a \
         score, the share that is taken for attacks.",
    ),
    (
        "ACER",
        "Mean of the highest APCER and BPCER at one threshold. The literature’s, not the \
         standard’s.",
    ),
    (
        "APNRR and BPNRR",
        "Attack and bona fide presentation non-response rate: the share of presentations that got \
         no score, such as for want of a face.",
    ),
    (
        "Attacks accepted, bona fide turned away",
        "What a gate sees that lets nobody through without a score: of all attacks, those with a \
         score above the threshold; of all bona fide presentations, those that lack such a score \
         or any.",
    ),
    (
        "BPCER at APCER 5 %",
        "The lowest BPCER among thresholds at which at most 5 % of attacks are accepted; likewise \
         at 10 % and 1 %. The limit is on all attacks, and “highest species” is the same against \
         the one species for which it is highest.",
    ),
    (
        "APCER at BPCER 5 %",
        "The lowest APCER among thresholds at which at most 5 % of bona fide presentations are \
         taken for attacks; likewise at 10 % and 1 %.",
    ),
    (
        "D-EER",
        "Detection equal error rate: the error rate at the threshold where APCER over all attacks \
         and BPCER are nearest to each other. Lower is better; 50 % is guessing.",
    ),
    (
        "AUC",
        "Area under the ROC curve: the probability that a bona fide presentation scores above an \
         attack, ties counting half. 1 is perfect; 0.5 is guessing.",
    ),
    (
        "Mean over groups",
        "Each group counts alike, whatever its size; in the mean D-EER, each at a threshold of \
         its own. Groups that lack a class are left out of figures that need it.",
    ),
    (
        "Brier score and expected calibration error",
        "How far scores are from being probabilities of bona fide: mean squared distance of a \
         score from the truth (1 or 0), and mean distance of the bins’ mean score from their \
         share of bona fide, weighted by the bins’ size. 0 is perfect.",
    ),
    (
        "DET curve",
        "Detection error trade-off: BPCER against APCER at every threshold, on axes that turn \
         normally distributed scores into straight lines.",
    ),
];

pub(super) fn section(evaluation: &Evaluation) -> Markup {
    let settings = &evaluation.settings;
    let confidence = whole_percent(settings.confidence);
    html! {
        section #reading {
            h2 { "How to read it" }
            p {
                "Terms and metrics are those of ISO/IEC 30107-3:2023, "
                cite { "Information technology – Biometric presentation attack detection – Part 3: \
                    Testing and reporting" }
                ", unless marked otherwise."
            }
            dl.terms {
                @for (term, meaning) in TERMS { (entry(term, html! { (meaning) })) }
                (entry("Non-responses in error rates", html! { (rule(settings.non_response)) }))
                (entry("Intervals of rates", html! {
                    "Two-sided " (confidence) " intervals of Clopper and Pearson. They take \
                     presentations as independent of each other. Frames of one source are not: \
                     where a source gives several, these intervals are too narrow."
                }))
                (entry("Intervals of all other figures", html! {
                    (bootstrap(&settings.bootstrap, &confidence))
                }))
                (entry("Rule of three", html! {
                    "Where none of n presentations failed, the true rate is with 95 % confidence \
                     at most 3/n. None of 38 is no proof of 0 %, but of at most 7.9 %. This \
                     bound is one-sided, therefore below the upper end of the interval."
                }))
                (entry(ABSENT, html! {
                    "A figure that cannot be computed, such as a rate of no presentations."
                }))
                @for metric in &evaluation.not_applicable {
                    (entry(metric.metric, html! {
                        (metric.name) ": not applicable. " (metric.why)
                    }))
                }
            }
        }
    }
}

fn entry(term: &str, meaning: Markup) -> Markup {
    html! { div { dt { (term) } dd { (meaning) } } }
}

fn rule(rule: NonResponseRule) -> &'static str {
    match rule {
        NonResponseRule::Apart => {
            "A presentation without a score is in the non-response rates and in no error rate, as \
             the standard asks."
        }
        NonResponseRule::Attack => {
            "A presentation without a score counts as taken for an attack, at every threshold: \
             what a gate sees that lets nobody through without a score. The standard asks for \
             error rates without them: these are not comparable with such."
        }
    }
}

fn bootstrap(bootstrap: &Bootstrap, confidence: &str) -> String {
    let Bootstrap {
        unit,
        units,
        replicates,
        seed,
    } = bootstrap;
    let mut text = format!(
        "Percentile bootstrap: the middle {confidence} of {} evaluations, for each of which {} \
         {unit}s were drawn with replacement from the {unit}s of the manifest (seed {seed}).",
        count(*replicates),
        count(*units),
    );
    if unit == "image" {
        text += " Images were drawn one by one: where a source gives several, these intervals \
                 are too narrow as well.";
    }
    text
}
