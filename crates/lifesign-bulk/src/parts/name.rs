//! The names of parts.

use std::fmt;

use crate::format::Format;
use crate::shard::Shard;

/// The name of a part: `part-I-of-N-00000.jsonl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartName {
    /// Whose it is.
    pub shard: Shard,
    /// Its place among the shard's parts, from 0.
    pub nth: usize,
    /// How it is kept.
    pub format: Format,
}

impl PartName {
    /// What the names of a shard's parts begin with.
    pub(super) fn stem(shard: Shard) -> String {
        format!("part-{}-of-{}", shard.index, shard.count)
    }

    /// Reads a file's name; `None` where it is not a part's.
    pub fn parse(name: &str) -> Option<PartName> {
        let (stem, extension) = name.rsplit_once('.')?;
        let mut words = stem.strip_prefix("part-")?.split('-');
        let index = words.next()?;
        let ("of", count, nth) = (words.next()?, words.next()?, words.next()?) else {
            return None;
        };
        let part = PartName {
            shard: format!("{index}/{count}").parse().ok()?,
            nth: nth.parse().ok()?,
            format: Format::of_extension(extension)?,
        };
        // Only as we write it: `part-+1-of-2-0.jsonl` is somebody else's.
        (part.to_string() == name).then_some(part)
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stem = PartName::stem(self.shard);
        write!(f, "{stem}-{:05}.{}", self.nth, self.format.extension())
    }
}
