//! Which presentations are alike: frames of one source, else of one subject. The bootstrap draws
//! them together, and a calibration weighs them as one.

use crate::manifest::{Manifest, Row};

/// Sources, else subjects, else images.
pub struct Units {
    /// `source`, `subject` or `image`.
    pub name: &'static str,
    /// How many there are.
    pub count: usize,
    /// Number of each row's unit.
    pub of_row: Vec<usize>,
}

impl Units {
    /// The units of some rows of a manifest.
    pub fn of<'a>(manifest: &Manifest, rows: &'a [Row]) -> Units {
        type Value = fn(&Row) -> Option<&str>;
        let columns: [(&str, Value); 2] = [
            ("source", |row| row.source.as_deref()),
            ("subject", |row| row.subject.as_deref()),
        ];
        let column = columns
            .into_iter()
            .find(|(name, _)| manifest.column(name).is_ok());
        let (name, value) = column.unwrap_or(("image", |_| None));
        // A row that names none is like no other row. Sorted, so that the draws do not depend on
        // the order of rows.
        let key = |row: &'a Row| match value(row) {
            Some(value) => (value, ""),
            None => ("", &*row.image),
        };
        let mut keys: Vec<(&str, &str)> = rows.iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        let position = |row| keys.binary_search(&key(row)).unwrap_or_default();
        Units {
            name,
            count: keys.len(),
            of_row: rows.iter().map(position).collect(),
        }
    }
}
