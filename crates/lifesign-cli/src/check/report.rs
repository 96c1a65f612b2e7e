//! What `lifesign check` prints: a table for people, or a line of JSON for each image.

use std::process::ExitCode;
use std::time::Instant;

use anstyle::{AnsiColor, Style};
use indicatif::ProgressBar;
use lifesign_bulk::Record;
use lifesign_bulk::record::{Counts, Outcome};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const UNSURE: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();

/// Prints and counts.
pub(super) struct Report<'a> {
    json: bool,
    /// Lines go around the bar, not through it.
    progress: &'a ProgressBar,
    start: Instant,
    counts: Counts,
}

impl<'a> Report<'a> {
    pub(super) fn new(json: bool, progress: &'a ProgressBar) -> Self {
        Report {
            json,
            progress,
            start: Instant::now(),
            counts: Counts::default(),
        }
    }

    pub(super) fn add(&mut self, record: &Record) {
        self.counts.add(&record.outcome);
        if let Outcome::Error { message } = &record.outcome {
            unread(self.progress, &record.image, message);
        }
        self.progress.suspend(|| {
            if self.json {
                let text = serde_json::to_string(record);
                anstream::println!("{}", text.expect("strings and finite numbers serialise"));
            } else {
                print_human(record);
            }
        });
    }

    /// Prints the sum and turns it into the exit code.
    pub(super) fn finish(self) -> ExitCode {
        let counts = self.counts;
        if !self.json && counts.all() > 1 {
            let seconds = self.start.elapsed().as_secs_f64();
            let sum = sum(&counts);
            let all = counts.all();
            anstream::println!("{FAINT}{all} images in {seconds:.1} s: {sum}{FAINT:#}");
        }
        match (counts.unread, counts.failed + counts.rejected) {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) => ExitCode::from(1),
            _ => ExitCode::from(2),
        }
    }
}

/// How many ended how, in words.
pub(super) fn sum(counts: &Counts) -> String {
    let Counts {
        passed,
        failed,
        rejected,
        unread,
    } = counts;
    let unread = match unread {
        0 => String::new(),
        unread => format!(", {unread} could not be read"),
    };
    format!("{passed} passed, {failed} did not, {rejected} could not be judged{unread}")
}

/// Names an image that could not be read.
pub(super) fn unread(progress: &ProgressBar, image: &str, why: &str) {
    progress.suspend(|| anstream::eprintln!("{BAD}lifesign: {image}: {why}{BAD:#}"));
}

fn print_human(record: &Record) {
    let image = &record.image;
    match &record.outcome {
        Outcome::Assessed {
            liveness_score,
            passed,
            elapsed_ms,
            ..
        } => {
            let (style, word) = if *passed {
                (GOOD, "live ")
            } else {
                (BAD, "spoof")
            };
            anstream::println!(
                "{style}{word}  {liveness_score:.4}{style:#}  {image}  {FAINT}{elapsed_ms:.0} ms{FAINT:#}"
            );
        }
        Outcome::Rejected { code, message, .. } => {
            anstream::println!(
                "{UNSURE}refused      {UNSURE:#}  {image}  {message} {FAINT}{code}{FAINT:#}"
            );
        }
        Outcome::Error { .. } => {} // already on stderr
    }
}
