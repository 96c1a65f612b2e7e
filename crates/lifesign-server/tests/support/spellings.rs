//! How a secret may be spelt where it does not belong.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

/// Whether `text` holds the secret, as it is or as programs print bytes.
pub fn holds(text: &[u8], secret: &[u8]) -> bool {
    let listed: Vec<String> = secret.iter().map(u8::to_string).collect();
    let hex = hex::encode(secret);
    let spellings = [
        secret.to_vec(),
        hex.to_uppercase().into(),
        hex.into(),
        // Without the end, which depends on padding.
        BASE64_STANDARD.encode(secret)[..secret.len()].into(),
        BASE64_URL_SAFE.encode(secret)[..secret.len()].into(),
        secret.escape_ascii().to_string().into(),
        String::from_utf8_lossy(secret).into_owned().into(),
        listed.join(", ").into(),
        listed.join(",").into(),
    ];
    spellings
        .iter()
        .any(|spelling| text.windows(spelling.len()).any(|part| part == spelling))
}
