//! One of a client's monthly quota: taken before the photograph is judged, so that no number of
//! requests at the same time gets more, and given back when it was not judged.

use jiff::Timestamp;

use super::App;
use crate::auth::Identity;
use crate::error::{ApiError, Limit, chain};
use crate::limits::month;
use crate::store::Store;

/// What was taken. Given back when this is dropped, unless it was used.
pub(super) struct Quota(Option<Taken>);

struct Taken {
    store: Store,
    client_id: String,
    month: String,
}

impl Quota {
    /// Takes one, where the client has a quota.
    ///
    /// # Errors
    /// None is left, or the database failed.
    pub(super) async fn take(app: &App, identity: &Identity) -> Result<Quota, ApiError> {
        let Some(quota) = app.limiter.quota(identity.limits) else {
            return Ok(Quota(None));
        };
        let (month, left) = month(Timestamp::now());
        let client_id = identity.client_id.clone();
        if !app.store.take_from_quota(&client_id, &month, quota).await? {
            return Err(ApiError::TooManyRequests {
                limit: Limit::Quota,
                retry_after: left,
            });
        }
        Ok(Quota(Some(Taken {
            store: app.store.clone(),
            client_id,
            month,
        })))
    }

    /// The photograph was judged.
    pub(super) fn used(mut self) {
        self.0 = None;
    }
}

impl Drop for Quota {
    /// Also where the client went away, or the request took too long.
    fn drop(&mut self) {
        let Some(taken) = self.0.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let given = taken
                .store
                .give_back_to_quota(&taken.client_id, &taken.month);
            if let Err(error) = given.await {
                tracing::warn!(cause = chain(&error), "a quota could not be given back");
            }
        });
    }
}
