//! `lifesign check --manifest`: a share of a manifest's rows, into parts that resume.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use lifesign_bulk::parts::Parts;
use lifesign_bulk::record::Counts;
use lifesign_bulk::{Files, Place, Shard};
use lifesign_eval::listing::{Listed, Listing};
use lifesign_eval::{TableError, parallel};

use super::CheckArgs;
use super::inputs::{Input, Loader};
use super::judge::{Judge, Judged};
use super::report::{self, Report};
use super::writer::Writer;
use crate::{ending, progress};

/// A manifest in a store is copied here first, and a disk has an end.
const LARGEST_MANIFEST: u64 = 16 << 30;

/// Checks the rows of the manifest that belong to the shard.
pub(super) fn run(args: &CheckArgs, manifest: &Place) -> anyhow::Result<ExitCode> {
    let files = Files::new();
    let file = files.open(manifest, LARGEST_MANIFEST);
    let file = file.context("the manifest cannot be read")?;
    let listing = Listing::open(file).with_context(|| format!("manifest {manifest}"))?;
    let bulk = Bulk {
        args,
        images: args.images_below.clone().unwrap_or(manifest.parent()),
        shard: args.shard.unwrap_or(Shard::WHOLE),
        judge: Judge::load(args, &args.engine_config())?,
        listing,
        files: &files,
    };
    match &args.out {
        Some(out) => bulk.into_parts(out),
        None => bulk.print(),
    }
}

struct Bulk<'a> {
    args: &'a CheckArgs,
    images: Place,
    shard: Shard,
    judge: Judge,
    listing: Listing,
    files: &'a Files,
}

type Row = Result<Listed, TableError>;

impl Bulk<'_> {
    /// The shard's rows, in the manifest's order.
    fn rows(&self) -> Result<impl Iterator<Item = Row> + Send + use<>, TableError> {
        let shard = self.shard;
        let rows = self.listing.rows()?;
        Ok(rows.filter(move |row| row.as_ref().map_or(true, |row| shard.holds(row.nth))))
    }

    fn progress(&self) -> ProgressBar {
        let rows = self.shard.share(self.listing.rows);
        progress::bar(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    /// Judges rows on all cores and hands them over in order.
    fn judge(
        &self,
        rows: impl Iterator<Item = Row> + Send,
        mut take: impl FnMut(Judged) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let loader = Loader::new(self.files, self.args.engine_config().limits);
        parallel::in_order(
            rows,
            |row| {
                row.map(|row| {
                    let input = Input::parse(&row.image, &self.images);
                    let bytes = input.map_err(anyhow::Error::from);
                    let bytes = bytes.and_then(|input| loader.load(&input));
                    (row, bytes)
                })
            },
            |loaded| {
                let judge = |(row, bytes): (Listed, _)| {
                    self.judge.judge(&row.image, row.os.as_deref(), bytes)
                };
                loaded.map(judge)
            },
            |judged| take(judged.context("the manifest was changed meanwhile")?),
        )
    }

    /// Prints, as `check` does of images that the command line names.
    fn print(&self) -> anyhow::Result<ExitCode> {
        let progress = self.progress();
        let mut report = Report::new(self.args.json, &progress);
        self.judge(self.rows()?, |judged| {
            report.add(&judged.record);
            progress.inc(1);
            Ok(())
        })?;
        progress.finish_and_clear();
        Ok(report.finish())
    }

    /// Writes parts, beginning after those that are there. Exit code 0 when every row has its
    /// record, whatever it says: a batch system that sees another one starts the work again.
    fn into_parts(self, out: &Place) -> anyhow::Result<ExitCode> {
        let mut settings = self.judge.settings();
        settings.insert("manifest".to_owned(), self.listing.sha256.clone());
        let parts = Parts::open(self.files, out, self.shard, self.args.format(), settings)?;
        let mut rows = self.rows()?;
        let done = skip(&parts, &mut rows)?;

        let progress = self.progress();
        progress.set_position(done.all());
        // Gone on with in this run: its speed is measured without them.
        progress.reset_eta();
        if done.all() > 0 {
            let done = done.all();
            progress.suspend(|| anstream::eprintln!("{done} rows are done already"));
        }
        let asked = self.stop_when_asked(&progress)?;
        let rows = rows.take_while(|_| !asked.load(Ordering::Relaxed));
        let mut writer = Writer::new(parts, self.args.part_rows, done, &progress);
        let judged = self.judge(rows, |judged| writer.add(judged));
        let counts = match judged {
            Ok(()) if asked.load(Ordering::Relaxed) => writer.stop(),
            Ok(()) => writer.finish(),
            // What was judged is kept, whatever ended it.
            Err(why) => writer.stop().and(Err(why)),
        };
        progress.finish_and_clear();
        let (counts, parts, seconds) = counts?;
        let all = self.shard.share(self.listing.rows);
        anstream::println!(
            "{} of {all} rows in {out}, parts: {parts}; {}; this run took {seconds:.1} s",
            counts.all(),
            report::sum(&counts)
        );
        if counts.all() < all {
            bail!("interrupted; the same command goes on from there");
        }
        if counts.unread == all {
            bail!("not one of the images could be read; does --images name their folder?");
        }
        Ok(ExitCode::SUCCESS)
    }

    fn stop_when_asked(&self, progress: &ProgressBar) -> anyhow::Result<Arc<AtomicBool>> {
        let progress = progress.clone();
        let asked = ending::when_asked(move || {
            progress.suspend(|| anstream::eprintln!("asked to end; writing what is judged"));
        });
        asked.context("signals cannot be waited for")
    }
}

/// Takes the rows that have a record already, and counts them.
fn skip(parts: &Parts<'_>, rows: &mut impl Iterator<Item = Row>) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    for nth in 0..parts.count() {
        for record in parts.read(nth)? {
            match rows.next().transpose()? {
                Some(row) if row.image == record.image => counts.add(&record.outcome),
                other => bail!(
                    "part {nth} has {} where the manifest has {}; choose another folder",
                    record.image,
                    other.map_or("no more rows".to_owned(), |row| row.image)
                ),
            }
        }
    }
    Ok(counts)
}
