//! The built-in models on labelled frames, where the development data lies beside the checkout.

mod likeness;
mod scores;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A row of the data's manifest.
struct Frame {
    path: PathBuf,
    source: String,
    split: String,
    bona_fide: bool,
}

/// All frames; where the data is not on this machine, says so and returns nothing.
fn frames() -> Option<Vec<Frame>> {
    let frames = read();
    if frames.is_none() {
        // Written past the test harness, which would keep it to itself.
        let _ = std::io::stderr()
            .write_all(b"skipped: ../shared/pad-data is not beside this checkout\n");
    }
    frames
}

fn read() -> Option<Vec<Frame>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/pad-data");
    let manifest = fs::read_to_string(data.join("manifest.csv")).ok()?;
    let mut rows = manifest
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next()?;
    let column = |name: &str| header.iter().position(|&column| column == name);
    let [image, source, label, split] = ["image", "source", "label", "split"].map(column);
    let (image, source, label, split) = (image?, source?, label?, split?);
    let frames = rows.map(|row| Frame {
        path: data.join("images").join(row[image]),
        source: row[source].to_owned(),
        split: row[split].to_owned(),
        bona_fide: row[label] == "bona_fide",
    });
    Some(frames.collect())
}

/// At most `most` of them, evenly spread.
fn spread<'a>(frames: impl Iterator<Item = &'a Frame>, most: usize) -> Vec<&'a Frame> {
    let frames: Vec<_> = frames.collect();
    let step = frames.len().div_ceil(most).max(1);
    frames.into_iter().step_by(step).collect()
}

/// What `judge` makes of each frame, on two threads; in any order.
fn judged<T: Send>(frames: &[&Frame], judge: impl Fn(&Frame, &[u8]) -> Option<T> + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(frame) = frames.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.extend(judge(frame, &fs::read(&frame.path).unwrap()));
        }
        done
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut own = work();
        own.extend(other.join().unwrap());
        own
    })
}
