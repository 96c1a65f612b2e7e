//! Objects of S3, GCS and Azure, with credentials from the environment.
//!
//! The stores' own client retries, signs and renews credentials; here it is bounded and made to
//! look like files. Calls block: each is made by a thread that has nothing else to do.

use std::collections::HashMap;
use std::future::Future;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig,
};
use tokio::runtime::Runtime;

use crate::error::FileError;
use crate::files::MOST_NAMES;
use crate::place::{Object, Place, Scheme};

/// A store that does not answer for so long is down; the run ends, and is begun again later.
const RETRY_TIME: Duration = Duration::from_secs(60);
const RETRIES: usize = 8;

/// The client of one bucket.
type Client = Arc<dyn ObjectStore>;

/// Access to object stores.
pub(crate) struct Remote {
    runtime: Runtime,
    /// One for each bucket: each keeps its connections and credentials.
    clients: Mutex<HashMap<(Scheme, String), Client>>,
}

impl Remote {
    pub(crate) fn new() -> std::io::Result<Remote> {
        // Two threads are plenty to move bytes; the work is elsewhere.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        Ok(Remote {
            runtime,
            clients: Mutex::default(),
        })
    }

    fn client(&self, object: &Object) -> Result<Client, Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (object.scheme, object.bucket.clone());
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = client(object)?;
        clients.insert(key, client.clone());
        Ok(client)
    }

    /// Runs `work` on an object.
    fn on<T, F>(
        &self,
        object: &Object,
        work: impl FnOnce(Client, Path) -> F,
    ) -> Result<T, FileError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let outcome = self.client(object).and_then(|client| {
            let path = Path::parse(&object.key)?;
            self.runtime.block_on(work(client, path))
        });
        outcome.map_err(|cause| FileError::store(&Place::Remote(object.clone()), cause))
    }

    /// Hands the object's bytes to `take`, until it wants no more.
    fn stream(
        &self,
        object: &Object,
        mut take: impl FnMut(Bytes) -> bool,
    ) -> Result<(), FileError> {
        self.on(object, async |client, path| {
            let mut stream = client.get(&path).await?.into_stream();
            while let Some(bytes) = stream.next().await {
                if !take(bytes?) {
                    break;
                }
            }
            Ok(())
        })
    }

    pub(crate) fn read(&self, object: &Object, most: u64) -> Result<Vec<u8>, FileError> {
        let mut all = Vec::new();
        self.stream(object, |bytes| {
            let room = usize::try_from(most).unwrap_or(usize::MAX) - all.len();
            all.extend_from_slice(&bytes[..room.min(bytes.len())]);
            bytes.len() < room
        })?;
        Ok(all)
    }

    /// Copies the object into `file`, at most `limit` bytes of it.
    pub(crate) fn copy(
        &self,
        object: &Object,
        file: &mut impl Write,
        limit: u64,
    ) -> Result<(), FileError> {
        let place = || Place::Remote(object.clone());
        let mut size = 0;
        let mut written = Ok(());
        self.stream(object, |bytes| {
            size += bytes.len() as u64;
            written = file.write_all(&bytes);
            written.is_ok() && size <= limit
        })?;
        written.map_err(|cause| FileError::system(&place(), cause))?;
        if size > limit {
            return Err(FileError::TooLarge {
                place: place(),
                limit,
            });
        }
        Ok(())
    }

    /// The names directly below a prefix.
    pub(crate) fn list(&self, folder: &Object) -> Result<Vec<String>, FileError> {
        let names = self.on(folder, async |client, path| {
            let mut objects = client.list(Some(&path)).take(MOST_NAMES + 1);
            let mut names = Vec::new();
            while let Some(object) = objects.next().await {
                names.push(object?.location);
            }
            Ok((names, path))
        });
        let (found, path) = names?;
        if found.len() > MOST_NAMES {
            return Err(FileError::TooMany(Place::Remote(folder.clone())));
        }
        let below = |found: &Path| {
            let name = match path.as_ref() {
                "" => found.as_ref(),
                folder => found.as_ref().strip_prefix(folder)?.strip_prefix('/')?,
            };
            (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
        };
        Ok(found.iter().filter_map(below).collect())
    }

    /// Writes an object that is not there yet.
    pub(crate) fn create(&self, object: &Object, bytes: Vec<u8>) -> Result<(), FileError> {
        let payload = PutPayload::from(bytes);
        self.on(object, async |client, path| {
            let create = PutOptions::from(PutMode::Create);
            match client.put_opts(&path, payload.clone(), create).await {
                Ok(_) => Ok(()),
                // A store without conditional writes: whoever comes last wins.
                Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
                    client.put(&path, payload).await.map(drop)
                }
                // Perhaps it was us: a write whose answer was lost is tried again.
                Err(exists @ Error::AlreadyExists { .. }) => {
                    let there = client.get(&path).await?.bytes().await?;
                    let same = payload.iter().flatten().eq(there.iter());
                    if same { Ok(()) } else { Err(exists) }
                }
                Err(other) => Err(other),
            }
        })
    }

    pub(crate) fn replace(&self, object: &Object, bytes: Vec<u8>) -> Result<(), FileError> {
        self.on(object, async |client, path| {
            client.put(&path, bytes.into()).await.map(drop)
        })
    }
}

/// The client of an object's bucket, with what the environment says of region, endpoint and
/// credentials.
fn client(object: &Object) -> Result<Client, Error> {
    let url = format!("{}://{}", object.scheme.name(), object.bucket);
    let retry = RetryConfig {
        max_retries: RETRIES,
        retry_timeout: RETRY_TIME,
        ..RetryConfig::default()
    };
    Ok(match object.scheme {
        Scheme::S3 => {
            let builder = AmazonS3Builder::from_env().with_url(url);
            Arc::new(builder.with_retry(retry).build()?)
        }
        Scheme::Gcs => {
            let builder = GoogleCloudStorageBuilder::from_env().with_url(url);
            Arc::new(builder.with_retry(retry).build()?)
        }
        Scheme::Azure => {
            let builder = MicrosoftAzureBuilder::from_env().with_url(url);
            Arc::new(builder.with_retry(retry).build()?)
        }
    })
}
