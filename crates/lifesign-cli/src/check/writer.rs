//! Records into parts, as they come.

use std::time::{Duration, Instant};

use anyhow::bail;
use indicatif::ProgressBar;
use lifesign_bulk::Record;
use lifesign_bulk::parts::Parts;
use lifesign_bulk::record::{Counts, Outcome};

use super::judge::Judged;
use super::report;

/// A part is written after so long even if it is not full: this much a machine loses that goes
/// without a word.
const PART_TIME: Duration = Duration::from_secs(5 * 60);
/// So many failures of storage in a row, and it is storage that is down, not the images.
const MOST_FAILURES: usize = 20;
/// Images that are named on stderr; all are in the parts.
const MOST_NAMED: u64 = 20;

/// Writes parts of at most so many rows.
pub(super) struct Writer<'a> {
    parts: Parts<'a>,
    part_rows: usize,
    /// Of the rows in parts.
    counts: Counts,
    pending: Vec<Record>,
    /// How many of the last ones `pending` has only because storage failed. They are not written
    /// before another image is read: else an outage would become rows that say so for ever.
    failures: usize,
    named: u64,
    start: Instant,
    last: Instant,
    progress: &'a ProgressBar,
}

impl<'a> Writer<'a> {
    /// Goes on after the rows that `done` counts.
    pub(super) fn new(
        parts: Parts<'a>,
        part_rows: usize,
        done: Counts,
        progress: &'a ProgressBar,
    ) -> Writer<'a> {
        Writer {
            parts,
            part_rows,
            counts: done,
            pending: Vec::new(),
            failures: 0,
            named: 0,
            start: Instant::now(),
            last: Instant::now(),
            progress,
        }
    }

    pub(super) fn add(&mut self, judged: Judged) -> anyhow::Result<()> {
        let Judged {
            record,
            storage_failed,
        } = judged;
        if let Outcome::Error { message } = &record.outcome {
            self.name(&record.image, message);
            if storage_failed && self.failures + 1 == MOST_FAILURES {
                bail!(
                    "{MOST_FAILURES} images in a row could not be read, lastly {}: {message}; \
                     the same command goes on with the first of them",
                    record.image
                );
            }
        }
        self.failures = if storage_failed { self.failures + 1 } else { 0 };
        self.pending.push(record);
        self.progress.inc(1);
        while self.ready() >= self.part_rows {
            self.write(self.part_rows)?;
        }
        if self.last.elapsed() >= PART_TIME && self.ready() > 0 {
            self.write(self.ready())?;
        }
        Ok(())
    }

    /// How many records may be written.
    fn ready(&self) -> usize {
        self.pending.len() - self.failures
    }

    fn write(&mut self, rows: usize) -> anyhow::Result<()> {
        self.parts.write(&self.pending[..rows])?;
        for record in self.pending.drain(..rows) {
            self.counts.add(&record.outcome);
        }
        self.last = Instant::now();
        let (done, parts) = (self.counts.all(), self.parts.count());
        let all = self.progress.length().unwrap_or(done);
        self.progress
            .suspend(|| anstream::eprintln!("{done} of {all} rows written, parts: {parts}"));
        Ok(())
    }

    fn name(&mut self, image: &str, message: &str) {
        self.named += 1;
        if self.named <= MOST_NAMED {
            report::unread(self.progress, image, message);
        } else if self.named == MOST_NAMED + 1 {
            report::unread(
                self.progress,
                "…",
                "further ones are named in the parts only",
            );
        }
    }

    /// Writes what is judged, though rows are missing. How many rows are written, in how many
    /// parts, and the seconds it took.
    pub(super) fn stop(mut self) -> anyhow::Result<(Counts, usize, f64)> {
        if self.ready() > 0 {
            self.write(self.ready())?;
        }
        let seconds = self.start.elapsed().as_secs_f64();
        Ok((self.counts, self.parts.count(), seconds))
    }

    /// Writes the last part: every row is judged.
    pub(super) fn finish(mut self) -> anyhow::Result<(Counts, usize, f64)> {
        self.failures = 0;
        while !self.pending.is_empty() {
            self.write(self.pending.len().min(self.part_rows))?;
        }
        self.parts.finish(self.counts)?;
        self.stop()
    }
}
