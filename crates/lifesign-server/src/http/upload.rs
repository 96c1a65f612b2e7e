//! One of a capture session's uploads.

use super::taken::Taken;
use crate::error::{ApiError, CaptureOver};
use crate::store::Store;

/// Takes one of the session's. Returns it, and how many there are after it.
///
/// # Errors
/// The session is over, or others have its last one; or the database failed.
pub(super) async fn take(store: &Store, session: &str) -> Result<(Taken, u32), ApiError> {
    let left = store.take_upload(session).await?;
    let left = left.ok_or(ApiError::CaptureOver(CaptureOver::Finished))?;
    let (store, session) = (store.clone(), session.to_owned());
    let taken = Taken::new("an upload", async move {
        store.give_back_upload(&session).await
    });
    Ok((taken, left))
}
