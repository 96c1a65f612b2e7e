//! A manifest without labels, of any length: read row by row, never held.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::table::{self, Record, RowProblem, TableError};

/// A row longer than this is no row: a quote was not closed.
const LONGEST_ROW: u64 = 1 << 20;
/// After so many bad rows no more are looked for.
const MOST_PROBLEMS: usize = 1000;

/// A CSV file with the column `image`, all of whose rows are in order.
pub struct Listing {
    file: File,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// A row of a [`Listing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its place, from 0.
    pub nth: u64,
    /// The image's path or URL.
    pub image: String,
    /// Where it was taken, as a request's `os` names it.
    pub os: Option<String>,
}

impl Listing {
    /// Reads the whole file once, so that no bad row is found in the middle of the work.
    ///
    /// # Errors
    /// [`TableError`] names bad rows by line and reason.
    pub fn open(file: File) -> Result<Listing, TableError> {
        let since_row = Arc::new(AtomicU64::new(0));
        let source = Source::new(&file, Some(Sha256::new()), &since_row)?;
        let (columns, mut reader) = table::open(source, &["image"])?;
        let mut problems = Vec::new();
        let mut rows = 0;
        let mut values = csv::StringRecord::new();
        while problems.len() < MOST_PROBLEMS && reader.read_record(&mut values)? {
            since_row.store(0, Ordering::Relaxed);
            rows += 1;
            if let Err(reason) = table::record(&columns, &values) {
                let line = table::line(&values);
                problems.push(RowProblem { line, reason });
            }
        }
        if !problems.is_empty() {
            return Err(TableError::Rows(problems));
        }
        if rows == 0 {
            return Err(TableError::Empty);
        }
        let hash = reader.into_inner().hash.unwrap_or_default();
        Ok(Listing {
            file,
            rows,
            sha256: hex::encode(hash.finalize()),
        })
    }

    /// The rows from the first on. Only one such reading at a time: they share the file's place.
    ///
    /// # Errors
    /// [`TableError`], here and for a row, when the file was changed meanwhile.
    pub fn rows(
        &self,
    ) -> Result<impl Iterator<Item = Result<Listed, TableError>> + use<>, TableError> {
        let since_row = Arc::new(AtomicU64::new(0));
        let source = Source::new(&self.file, None, &since_row)?;
        let (columns, reader) = table::open(source, &["image"])?;
        let rows = reader.into_records().zip(0..);
        Ok(rows.map(move |(values, nth)| {
            since_row.store(0, Ordering::Relaxed);
            let values = values?;
            let record = table::record(&columns, &values);
            let record = record.map_err(|reason| {
                let line = table::line(&values);
                TableError::Rows(vec![RowProblem { line, reason }])
            })?;
            Ok(listed(nth, &record))
        }))
    }
}

fn listed(nth: u64, record: &Record<'_>) -> Listed {
    Listed {
        nth,
        image: record.image.to_owned(),
        os: record.value("os").map(str::to_owned),
    }
}

/// A file that is hashed on the way, and that ends in an error when a row does not end.
struct Source {
    file: File,
    hash: Option<Sha256>,
    /// Bytes since the last row ended.
    since_row: Arc<AtomicU64>,
}

impl Source {
    fn new(
        file: &File,
        hash: Option<Sha256>,
        since_row: &Arc<AtomicU64>,
    ) -> Result<Source, TableError> {
        let mut file = file.try_clone().map_err(csv::Error::from)?;
        file.rewind().map_err(csv::Error::from)?;
        Ok(Source {
            file,
            hash,
            since_row: since_row.clone(),
        })
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let before = self.since_row.fetch_add(count as u64, Ordering::Relaxed);
        if before > LONGEST_ROW {
            return Err(io::Error::other(format!(
                "a row has more than {LONGEST_ROW} bytes; is a quote not closed?"
            )));
        }
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn open(text: &str) -> Result<Listing, TableError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Listing::open(file)
    }

    #[test]
    fn rows_are_counted_first_and_then_read_as_often_as_needed() {
        let text = "image,os,note\na.jpg,ios,\n\"b, c.jpg\",,x\ns3://b/d.jpg,DESKTOP,\n";
        let listing = open(text).unwrap();
        assert_eq!(listing.rows, 3);
        assert_eq!(listing.sha256, hex::encode(Sha256::digest(text)));
        for _ in 0..2 {
            let rows: Vec<Listed> = listing.rows().unwrap().map(Result::unwrap).collect();
            assert_eq!(rows[1].image, "b, c.jpg");
            assert_eq!((rows[1].nth, rows[1].os.as_deref()), (1, None));
            assert_eq!(rows[2].os.as_deref(), Some("DESKTOP"));
        }
    }

    #[test]
    fn bad_rows_are_named_before_any_work() {
        let error = open("image,os\na.jpg,\n,ios\nb.jpg\n").err().unwrap();
        let message = error.to_string();
        assert!(message.contains("line 3: `image` is empty"), "{message}");
        assert!(message.contains("line 4: 1 values"), "{message}");
        assert!(
            open("file\na\n")
                .err()
                .unwrap()
                .to_string()
                .contains("`image`")
        );
        assert!(matches!(open("image\n"), Err(TableError::Empty)));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_refused_rather_than_held() {
        let text = format!("image\na.jpg\n\"{}", "b.jpg\n".repeat(1 << 20));
        let message = open(&text).err().unwrap().to_string();
        assert!(message.contains("quote"), "{message}");
    }
}
