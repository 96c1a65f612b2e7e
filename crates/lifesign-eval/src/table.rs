//! CSV files with a row for each image, read so that nothing is silently dropped.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;

/// How many bad rows or images are spelled out in a message.
const SHOWN: usize = 20;

/// A CSV file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is no CSV file.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// It lacks a column.
    #[error("there is no column `{wanted}`, only {}", .found.join(", "))]
    Column {
        /// The column.
        wanted: String,
        /// Those there are.
        found: Vec<String>,
    },
    /// A column's name stands twice in the header.
    #[error("there are two columns `{0}`")]
    TwoColumns(String),
    /// Rows are wrong.
    #[error("{}", listed("bad rows", .0))]
    Rows(Vec<RowProblem>),
    /// No row meets the conditions.
    #[error("no row has {0}")]
    NothingLeft(String),
    /// There is no row.
    #[error("there are no rows")]
    Empty,
    /// Images of the manifest have no row.
    #[error("{}; a presentation without a score has a row with an empty one", listed("images of the manifest have no row", .0))]
    Missing(Vec<String>),
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// Its line, the header being 1.
    pub line: u64,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// A count, what it counts, and the first of them on lines of their own.
fn listed(what: &str, all: &[impl fmt::Display]) -> String {
    let mut text = format!("{} {what}:", all.len());
    for one in all.iter().take(SHOWN) {
        text.push_str(&format!("\n  {one}"));
    }
    if let more @ 1.. = all.len().saturating_sub(SHOWN) {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}

/// The header and the records of a file.
pub(crate) struct Table {
    pub columns: Vec<String>,
    records: Vec<csv::StringRecord>,
}

/// One record.
pub(crate) struct Record<'a> {
    columns: &'a [String],
    pub line: u64,
    pub image: &'a str,
    pub values: &'a csv::StringRecord,
}

impl Record<'_> {
    /// The value of a column, unless it is empty or there is no such column.
    pub fn value(&self, name: &str) -> Option<&str> {
        let nth = self.columns.iter().position(|column| column == name)?;
        self.values.get(nth).filter(|value| !value.is_empty())
    }
}

impl Table {
    /// Reads a file that has at least the columns `wanted`.
    pub fn parse(bytes: &[u8], wanted: &[&str]) -> Result<Table, TableError> {
        let (columns, mut reader) = open(bytes, wanted)?;
        let records = reader.records().collect::<Result<_, _>>()?;
        Ok(Table { columns, records })
    }

    /// Turns every record into a row.
    pub fn rows<T>(
        &self,
        read: impl Fn(Record<'_>) -> Result<T, String>,
    ) -> Result<Vec<T>, TableError> {
        let mut rows = Vec::with_capacity(self.records.len());
        let mut problems = Vec::new();
        let mut line_of = HashMap::new();
        for values in &self.records {
            let line = line(values);
            let row = record(&self.columns, values).and_then(|record| {
                match line_of.insert(record.image, line) {
                    Some(first) => Err(format!("{} is on line {first} already", record.image)),
                    None => read(record),
                }
            });
            match row {
                Ok(row) => rows.push(row),
                Err(reason) => problems.push(RowProblem { line, reason }),
            }
        }
        if !problems.is_empty() {
            return Err(TableError::Rows(problems));
        }
        if rows.is_empty() {
            return Err(TableError::Empty);
        }
        Ok(rows)
    }
}

/// The columns of a CSV file that has at least those `wanted`, and its reader at the first row.
pub(crate) fn open<R: Read>(
    source: R,
    wanted: &[&str],
) -> Result<(Vec<String>, csv::Reader<R>), TableError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(source);
    let columns: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    for (nth, name) in columns.iter().enumerate() {
        if columns[..nth].contains(name) {
            return Err(TableError::TwoColumns(name.clone()));
        }
    }
    for name in wanted {
        column(&columns, name)?;
    }
    Ok((columns, reader))
}

