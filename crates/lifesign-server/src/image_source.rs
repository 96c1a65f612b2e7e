//! What the `image` field holds: a photograph in base64, or the URL of one.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reqwest::Url;

use crate::error::Unjudgeable;

/// Padded or not; clients that cut the padding also leave stray bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Where the photograph is.
#[derive(PartialEq)]
pub enum ImageSource {
    /// Here, decoded from base64.
    Bytes(Vec<u8>),
    /// There, to be downloaded.
    Url(Url),
}

impl ImageSource {
    /// Reads the `image` field. `max_bytes` is the limit of the decoded photograph.
    ///
    /// # Errors
    /// The text is none of the three forms, or the photograph is over the limit.
    pub fn parse(image: &str, max_bytes: usize) -> Result<ImageSource, Unjudgeable> {
        let image = image.trim();
        if let Some(uri) = strip_prefix_ignore_case(image, "data:") {
            // Any media type: what the bytes are is decided by looking at them.
            let payload = uri
                .split_once(',')
                .filter(|(head, _)| strip_suffix_ignore_case(head.trim_end(), ";base64"))
                .map(|(_, payload)| payload)
                .ok_or_else(|| {
                    Unjudgeable::invalid_image("The data URI must be base64-encoded.")
                })?;
            return decode(payload, max_bytes).map(ImageSource::Bytes);
        }
        match scheme(image) {
            None => decode(image, max_bytes).map(ImageSource::Bytes),
            Some("https") => https(image).map(ImageSource::Url),
            Some(_) => Err(Unjudgeable::invalid_image(
                "The image URL must begin with https://; other addresses are not fetched.",
            )),
        }
    }
}

/// The scheme of something that looks like `scheme://…`; no base64 text contains a colon. Only where
/// schemes are: megabytes of base64 are not searched for one.
fn scheme(text: &str) -> Option<&'static str> {
    const LONGEST: usize = 32;
    let head = text.as_bytes().get(..LONGEST).unwrap_or(text.as_bytes());
    let colon = head.iter().position(|&byte| byte == b':')?;
    let scheme = text
        .get(..colon)
        .filter(|_| text[colon..].starts_with("://"))?;
    Some(if scheme.eq_ignore_ascii_case("https") {
        "https"
    } else {
        "other"
    })
}

fn https(text: &str) -> Result<Url, Unjudgeable> {
    /// Longer than any signed storage URL in use.
    const LONGEST: usize = 8192;
    Some(text)
        .filter(|text| text.len() <= LONGEST)
        .and_then(|text| Url::parse(text).ok())
        .ok_or_else(|| Unjudgeable::invalid_image("The image URL is not valid."))
}

fn decode(text: &str, max_bytes: usize) -> Result<Vec<u8>, Unjudgeable> {
    // As nearly all clients write it, at a tenth of the time.
    if text.len() / 4 * 3 <= max_bytes
        && let Ok(bytes) = base64_simd::forgiving_decode_to_vec(text.as_bytes())
        && (1..=max_bytes).contains(&bytes.len())
    {
        return Ok(bytes);
    }
    decode_in_any_spelling(text, max_bytes)
}

/// Also of the URL-safe alphabet, with any padding, and with more line breaks than there are bytes over
/// the limit.
fn decode_in_any_spelling(text: &str, max_bytes: usize) -> Result<Vec<u8>, Unjudgeable> {
    let symbols = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
        .count();
    if symbols / 4 * 3 > max_bytes {
        return Err(too_large(max_bytes));
    }
    let mut standard = Vec::with_capacity(symbols + 2);
    standard.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(
        |byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        },
    ));
    match BASE64.decode(standard) {
        Ok(bytes) if bytes.is_empty() => Err(no_image()),
        Ok(bytes) if bytes.len() > max_bytes => Err(too_large(max_bytes)),
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(no_image()),
    }
}

fn no_image() -> Unjudgeable {
    Unjudgeable::invalid_image(
        "The image is not valid base64. Send a JPEG, PNG or WebP photograph as base64, as a data \
         URI or as an https URL.",
    )
}

/// The photograph is over the limit of this service.
pub(crate) fn too_large(max_bytes: usize) -> Unjudgeable {
    Unjudgeable::invalid_image(format!(
        "The photograph is larger than {max_bytes} bytes. Send a smaller one."
    ))
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

fn strip_suffix_ignore_case(text: &str, suffix: &str) -> bool {
    let start = text.len().checked_sub(suffix.len());
    start
        .and_then(|start| text.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
}

#[cfg(test)]
mod tests {
    use base64::prelude::{
        BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD,
    };

    use proptest::prelude::*;

    use super::*;

    // Its base64 has both characters in which the alphabets differ, and padding.
    const BYTES: &[u8] = &[0xfb, 0xff, 0xbf, 0x3e, 0x3f, 0xff, 0xd8];

    fn bytes(image: &str) -> Option<Vec<u8>> {
        match ImageSource::parse(image, 64) {
            Ok(ImageSource::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    fn refusal(image: &str, max_bytes: usize) -> String {
        match ImageSource::parse(image, max_bytes) {
            Err(unjudgeable) => {
                assert_eq!(unjudgeable.reason, "invalid_image");
                unjudgeable.message
            }
            Ok(_) => panic!("{image:?} was accepted"),
        }
    }

    #[test]
    fn every_spelling_of_base64_is_read() {
        for text in [
            BASE64_STANDARD.encode(BYTES),
            BASE64_STANDARD_NO_PAD.encode(BYTES),
            BASE64_URL_SAFE.encode(BYTES),
            BASE64_URL_SAFE_NO_PAD.encode(BYTES),
        ] {
            let broken: String = text.chars().flat_map(|c| [c, '\r', '\n', ' ']).collect();
            for image in [
                text.clone(),
                broken,
                format!("data:image/jpeg;base64,{text}"),
                format!("DATA:application/octet-stream;name=a.jpg;BASE64,{text}"),
                format!("data:;base64,\n{text}"),
            ] {
                assert_eq!(bytes(&image).as_deref(), Some(BYTES), "{image}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_quick_way_reads_what_the_thorough_one_reads(text in r"[A-Za-z0-9+/_\- \r\n=]{0,24}={0,3}", max in 0..24_usize) {
            prop_assert_eq!(decode(&text, max), decode_in_any_spelling(&text, max));
        }
    }

    #[test]
    fn https_alone_is_a_url() {
        assert!(matches!(
            ImageSource::parse("HTTPS://example.org/a.jpg", 1),
            Ok(ImageSource::Url(_))
        ));
        for image in [
            "http://example.org/a.jpg",
            "ftp://example.org/a",
            "file:///etc/passwd",
        ] {
            assert!(refusal(image, 64).contains("https://"), "{image}");
        }
        assert!(refusal("https://", 64).contains("not valid"));
    }

    #[test]
    fn what_is_no_image_is_refused_without_a_panic() {
        for image in [
            "%",
            "=",
            "a",
            "data:",
            "data:,",
            "data:image/png,abcd",
            "🙂",
            "data:🙂;base64",
            " ",
        ] {
            refusal(image, 64);
        }
    }

    #[test]
    fn the_limit_holds_for_the_decoded_bytes_exactly() {
        let text = BASE64_STANDARD.encode([7; 16]);
        assert!(ImageSource::parse(&text, 16).is_ok());
        assert!(refusal(&text, 15).contains("larger than 15 bytes"));
        assert!(refusal(&"A".repeat(1 << 20), 15).contains("larger than 15 bytes"));
    }
}
