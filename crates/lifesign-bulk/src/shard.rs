//! One machine's share of the rows.

use std::fmt;
use std::str::FromStr;

/// More machines than any batch system gives to one job.
const MOST: usize = 100_000;

/// Shard `index` of `count`: row k, counted from 0, belongs to it when k mod `count` is `index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0, as Kubernetes' `JOB_COMPLETION_INDEX`.
    pub index: usize,
    /// How many there are.
    pub count: usize,
}

impl Shard {
    /// All rows.
    pub const WHOLE: Shard = Shard { index: 0, count: 1 };

    /// Whether row `nth` belongs to it.
    pub fn holds(&self, nth: u64) -> bool {
        nth % self.count as u64 == self.index as u64
    }

    /// How many of `rows` rows belong to it.
    pub fn share(&self, rows: u64) -> u64 {
        let (count, index) = (self.count as u64, self.index as u64);
        rows / count + u64::from(rows % count > index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let numbers = text
            .split_once('/')
            .and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match numbers {
            Some((index, count)) if index < count && count <= MOST => Ok(Shard { index, count }),
            _ => Err(format!(
                "expected I/N, I from 0 to N - 1 and N at most {MOST}, such as 0/4"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shard_is_an_index_below_a_count() {
        assert_eq!("3/4".parse(), Ok(Shard { index: 3, count: 4 }));
        for wrong in ["4/4", "1", "-1/4", "1/0", "0/1000000000", "a/b", "1/4/2"] {
            assert!(
                wrong.parse::<Shard>().unwrap_err().contains("I/N"),
                "{wrong}"
            );
        }
    }

    proptest! {
        #[test]
        fn all_shards_together_hold_each_row_once(count in 1usize..50, rows in 0u64..500) {
            let shards: Vec<Shard> = (0..count).map(|index| Shard { index, count }).collect();
            for row in 0..rows {
                prop_assert_eq!(shards.iter().filter(|shard| shard.holds(row)).count(), 1);
            }
            for shard in &shards {
                let held = (0..rows).filter(|&row| shard.holds(row)).count() as u64;
                prop_assert_eq!(shard.share(rows), held);
            }
        }
    }
}
