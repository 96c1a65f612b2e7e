//! The keys that sign receipts.

use std::time::Duration;

use serde_json::Value;

use super::{Admin, AdminError};
use crate::receipt::ReceiptKey;

impl Admin {
    /// The keys that sign and signed receipts, the one that signs last first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn receipt_keys(&self) -> Result<Vec<ReceiptKey>, AdminError> {
        Ok(self.receipts.list().await?)
    }

    /// Their public halves, a JWK set.
    ///
    /// # Errors
    /// The database failed.
    pub async fn public_receipt_keys(&self) -> Result<Value, AdminError> {
        Ok(self.receipts.public().await?)
    }

    /// Makes another key, published at once, that signs after `lead`. Returns its id.
    ///
    /// # Errors
    /// The key cannot be made or kept.
    pub async fn rotate_receipt_key(&self, lead: Duration) -> Result<String, AdminError> {
        Ok(self.receipts.rotate(lead).await?)
    }

    /// Withdraws a key that others may have: its receipts are worth nothing from now on.
    ///
    /// # Errors
    /// There is no such key, or the database failed.
    pub async fn withdraw_receipt_key(&self, kid: &str) -> Result<(), AdminError> {
        match self.receipts.withdraw(kid).await? {
            true => Ok(()),
            false => Err(AdminError::NoSuchKey(kid.to_owned())),
        }
    }
}
