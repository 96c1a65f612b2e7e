//! Where the images of `lifesign check` come from.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use std::{fmt, fs};

use anyhow::{Context, anyhow, bail};
use lifesign::Limits;
use lifesign_bulk::{Files, Place, PlaceError};
use lifesign_server::fetch::{FetchLimits, Fetcher, Network, Rules};
use lifesign_server::image_source::ImageSource;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(30);
/// As many as ever ask: the threads of the check are the limit.
const CONCURRENT: usize = 65_536;

/// One image to check.
pub(super) enum Input {
    /// A file, here or in an object store.
    Place(Place),
    /// An address of the web, fetched under the service's rules.
    Address(String),
}

impl Input {
    /// What `name` stands for; a relative one is below `folder`.
    pub(super) fn parse(name: &str, folder: &Place) -> Result<Input, PlaceError> {
        if name.starts_with("https://") || name.starts_with("http://") {
            return Ok(Input::Address(name.to_owned()));
        }
        folder.join(name).map(Input::Place)
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Place(place) => place.fmt(f),
            Input::Address(url) => url.fmt(f),
        }
    }
}

/// The images that the command line names: files as they are, folders with all JPEG, PNG and WebP
/// files below them, sorted.
pub(super) fn collect(names: &[String]) -> anyhow::Result<Vec<Input>> {
    let here = Place::Local(PathBuf::new());
    let mut inputs = Vec::new();
    for name in names {
        match Input::parse(name, &here)? {
            Input::Place(Place::Local(path)) if path.is_dir() => {
                let before = inputs.len();
                collect_folder(&path, &mut inputs)?;
                if inputs.len() == before {
                    bail!("{name} holds no JPEG, PNG or WebP file");
                }
            }
            input => inputs.push(input),
        }
    }
    Ok(inputs)
}

fn collect_folder(folder: &Path, inputs: &mut Vec<Input>) -> anyhow::Result<()> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    let mut paths = read().with_context(|| format!("cannot read {}", folder.display()))?;
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() {
            collect_folder(&path, inputs)?;
        } else if is_image(&path) {
            inputs.push(Input::Place(Place::Local(path)));
        }
    }
    Ok(())
}

/// Reads inputs, with the same rules for addresses as the service has.
pub(super) struct Loader<'a> {
    files: &'a Files,
    max_bytes: usize,
    /// Made for the first address: files need neither threads nor certificate authorities.
    downloads: OnceLock<Result<Downloads, String>>,
}

struct Downloads {
    runtime: tokio::runtime::Runtime,
    fetcher: Fetcher,
}

impl<'a> Loader<'a> {
    pub(super) fn new(files: &'a Files, limits: Limits) -> Loader<'a> {
        Loader {
            files,
            max_bytes: limits.max_bytes,
            downloads: OnceLock::new(),
        }
    }

    /// The bytes of an image. Of a file over the limit only so many that the engine sees it is
    /// too large.
    pub(super) fn load(&self, input: &Input) -> anyhow::Result<Vec<u8>> {
        match input {
            Input::Place(place) => Ok(self.files.head(place, self.max_bytes as u64 + 1)?),
            Input::Address(url) => self.download(url),
        }
    }

    fn download(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        let url = match ImageSource::parse(url, self.max_bytes) {
            Ok(ImageSource::Url(url)) => url,
            Ok(ImageSource::Bytes(_)) => bail!("not an address"),
            Err(why) => bail!(why.message),
        };
        let downloads = self
            .downloads
            .get_or_init(|| Downloads::new(self.max_bytes).map_err(|error| format!("{error:#}")));
        match downloads {
            Ok(Downloads { runtime, fetcher }) => runtime
                .block_on(fetcher.fetch(url))
                .map_err(|why| anyhow!(why.to_string())),
            Err(why) => bail!("downloads cannot be set up: {why}"),
        }
    }
}

impl Downloads {
    fn new(max_bytes: usize) -> anyhow::Result<Downloads> {
        let limits = FetchLimits {
            connect_timeout: CONNECT_TIMEOUT,
            header_timeout: HEADER_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            timeout: DOWNLOAD_TIMEOUT,
            max_bytes,
            concurrent: CONCURRENT,
        };
        Ok(Downloads {
            runtime: tokio::runtime::Runtime::new()?,
            fetcher: Fetcher::new(limits, Rules::default(), Network::public())?,
        })
    }
}

fn is_image(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    ["jpg", "jpeg", "png", "webp"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_for_images_in_a_stable_order_and_files_taken_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c.JPG", "a.png", "b/x.webp", "notes.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let text = folder.path().join("notes.txt").display().to_string();
        let names = [
            folder.path().display().to_string(),
            text,
            "https://example.org/1".to_owned(),
            "s3://bucket/x.jpg".to_owned(),
        ];
        let found: Vec<String> = collect(&names)
            .unwrap()
            .iter()
            .map(|input| input.to_string().replace(&names[0], "").replace('\\', "/"))
            .collect();
        assert_eq!(
            found,
            [
                "/a.png",
                "/b/x.webp",
                "/c.JPG",
                "/notes.txt",
                "https://example.org/1",
                "s3://bucket/x.jpg"
            ]
        );
    }

    #[test]
    fn a_folder_without_images_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().display().to_string();
        let error = collect(std::slice::from_ref(&name)).err().unwrap();
        assert!(error.to_string().contains(&name));
    }
}
