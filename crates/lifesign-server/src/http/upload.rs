//! One of a capture session's uploads: taken before the photograph is looked at, so that no number of
//! requests at the same time gets more, and given back when it was not.

use crate::error::{ApiError, CaptureOver, chain};
use crate::store::Store;

/// What was taken. Given back when this is dropped, unless it was used.
pub(super) struct Upload {
    store: Store,
    session: String,
    /// How many there are after this one.
    pub(super) left: u32,
    used: bool,
}

impl Upload {
    /// Takes one of the session's.
    ///
    /// # Errors
    /// The session is over, or others have its last one; or the database failed.
    pub(super) async fn take(store: &Store, session: &str) -> Result<Upload, ApiError> {
        match store.take_upload(session).await? {
            Some(left) => Ok(Upload {
                store: store.clone(),
                session: session.to_owned(),
                left,
                used: false,
            }),
            None => Err(ApiError::CaptureOver(CaptureOver::Finished)),
        }
    }

    /// The photograph was looked at.
    pub(super) fn used(&mut self) {
        self.used = true;
    }
}

impl Drop for Upload {
    /// Also where the browser went away, or the request took too long.
    fn drop(&mut self) {
        let (false, Ok(runtime)) = (self.used, tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (store, session) = (self.store.clone(), std::mem::take(&mut self.session));
        runtime.spawn(async move {
            if let Err(error) = store.give_back_upload(&session).await {
                tracing::warn!(cause = chain(&error), "an upload could not be given back");
            }
        });
    }
}
