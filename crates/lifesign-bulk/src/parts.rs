//! A folder of results: parts that are each written whole, so that whoever comes after a crash
//! sees which rows are done.
//!
//! Shard 2 of 8 writes `part-2-of-8-00000.jsonl`, `part-2-of-8-00001.jsonl`, …, and beside them
//! `_part-2-of-8.json`, which says what they depend on, and at last how many rows there are. (Readers
//! of whole folders, such as Spark or Arrow, pass over names that begin with `_`.)

mod name;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::FileError;
use crate::files::Files;
use crate::format::{Format, FormatError};
use crate::place::{Place, PlaceError};
use crate::record::{Counts, Record};
use crate::shard::Shard;
pub use name::PartName;

/// The most bytes of a part that are read: far more than any part of ours has.
const LARGEST_PART: u64 = 1 << 30;
const LARGEST_ABOUT: u64 = 1 << 20;
const SCHEMA: &str = "lifesign-check/1";

/// Everything that the results depend on besides the images, by name.
pub type Settings = BTreeMap<String, String>;

/// Results that cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder's name and a part's make no place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A file holds no records.
    #[error("{0}: {1}")]
    Format(Place, FormatError),
    /// The folder holds the parts of a run of another kind.
    #[error(
        "{folder} holds {name}, of a run with other shards or another format; choose another folder"
    )]
    Other {
        /// The folder.
        folder: Place,
        /// The part.
        name: String,
    },
    /// A part is missing between others.
    #[error(
        "{folder} lacks {name}, though later parts are there; remove those to have them made again"
    )]
    Gap {
        /// The folder.
        folder: Place,
        /// The part.
        name: String,
    },
    /// The parts were made with other settings.
    #[error("{folder} holds results of other settings ({}); choose another folder", .differences.join("; "))]
    Settings {
        /// The folder.
        folder: Place,
        /// How they differ.
        differences: Vec<String>,
    },
    /// Another process wrote the part that was to be written.
    #[error("another process writes {0}; only one may work on a shard at a time")]
    Rival(Place),
}

/// What is written beside the parts.
#[derive(Serialize, Deserialize)]
struct About {
    schema: String,
    settings: Settings,
    /// How many rows ended how, once all are there.
    done: Option<Counts>,
}

/// The parts of one shard, in a folder.
pub struct Parts<'a> {
    files: &'a Files,
    folder: Place,
    shard: Shard,
    format: Format,
    settings: Settings,
    /// How many there are.
    count: usize,
}

