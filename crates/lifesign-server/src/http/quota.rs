//! One of a client's monthly quota.

use jiff::Timestamp;

use super::App;
use super::taken::Taken;
use crate::auth::Identity;
use crate::error::{ApiError, Limit};
use crate::limits::month;

/// Takes one for a photograph, where the client has a quota.
///
/// # Errors
/// None is left, or the database failed.
pub(super) async fn take(app: &App, identity: &Identity) -> Result<Option<Taken>, ApiError> {
    let Some(quota) = app.limiter.quota(identity.limits) else {
        return Ok(None);
    };
    let (month, left) = month(Timestamp::now());
    let client_id = identity.client_id.clone();
    if !app.store.take_from_quota(&client_id, &month, quota).await? {
        return Err(ApiError::TooManyRequests {
            limit: Limit::Quota,
            retry_after: left,
        });
    }
    let store = app.store.clone();
    Ok(Some(Taken::new("one of a quota", async move {
        store.give_back_to_quota(&client_id, &month).await
    })))
}
