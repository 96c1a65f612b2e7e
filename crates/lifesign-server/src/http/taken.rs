//! What a request takes beforehand, so that no number of requests at the same time gets more than there
//! is, and what is given back where the photograph was not looked at.

use std::pin::Pin;

use crate::error::chain;
use crate::store::StoreError;

type GivingBack = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// Something that was taken. Given back when this is dropped, unless it was used: also where the client
/// went away, or the request took too long.
pub(super) struct Taken {
    what: &'static str,
    give_back: Option<GivingBack>,
}

impl Taken {
    /// `give_back` undoes the taking.
    pub(super) fn new(
        what: &'static str,
        give_back: impl Future<Output = Result<(), StoreError>> + Send + 'static,
    ) -> Taken {
        Taken {
            what,
            give_back: Some(Box::pin(give_back)),
        }
    }

    /// It stays taken.
    pub(super) fn used(mut self) {
        self.give_back = None;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let (Some(give_back), Ok(runtime)) =
            (self.give_back.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let what = self.what;
        runtime.spawn(async move {
            if let Err(error) = give_back.await {
                tracing::warn!(what, cause = chain(&error), "what was taken stays taken");
            }
        });
    }
}
