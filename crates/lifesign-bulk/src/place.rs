//! The name of a file or folder: a path, or a URL of an object store.

use std::fmt;
use std::path::{Path, PathBuf};

/// The longest URL that is taken; object keys have at most 1,024 bytes.
const LONGEST: usize = 4096;

/// Where a file or folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine.
    Local(PathBuf),
    /// In an object store.
    Remote(Object),
}

/// An object, or a prefix of objects, in an object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub(crate) scheme: Scheme,
    /// Bucket or container.
    pub(crate) bucket: String,
    /// Key, as it is: nothing in it is percent-encoded.
    pub(crate) key: String,
}

/// A kind of object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    S3,
    Gcs,
    Azure,
}

impl Scheme {
    const ALL: [Scheme; 3] = [Scheme::S3, Scheme::Gcs, Scheme::Azure];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Scheme::S3 => "s3",
            Scheme::Gcs => "gs",
            Scheme::Azure => "az",
        }
    }
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// The scheme is not one of ours.
    #[error("{0} is no path and no s3://, gs://, az:// or file:// URL")]
    Scheme(String),
    /// There is no bucket.
    #[error("{0} names no bucket; write {1}://BUCKET/KEY")]
    Bucket(String, &'static str),
    /// A file URL with a host.
    #[error("{0} names another machine; write file:///PATH")]
    Host(String),
    /// The key is not one that an object can have.
    #[error("{0} is no object: its key has an empty, `.` or `..` segment or control characters")]
    Key(String),
    /// It is too long.
    #[error("the URL has more than {LONGEST} bytes")]
    Long,
}

impl Place {
    /// Reads a path or URL. Keys are taken as they are, as the stores' own tools do: `%20` is not
    /// a space.
    ///
    /// # Errors
    /// [`PlaceError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Place, PlaceError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Place::Local(PathBuf::from(text)));
        };
        if text.len() > LONGEST {
            return Err(PlaceError::Long);
        }
        if scheme.eq_ignore_ascii_case("file") {
            return match rest.strip_prefix("localhost").unwrap_or(rest) {
                path if path.starts_with('/') => Ok(Place::Local(PathBuf::from(path))),
                _ => Err(PlaceError::Host(text.to_owned())),
            };
        }
        let known = Scheme::ALL.into_iter();
        let scheme = known
            .into_iter()
            .find(|known| scheme.eq_ignore_ascii_case(known.name()))
            .ok_or_else(|| PlaceError::Scheme(text.to_owned()))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(PlaceError::Bucket(text.to_owned(), scheme.name()));
        }
        let object = Object {
            scheme,
            bucket: bucket.to_owned(),
            key: key.trim_end_matches('/').to_owned(),
        };
        match object_store::path::Path::parse(&object.key) {
            Ok(_) => Ok(Place::Remote(object)),
            Err(_) => Err(PlaceError::Key(text.to_owned())),
        }
    }

    /// The place of `name`, which is relative to this folder unless it is a URL or an absolute
    /// path.
    ///
    /// # Errors
    /// [`PlaceError`] says what is wrong with it.
    pub fn join(&self, name: &str) -> Result<Place, PlaceError> {
        if name.contains("://") {
            return Place::parse(name);
        }
        match self {
            Place::Local(folder) => Ok(Place::Local(folder.join(name))),
            Place::Remote(folder) => {
                let slash = if folder.key.is_empty() { "" } else { "/" };
                Place::parse(&format!("{self}{slash}{name}"))
            }
        }
    }

    /// The folder that it lies in.
    pub fn parent(&self) -> Place {
        match self {
            Place::Local(path) => Place::Local(path.parent().unwrap_or(Path::new("")).to_owned()),
            Place::Remote(object) => Place::Remote(Object {
                key: object
                    .key
                    .rsplit_once('/')
                    .map_or_else(String::new, |(folder, _)| folder.to_owned()),
                ..object.clone()
            }),
        }
    }

    /// The last segment of its name; empty where it has none.
    pub fn name(&self) -> &str {
        match self {
            Place::Local(path) => path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default(),
            Place::Remote(object) => {
                let last = object.key.rsplit('/').next().unwrap_or_default();
                if last.is_empty() {
                    &object.bucket
                } else {
                    last
                }
            }
        }
    }

    /// What follows the last dot of its name.
    pub fn extension(&self) -> Option<&str> {
        let (stem, extension) = self.name().rsplit_once('.')?;
        (!stem.is_empty()).then_some(extension)
    }

    /// Its name without the extension.
    pub fn stem(&self) -> &str {
        match self.extension() {
            Some(extension) => &self.name()[..self.name().len() - extension.len() - 1],
            None => self.name(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Local(path) => path.display().fmt(f),
            Place::Remote(Object {
                scheme,
                bucket,
                key,
            }) => write!(f, "{}://{bucket}/{key}", scheme.name()),
        }
    }
}

impl std::str::FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Place, PlaceError> {
        Place::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::parse(text).unwrap()
    }

    #[test]
    fn paths_and_urls_of_the_three_stores_are_places() {
        assert_eq!(place("a/b.csv"), Place::Local("a/b.csv".into()));
        assert_eq!(place("file:///a/b.csv"), Place::Local("/a/b.csv".into()));
        for (text, written, name) in [
            (
                "s3://faces/2026/a b%20.jpg",
                "s3://faces/2026/a b%20.jpg",
                "a b%20.jpg",
            ),
            ("GS://faces/results/", "gs://faces/results", "results"),
            ("az://faces", "az://faces/", "faces"),
        ] {
            assert_eq!(place(text).to_string(), written);
            assert_eq!(place(text).name(), name);
            assert_eq!(place(&place(text).to_string()), place(text));
        }
    }

    #[test]
    fn what_names_no_place_is_refused_with_what_would() {
        for (text, part) in [
            ("http://host/a", "s3://"),
            ("s3:///key", "s3://BUCKET/KEY"),
            ("file://host/a", "file:///PATH"),
            ("s3://bucket/a/../b", "`..`"),
            ("gs://bucket/a//b", "empty"),
            (&format!("s3://b/{}", "k".repeat(5000)), "4096"),
        ] {
            let error = Place::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn names_of_a_manifest_are_relative_to_its_folder_unless_they_are_whole() {
        for (folder, name, joined) in [
            ("faces", "a/b.jpg", "faces/a/b.jpg"),
            ("faces", "/other/b.jpg", "/other/b.jpg"),
            ("faces", "gs://other/b.jpg", "gs://other/b.jpg"),
            ("s3://faces/2026/", "a/b.jpg", "s3://faces/2026/a/b.jpg"),
            ("s3://faces", "b.jpg", "s3://faces/b.jpg"),
            ("s3://faces", "file:///b.jpg", "/b.jpg"),
        ] {
            assert_eq!(place(folder).join(name).unwrap(), place(joined));
        }
        assert!(place("s3://faces/2026").join("../secret").is_err());
    }

    #[test]
    fn a_manifests_folder_is_its_parent() {
        for (text, parent) in [
            ("a/b.csv", "a"),
            ("b.csv", ""),
            ("s3://faces/2026/b.csv", "s3://faces/2026"),
            ("s3://faces/b.csv", "s3://faces"),
        ] {
            assert_eq!(place(text).parent(), place(parent));
        }
        assert_eq!(place("x/.hidden").extension(), None);
        assert_eq!(place("s3://b/x.tar.gz").extension(), Some("gz"));
        assert_eq!(place("s3://b/x.tar.gz").stem(), "x.tar");
    }
}
