//! The labelled manifest: a CSV file with a row for each presentation.

use std::fmt;

use lifesign::Device;
use lifesign::geometry::Rect;

use crate::table::{Record, Table, TableError};

/// Species of attacks whose manifest names none.
pub const UNSPECIFIED: &str = "unspecified";

/// What a presentation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// A live person.
    BonaFide,
    /// An attack, with the species of its instrument.
    Attack {
        /// Such as `print`; [`UNSPECIFIED`] where the manifest names none.
        species: String,
    },
}

impl Label {
    /// The PAI species of an attack.
    pub fn species(&self) -> Option<&str> {
        match self {
            Label::BonaFide => None,
            Label::Attack { species } => Some(species),
        }
    }

    /// Whether it is an attack.
    pub fn is_attack(&self) -> bool {
        self.species().is_some()
    }
}

/// One presentation.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Line of the file, the header being 1.
    pub line: u64,
    /// Path of the image, below the folder of images.
    pub image: String,
    /// What it shows.
    pub label: Label,
    /// The face that is judged, in pixels of the upright picture.
    pub face: Option<Rect>,
    /// Who collected it: a person, a camera, a room.
    pub source: Option<String>,
    /// Who is shown.
    pub subject: Option<String>,
    /// Where it was taken, as a request's `os` names it.
    pub os: Option<String>,
    /// Every value of the row, in the header's order.
    values: Vec<String>,
}

impl Row {
    /// Where it was taken.
    pub fn device(&self) -> Device {
        self.os.as_deref().map_or(Device::Unknown, Device::from_os)
    }

    /// The value of a column, by its [position](Manifest::column).
    pub fn value(&self, column: usize) -> &str {
        &self.values[column]
    }
}

/// A manifest that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    columns: Vec<String>,
    /// The presentations, in the file's order.
    pub rows: Vec<Row>,
}

/// Rows whose `column` holds `value`: the `--where` of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// What it must hold.
    pub value: String,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.column, self.value)
    }
}

impl std::str::FromStr for Condition {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((column, value)) if !column.trim().is_empty() => Ok(Condition {
                column: column.trim().to_owned(),
                value: value.trim().to_owned(),
            }),
            _ => Err("expected COLUMN=VALUE"),
        }
    }
}

impl Manifest {
    /// Reads the file's bytes.
    ///
    /// # Errors
    /// [`TableError`] names every bad row by line and reason.
    pub fn parse(bytes: &[u8]) -> Result<Manifest, TableError> {
        let table = Table::parse(bytes, &["image", "label"])?;
        let rows = table.rows(|record| row(&record))?;
        Ok(Manifest {
            columns: table.columns,
            rows,
        })
    }

    /// Position of a column.
    ///
    /// # Errors
    /// [`TableError::Column`] names the columns there are.
    pub fn column(&self, name: &str) -> Result<usize, TableError> {
        crate::table::column(&self.columns, name)
    }

    /// Keeps the rows that meet every condition.
    ///
    /// # Errors
    /// [`TableError`] when a column is missing or no row is left.
    pub fn keep(&mut self, conditions: &[Condition]) -> Result<(), TableError> {
        for condition in conditions {
            let nth = self.column(&condition.column)?;
            self.rows.retain(|row| row.values[nth] == condition.value);
        }
        if self.rows.is_empty() {
            let conditions: Vec<String> = conditions.iter().map(ToString::to_string).collect();
            return Err(TableError::NothingLeft(conditions.join(" and ")));
        }
        Ok(())
    }
}

fn row(record: &Record<'_>) -> Result<Row, String> {
    let owned = |name| record.value(name).map(str::to_owned);
    let species = record.value("pai_species");
    let label = match (record.value("label"), species) {
        (Some("bona_fide"), None) => Label::BonaFide,
        (Some("bona_fide"), Some(species)) => {
            return Err(format!("bona fide, yet `pai_species` is `{species}`"));
        }
        (Some("attack"), species) => Label::Attack {
            species: species.unwrap_or(UNSPECIFIED).to_owned(),
        },
        (other, _) => {
            let other = other.unwrap_or_default();
            return Err(format!(
                "`label` is `{other}`, expected bona_fide or attack"
            ));
        }
    };
    Ok(Row {
        line: record.line,
        image: record.image.to_owned(),
        label,
        face: face(["face_x", "face_y", "face_w", "face_h"].map(|name| record.value(name)))?,
        source: owned("source"),
        subject: owned("subject"),
        os: owned("os"),
        values: record.values.iter().map(str::to_owned).collect(),
    })
}

