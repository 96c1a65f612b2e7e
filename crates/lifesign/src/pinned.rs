//! The built-in weights by their SHA-256. A card says the same of its files, but a card lies beside
//! them: whoever changes weights and card together has to change this list as well, in the code.

const PINNED: [(&str, &str); 3] = [
    (
        "detector/centerface.onnx",
        "a55914d0f3472fa07baa66f09b4056301e5f771ffa6717faf2322707965fefc1",
    ),
    (
        "pad/far.onnx",
        "d6bde7d5cf192f35daf8ca8bc9b04b464f6bf85d0e30b761394fc899be96539b",
    ),
    (
        "pad/tight.onnx",
        "6e6fe8bb07d643ed1ccd3e5eb3f5e582d55b179b199c13b0160d6414bd8cdc66",
    ),
];

/// The SHA-256 that the built-in weights at `path` must have, in lower-case hexadecimal; `None`
/// where there are no such weights.
pub(crate) fn sha256(path: &str) -> Option<&'static str> {
    let pinned = PINNED.iter().find(|(name, _)| *name == path);
    pinned.map(|(_, sha256)| *sha256)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::models::FILES;

    #[test]
    fn the_built_in_weights_are_those_that_the_code_names_and_no_others() {
        let mut seen = 0;
        for (path, bytes) in FILES.iter().filter(|(path, _)| path.ends_with(".onnx")) {
            let found = hex::encode(Sha256::digest(bytes));
            assert_eq!(sha256(path), Some(found.as_str()), "{path}");
            seen += 1;
        }
        assert_eq!(seen, PINNED.len());
        assert_eq!(sha256("pad/other.onnx"), None);
    }
}