/// The line that a record begins on, the header being 1.
pub(crate) fn line(values: &csv::StringRecord) -> u64 {
    // The reader counts line feeds. Where lines end with carriage returns alone there are none, and
    // a record has at least one line.
    let line = |at: &csv::Position| at.line().max(at.record() + 1);
    values.position().map_or(0, line)
}

/// A record that has a value for each column, and an image.
pub(crate) fn record<'a>(
    columns: &'a [String],
    values: &'a csv::StringRecord,
) -> Result<Record<'a>, String> {
    if values.len() != columns.len() {
        return Err(format!(
            "{} values, but the header names {} columns",
            values.len(),
            columns.len()
        ));
    }
    let nth = columns.iter().position(|column| column == "image");
    let image = nth.and_then(|nth| values.get(nth)).unwrap_or_default();
    if image.is_empty() {
        return Err("`image` is empty".to_owned());
    }
    Ok(Record {
        columns,
        line: line(values),
        image,
        values,
    })
}

/// Position of a column.
pub(crate) fn column(columns: &[String], name: &str) -> Result<usize, TableError> {
    let position = columns.iter().position(|column| column == name);
    position.ok_or_else(|| TableError::Column {
        wanted: name.to_owned(),
        found: columns.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<String>, TableError> {
        Table::parse(text.as_bytes(), &["image", "label"])?
            .rows(|record| Ok(record.image.to_owned()))
    }

    #[test]
    fn a_missing_or_doubled_column_is_named() {
        let refusal = |text| read(text).unwrap_err().to_string();
        let missing = refusal("file,label\na,attack\n");
        assert_eq!(missing, "there is no column `image`, only file, label");
        let doubled = refusal("image,label,label\na,attack,attack\n");
        assert_eq!(doubled, "there are two columns `label`");
        assert_eq!(refusal("image,label\n"), "there are no rows");
        assert!(refusal("image,label\na,\u{1}\"\nb").contains("line 3"));
    }

    #[test]
    fn a_bad_row_has_its_line_whatever_ends_the_lines() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["image,label", "a,attack", ",attack", ""].join(end);
            let message = read(&text).unwrap_err().to_string();
            assert!(message.contains("line 3: `image`"), "{end:?}: {message}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_place() {
        let table = Table::parse(b"image,label\n\xff,attack\n", &["image"]);
        let error = table.err().unwrap().to_string();
        assert!(error.contains("UTF-8") && error.contains("line"), "{error}");
    }

    #[test]
    fn of_very_many_bad_rows_the_first_are_spelled_out() {
        let text = "image,label\n".to_owned() + &",x\n".repeat(50);
        let message = read(&text).unwrap_err().to_string();
        assert!(message.starts_with("50 bad rows:\n  line 2: `image` is empty\n"));
        assert!(message.ends_with("and 30 more"), "{message}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_rows_or_a_refusal(
            header in "(image|label|score|,|\"|x|\u{feff}){0,8}",
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let bytes = [header.as_bytes(), b"\n", &body].concat();
            if let Ok(table) = Table::parse(&bytes, &["image"])
                && let Err(error) = table.rows(|record| Ok(record.image.to_owned()))
            {
                prop_assert!(!error.to_string().is_empty());
            }
        }

        #[test]
        fn no_row_of_a_manifest_is_dropped(
            images in prop::collection::hash_set("[a-z ,\"]{1,8}[a-z]", 1..20),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["image", "label"]).unwrap();
            let mut trimmed: Vec<&str> = images.iter().map(|image| image.trim()).collect();
            trimmed.sort_unstable();
            trimmed.dedup();
            for image in &trimmed {
                writer.write_record([image, "attack"]).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            let table = Table::parse(&bytes, &["image", "label"]).unwrap();
            let rows = table.rows(|record| Ok(record.image.to_owned())).unwrap();
            prop_assert_eq!(rows, trimmed);
        }
    }
}