fn face(values: [Option<&str>; 4]) -> Result<Option<Rect>, String> {
    match values {
        [None, None, None, None] => Ok(None),
        [Some(x), Some(y), Some(width), Some(height)] => {
            let number = |text: &str| match text.parse::<f32>() {
                Ok(number) if number.is_finite() => Ok(number),
                _ => Err(format!("`{text}` of the face box is no number")),
            };
            let face = Rect {
                x: number(x)?,
                y: number(y)?,
                width: number(width)?,
                height: number(height)?,
            };
            if face.width > 0.0 && face.height > 0.0 {
                Ok(Some(face))
            } else {
                Err("the face box is empty".to_owned())
            }
        }
        _ => Err("the face box is incomplete: face_x, face_y, face_w, face_h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "image,label,pai_species,face_x,face_y,face_w,face_h,split\n";

    fn problems(rows: &str) -> Vec<(u64, String)> {
        match Manifest::parse(format!("{HEAD}{rows}").as_bytes()) {
            Err(TableError::Rows(problems)) => problems
                .into_iter()
                .map(|problem| (problem.line, problem.reason))
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rows_are_read_with_their_boxes_and_every_further_column() {
        let text = format!(
            "\u{feff}{HEAD}a.jpg,bona_fide,,1,2,3.5,4,dev\n\"b, c.jpg\",attack,print,,,,,train\nd.jpg,attack,,,,,,dev\n"
        );
        let mut manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!(manifest.rows[0].label, Label::BonaFide);
        assert_eq!(manifest.rows[0].face.unwrap().width, 3.5);
        assert_eq!(manifest.rows[1].image, "b, c.jpg");
        assert_eq!(manifest.rows[1].label.species(), Some("print"));
        assert_eq!(manifest.rows[2].label.species(), Some(UNSPECIFIED));
        let split = manifest.column("split").unwrap();
        assert_eq!(manifest.rows[1].value(split), "train");
        assert!(manifest.column("source").is_err());

        manifest.keep(&["split=dev".parse().unwrap()]).unwrap();
        assert_eq!(manifest.rows.len(), 2);
        let error = manifest.keep(&["split=test".parse().unwrap()]).unwrap_err();
        assert!(error.to_string().contains("split=test"), "{error}");
    }

    #[test]
    fn every_bad_row_is_named_by_line_and_reason() {
        let found = problems(
            "a.jpg,live,,,,,,dev\n\
             ,attack,,,,,,dev\n\
             b.jpg,bona_fide,print,,,,,dev\n\
             c.jpg,attack,print,1,2,3,,dev\n\
             d.jpg,attack,print,1,2,0,5,dev\n\
             e.jpg,attack,print,1,2,x,5,dev\n\
             f.jpg,attack\n\
             g.jpg,attack,,,,,,dev\n\
             g.jpg,attack,,,,,,dev\n",
        );
        let expected = [
            (2, "`label` is `live`"),
            (3, "`image` is empty"),
            (4, "bona fide, yet"),
            (5, "incomplete"),
            (6, "empty"),
            (7, "`x` of the face box"),
            (8, "2 values, but the header names 8 columns"),
            (10, "g.jpg is on line 9 already"),
        ];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((line, reason), (wanted, part)) in found.iter().zip(expected) {
            assert!(*line == wanted && reason.contains(part), "{line}: {reason}");
        }
    }

    #[test]
    fn a_condition_is_a_column_and_a_value() {
        let condition: Condition = "split = dev".parse().unwrap();
        assert_eq!(condition.to_string(), "split=dev");
        assert!("split".parse::<Condition>().is_err());
    }
}
