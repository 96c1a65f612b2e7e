//! How the evaluation was made, so that it can be repeated.

use maud::{Markup, html};

use super::format::{count, date, duration};
use crate::evaluation::{Evaluation, ScorerInfo, ScorerKind};

pub(super) fn section(evaluation: &Evaluation) -> Markup {
    let made = &evaluation.made;
    let data = &evaluation.data;
    html! {
        section #method {
            h2 { "How it was made" }
            dl.terms {
                div { dt { "Command" } dd { (command(&made.command)) } }
                div { dt { "Lifesign" } dd { (made.lifesign) } }
                div { dt { "Schema" } dd { code { (evaluation.schema) } } }
                div {
                    dt { "Made" }
                    dd {
                        (date(&made.at)) "; scoring took " (duration(made.seconds)) " with "
                        (count(made.workers)) " at the same time"
                    }
                }
                div { dt { "Manifest" } dd { code { (data.manifest) } (sha256(&data.manifest_sha256)) } }
                div {
                    dt { "Rows" }
                    dd {
                        @if data.conditions.is_empty() {
                            "All of the manifest’s"
                        } @else {
                            "Those with "
                            @for (nth, condition) in data.conditions.iter().enumerate() {
                                @if nth > 0 { ", " }
                                code { (condition) }
                            }
                        }
                    }
                }
                @if let Some(column) = &evaluation.settings.group_by {
                    div { dt { "Groups" } dd { "by " code { (column) } } }
                }
            }
            @for scorer in &evaluation.scorers { (self::scorer(&scorer.scorer)) }
        }
    }
}

/// Whole words on a line: a browser would part `--json` after its first hyphen.
fn command(command: &str) -> Markup {
    html! {
        pre {
            code {
                @for (nth, word) in command.split(' ').enumerate() {
                    @if nth > 0 { " " }
                    span.word { (word) }
                }
            }
        }
    }
}

fn scorer(scorer: &ScorerInfo) -> Markup {
    html! {
        h3 { "Scorer " (scorer.name) }
        p { (kind(scorer.kind)) " " (scorer.description) }
        ul.files {
            @for file in &scorer.files {
                li { code { (file.name) } (sha256(&file.sha256)) }
            }
        }
    }
}

fn kind(kind: ScorerKind) -> &'static str {
    match kind {
        ScorerKind::Engine => {
            "Lifesign end to end: its own face detector, capture check, crops, networks and \
             calibration."
        }
        ScorerKind::Network => {
            "Networks of a specification, on the manifest’s face boxes or those of Lifesign’s \
             detector."
        }
        ScorerKind::Scores => "Scores made elsewhere.",
    }
}

fn sha256(sum: &str) -> Markup {
    html! { small { "SHA-256 " code.sum { (sum) } } }
}
