//! What `lifesign check` prints: a table for people, or a line of JSON for each image.

use std::process::ExitCode;
use std::time::Instant;

use anstyle::{AnsiColor, Style};
use indicatif::ProgressBar;
use serde::Serialize;

use super::{Checked, Outcome};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const UNSURE: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();

/// One line of `--json`.
#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Line<'a> {
    Assessed {
        liveness_score: f64,
        passed: bool,
        min_score: f64,
        face: FaceBox,
        elapsed_ms: f64,
    },
    #[serde(rename_all = "camelCase")]
    Rejected {
        code: &'a str,
        failure_reason: &'a str,
        message: String,
    },
    Error {
        message: &'a str,
    },
}

/// In pixels of the upright picture.
#[derive(Serialize)]
struct FaceBox {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

#[derive(Serialize)]
struct Named<'a> {
    image: &'a str,
    #[serde(flatten)]
    line: Line<'a>,
}

/// Prints and counts.
pub(super) struct Report<'a> {
    json: bool,
    min_score: f64,
    /// Lines go around the bar, not through it.
    progress: &'a ProgressBar,
    start: Instant,
    passed: usize,
    spoofs: usize,
    rejected: usize,
    failed: usize,
}

impl<'a> Report<'a> {
    pub(super) fn new(json: bool, min_score: f64, progress: &'a ProgressBar) -> Self {
        let start = Instant::now();
        Report {
            json,
            min_score,
            progress,
            start,
            passed: 0,
            spoofs: 0,
            rejected: 0,
            failed: 0,
        }
    }

    pub(super) fn add(&mut self, checked: Checked) {
        match &checked.outcome {
            Outcome::Assessed { decision, .. } if decision.passed => self.passed += 1,
            Outcome::Assessed { .. } => self.spoofs += 1,
            Outcome::Rejected(_) => self.rejected += 1,
            Outcome::Failed(why) => {
                self.failed += 1;
                self.progress.suspend(|| {
                    anstream::eprintln!("{BAD}lifesign: {}: {why}{BAD:#}", checked.image)
                });
            }
        }
        self.progress.suspend(|| {
            if self.json {
                self.print_json(&checked);
            } else {
                print_human(&checked);
            }
        });
    }

    fn print_json(&self, checked: &Checked) {
        let line = match &checked.outcome {
            Outcome::Assessed { decision, face } => Line::Assessed {
                liveness_score: decision.liveness_score,
                passed: decision.passed,
                min_score: self.min_score,
                face: FaceBox {
                    x: tenths(face.rect.x),
                    y: tenths(face.rect.y),
                    width: tenths(face.rect.width),
                    height: tenths(face.rect.height),
                },
                elapsed_ms: (checked.elapsed.as_secs_f64() * 1e4).round() / 10.0,
            },
            Outcome::Rejected(why) => Line::Rejected {
                code: why.code(),
                failure_reason: why.failure_reason(),
                message: why.to_string(),
            },
            Outcome::Failed(message) => Line::Error { message },
        };
        let named = Named {
            image: &checked.image,
            line,
        };
        let text = serde_json::to_string(&named).expect("strings and finite numbers serialise");
        anstream::println!("{text}");
    }

    /// Prints the sum and turns it into the exit code.
    pub(super) fn finish(self) -> ExitCode {
        let Report {
            passed,
            spoofs,
            rejected,
            failed,
            ..
        } = self;
        let all = passed + spoofs + rejected + failed;
        if !self.json && all > 1 {
            let seconds = self.start.elapsed().as_secs_f64();
            let unread = if failed > 0 {
                format!(", {failed} could not be read")
            } else {
                String::new()
            };
            anstream::println!(
                "{FAINT}{all} images in {seconds:.1} s: {passed} passed, {spoofs} did not, \
                 {rejected} could not be judged{unread}{FAINT:#}"
            );
        }
        match (failed, spoofs + rejected) {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) => ExitCode::from(1),
            _ => ExitCode::from(2),
        }
    }
}

fn print_human(checked: &Checked) {
    let image = &checked.image;
    match &checked.outcome {
        Outcome::Assessed { decision, .. } => {
            let (style, word) = if decision.passed {
                (GOOD, "live ")
            } else {
                (BAD, "spoof")
            };
            let milliseconds = checked.elapsed.as_secs_f64() * 1e3;
            anstream::println!(
                "{style}{word}  {:.4}{style:#}  {image}  {FAINT}{milliseconds:.0} ms{FAINT:#}",
                decision.liveness_score
            );
        }
        Outcome::Rejected(why) => {
            anstream::println!(
                "{UNSURE}refused      {UNSURE:#}  {image}  {why} {FAINT}{}{FAINT:#}",
                why.code()
            );
        }
        Outcome::Failed(_) => {} // already on stderr
    }
}

fn tenths(pixels: f32) -> f32 {
    (pixels * 10.0).round() / 10.0
}