impl<'a> Parts<'a> {
    /// Looks at what is in `folder`, which need not exist, and claims it for these settings.
    ///
    /// # Errors
    /// [`PartsError`] when what is there cannot be gone on with.
    pub fn open(
        files: &'a Files,
        folder: &Place,
        shard: Shard,
        format: Format,
        settings: Settings,
    ) -> Result<Parts<'a>, PartsError> {
        let mut parts = Parts {
            files,
            folder: folder.clone(),
            shard,
            format,
            settings,
            count: 0,
        };
        let mut ours = Vec::new();
        for name in files.list(folder)? {
            let Some(part) = PartName::parse(&name) else {
                continue;
            };
            if (part.shard.count, part.format) != (shard.count, format) {
                let folder = folder.clone();
                return Err(PartsError::Other { folder, name });
            }
            if part.shard == shard {
                ours.push(part.nth);
            }
        }
        ours.sort_unstable();
        if let Some(missing) = (0..ours.len()).find(|&nth| ours[nth] != nth) {
            return Err(PartsError::Gap {
                folder: folder.clone(),
                name: parts.name(missing).to_string(),
            });
        }
        parts.count = ours.len();
        let stem = PartName::stem(shard);
        for unfinished in [format!("{stem}-"), format!("_{stem}.")] {
            files.clean(folder, &unfinished)?;
        }
        parts.claim()?;
        Ok(parts)
    }

    /// Refuses to go on with other settings than those that the parts were made with.
    fn claim(&self) -> Result<(), PartsError> {
        match self.files.read(&self.about_place()?, LARGEST_ABOUT) {
            Err(FileError::Missing(_)) => self.tell(None),
            Err(other) => Err(other.into()),
            Ok(bytes) => {
                let differences = match serde_json::from_slice::<About>(&bytes) {
                    Ok(about) if about.schema == SCHEMA => {
                        differences(&about.settings, &self.settings)
                    }
                    _ => vec![format!("{} is not ours", self.about_place()?.name())],
                };
                if differences.is_empty() {
                    return Ok(());
                }
                Err(PartsError::Settings {
                    folder: self.folder.clone(),
                    differences,
                })
            }
        }
    }

    fn about_place(&self) -> Result<Place, PlaceError> {
        let stem = PartName::stem(self.shard);
        self.folder.join(&format!("_{stem}.json"))
    }

    fn tell(&self, done: Option<Counts>) -> Result<(), PartsError> {
        let about = About {
            schema: SCHEMA.to_owned(),
            settings: self.settings.clone(),
            done,
        };
        let place = self.about_place()?;
        let bytes = serde_json::to_vec_pretty(&about);
        let bytes =
            bytes.map_err(|cause| PartsError::Format(place.clone(), FormatError::Write(cause)))?;
        Ok(self.files.replace(&place, bytes)?)
    }

    fn name(&self, nth: usize) -> PartName {
        PartName {
            shard: self.shard,
            nth,
            format: self.format,
        }
    }

    /// How many parts there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The records of part `nth`, in the order of the rows.
    ///
    /// # Errors
    /// [`PartsError`]
    pub fn read(&self, nth: usize) -> Result<Vec<Record>, PartsError> {
        let name = self.name(nth);
        let place = self.folder.join(&name.to_string())?;
        decode(&place, name.format, self.files.read(&place, LARGEST_PART)?)
    }

    /// Writes the next part.
    ///
    /// # Errors
    /// [`PartsError::Rival`] where another process did.
    pub fn write(&mut self, records: &[Record]) -> Result<(), PartsError> {
        let name = self.name(self.count).to_string();
        let place = self.folder.join(&name)?;
        let bytes = self.format.encode(records);
        let bytes = bytes.map_err(|cause| PartsError::Format(place.clone(), cause))?;
        match self.files.create(&place, bytes) {
            Ok(()) => {
                self.count += 1;
                Ok(())
            }
            Err(FileError::Exists(place)) => Err(PartsError::Rival(place)),
            Err(other) => Err(other.into()),
        }
    }

    /// Notes that every row has its record.
    ///
    /// # Errors
    /// [`PartsError`]
    pub fn finish(&self, counts: Counts) -> Result<(), PartsError> {
        self.tell(Some(counts))
    }
}

/// What differs between the settings of a run and those of the next, for people.
fn differences(were: &Settings, are: &Settings) -> Vec<String> {
    let unset = "unset".to_owned();
    let keys: std::collections::BTreeSet<&String> = were.keys().chain(are.keys()).collect();
    keys.into_iter()
        .map(|key| (key, [were, are].map(|all| all.get(key).unwrap_or(&unset))))
        .filter(|(_, [was, is])| was != is)
        .map(|(key, [was, is])| format!("{key}: {was}, now {is}"))
        .collect()
}

fn decode(place: &Place, format: Format, bytes: Vec<u8>) -> Result<Vec<Record>, PartsError> {
    let records = format.decode(bytes);
    records.map_err(|cause| PartsError::Format(place.clone(), cause))
}

/// Whether a folder holds parts.
///
/// # Errors
/// [`FileError`]
pub fn any(files: &Files, folder: &Place) -> Result<bool, FileError> {
    let names = files.list(folder)?;
    Ok(names.iter().any(|name| PartName::parse(name).is_some()))
}

/// Hands every file of results at `place`, a file or a folder of parts, to `take`: its name, its
/// bytes and its records. Whether there was any.
///
/// # Errors
/// [`PartsError`]
pub fn read_all<E: From<PartsError>>(
    files: &Files,
    place: &Place,
    mut take: impl FnMut(&str, &[u8], Vec<Record>) -> Result<(), E>,
) -> Result<bool, E> {
    let mut found: Vec<(Place, Format)> = Vec::new();
    if let Some(format) = place.extension().and_then(Format::of_extension) {
        found.push((place.clone(), format));
    } else {
        for name in files.list(place).map_err(PartsError::from)? {
            if let Some(part) = PartName::parse(&name) {
                let place = place.join(&name).map_err(PartsError::from)?;
                found.push((place, part.format));
            }
        }
    }
    for (place, format) in &found {
        let bytes = files.read(place, LARGEST_PART).map_err(PartsError::from)?;
        let records = decode(place, *format, bytes.clone())?;
        take(place.name(), &bytes, records)?;
    }
    Ok(!found.is_empty())
}
