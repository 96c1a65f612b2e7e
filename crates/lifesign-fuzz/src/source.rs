//! The `image` field.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use lifesign_server::image_source::ImageSource;

/// So small that inputs are over it.
const MAX_BYTES: usize = 1024;
/// Longest address.
const LONGEST_URL: usize = 8192;

/// Any text as the `image` field of a request.
pub fn image_source(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match ImageSource::parse(&text, MAX_BYTES) {
        Ok(ImageSource::Bytes(photograph)) => {
            let size = photograph.len();
            assert!((1..=MAX_BYTES).contains(&size), "{size} bytes came out");
            let plain = BASE64_STANDARD.encode(&photograph);
            let cut = BASE64_URL_SAFE_NO_PAD.encode(&photograph);
            for spelling in [
                &plain,
                &cut,
                &format!("data:image/jpeg;base64,{plain}"),
                &format!(" {cut}\r\n"),
            ] {
                assert!(read(spelling, MAX_BYTES).as_ref() == Some(&photograph));
            }
            // The limit is exact, and it is about the photograph, not about its spelling.
            assert!(read(&text, size).as_ref() == Some(&photograph));
            assert!(read(&text, size - 1).is_none());
        }
        Ok(ImageSource::Url(url)) => {
            assert_eq!(url.scheme(), "https");
            assert!(url.has_host());
            assert!(text.trim().len() <= LONGEST_URL);
            // What is fetched is an address by itself.
            assert!(
                ImageSource::parse(url.as_str(), MAX_BYTES).is_ok()
                    || url.as_str().len() > LONGEST_URL
            );
        }
        Err(why) => {
            assert_eq!(
                (why.code, why.reason),
                ("ERR_INVALID_IMAGE", "invalid_image")
            );
            // The answer to a bad request never grows with it.
            assert!(why.message.len() < 200, "{}", why.message);
        }
    }
}

fn read(text: &str, max_bytes: usize) -> Option<Vec<u8>> {
    match ImageSource::parse(text, max_bytes) {
        Ok(ImageSource::Bytes(bytes)) => Some(bytes),
        _ => None,
    }
}
