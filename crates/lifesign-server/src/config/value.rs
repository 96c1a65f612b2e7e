//! How the text of a value is read. Each parser answers with what it expected, so that the error
//! can say it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::http::HeaderValue;
use jiff::tz::TimeZone;
use reqwest::Url;
use tracing_subscriber::EnvFilter;

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

/// What a parser expected where it could not read a value.
pub(super) type Expected = &'static str;

pub(super) fn parsed<T: FromStr>(text: &str, expected: Expected) -> Result<T, Expected> {
    text.trim().parse().map_err(|_| expected)
}

pub(super) fn count(text: &str) -> Result<usize, Expected> {
    // 65536 is far more threads, waiting photographs or connections than any machine holds.
    match text.trim().replace('_', "").parse() {
        Ok(count) if count <= 65_536 => Ok(count),
        _ => Err("a whole number from 0 to 65536"),
    }
}

pub(super) fn positive_count(text: &str) -> Result<usize, Expected> {
    match count(text) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("a whole number from 1 to 65536"),
    }
}

/// A value that may be left unset.
pub(super) fn optional<T>(
    parse: impl Fn(&str) -> Result<T, Expected>,
) -> impl Fn(&str) -> Result<Option<T>, Expected> {
    move |text| match text.trim() {
        "" => Ok(None),
        text => parse(text).map(Some),
    }
}

/// Requests per second.
pub(crate) fn rate(text: &str) -> Result<f64, Expected> {
    match text.trim().parse() {
        Ok(rate) if (0.001..=1_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("a number of requests per second from 0.001 to 1000000"),
    }
}

/// How many at most.
pub(crate) fn limit(text: &str) -> Result<u32, Expected> {
    match text.trim().replace('_', "").parse() {
        Ok(count) if (1..=1_000_000_000).contains(&count) => Ok(count),
        _ => Err("a whole number from 1 to 1000000000"),
    }
}

pub(super) fn pixels(text: &str) -> Result<u64, Expected> {
    match text.trim().replace('_', "").parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("a number of pixels such as 50000000"),
    }
}

pub(crate) fn score(text: &str) -> Result<f64, Expected> {
    match text.trim().parse() {
        Ok(score) if (0.0..=1.0).contains(&score) => Ok(score),
        _ => Err("a number from 0 to 1"),
    }
}

pub(super) fn boolean(text: &str) -> Result<bool, Expected> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("true or false"),
    }
}

/// A size of one thing, as [`memory`] is written.
pub(super) fn size(text: &str) -> Result<usize, Expected> {
    // One gibibyte is more than any photograph: beyond it a typing error is likelier than a wish.
    match memory(text)? {
        bytes if bytes > 1 << 30 => Err("a size of at most 1GiB"),
        bytes => Ok(bytes),
    }
}

/// Memory: plain bytes, or a number with kB, MB, GB (powers of 1000) or KiB, MiB, GiB (of 1024).
pub(super) fn memory(text: &str) -> Result<usize, Expected> {
    const EXPECTED: Expected = "a size such as 16MiB, 12 MB or a plain number of bytes";
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '_')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: usize = number.replace('_', "").parse().map_err(|_| EXPECTED)?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        _ => return Err(EXPECTED),
    };
    match number.checked_mul(factor) {
        Some(0) | None => Err(EXPECTED),
        Some(bytes) => Ok(bytes),
    }
}

/// A duration of at least a millisecond and at most a hundred years.
pub(super) fn duration(text: &str) -> Result<Duration, Expected> {
    const MOST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);
    match humantime::parse_duration(text.trim()) {
        Ok(duration) if duration >= Duration::from_millis(1) && duration <= MOST => Ok(duration),
        _ => Err("a duration such as 30s, 15m or 30d"),
    }
}

/// A token's lifetime: whole seconds are all that a JWT can say.
pub(crate) fn lifetime(text: &str) -> Result<Duration, Expected> {
    match duration(text) {
        Ok(duration) if duration >= Duration::from_secs(1) => Ok(duration),
        _ => Err("a duration of at least a second, such as 12h or 30d"),
    }
}

pub(super) fn time_zone(text: &str) -> Result<TimeZone, Expected> {
    TimeZone::get(text.trim()).map_err(|_| "an IANA time zone such as UTC or America/Bogota")
}

pub(super) fn non_empty(text: &str) -> Result<String, Expected> {
    match text.trim() {
        "" => Err("some text"),
        text => Ok(text.to_owned()),
    }
}

pub(super) fn directory(text: &str) -> Result<PathBuf, Expected> {
    match text {
        "" => Err("the path of a directory"),
        text => Ok(PathBuf::from(text)),
    }
}

/// An address whose answer is trusted, which may be left unset: https, or http on this machine.
pub(crate) fn trusted_url(text: &str) -> Result<Option<Url>, Expected> {
    const EXPECTED: Expected = "an https:// address, or an http:// one of this machine such as http://127.0.0.1:8080/jwks.json";
    if text.trim().is_empty() {
        return Ok(None);
    }
    let url = Url::parse(text.trim()).map_err(|_| EXPECTED)?;
    match (url.scheme(), is_of_this_machine(&url)) {
        ("https", _) | ("http", true) => Ok(Some(url)),
        _ => Err(EXPECTED),
    }
}

/// Whether an address leads to the machine itself.
pub(crate) fn is_of_this_machine(url: &Url) -> bool {
    match url.host_str().map(|host| host.trim_matches(['[', ']'])) {
        Some("localhost") => true,
        Some(host) => host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

/// The address that browsers find this service under: at the root of its host, as its pages are.
pub(super) fn web_address(text: &str) -> Result<Url, Expected> {
    match Url::parse(text.trim()) {
        Ok(url)
            if matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none() =>
        {
            Ok(url)
        }
        _ => Err("an address such as https://liveness.example.org"),
    }
}

/// Origins of web pages, with commas between them.
pub(super) fn origins(text: &str) -> Result<Vec<HeaderValue>, Expected> {
    const EXPECTED: Expected =
        "origins such as https://shop.example,http://localhost:3000, with commas between them";
    let origins = text
        .split(',')
        .map(str::trim)
        .filter(|origin| !origin.is_empty());
    let origin = |text: &str| {
        let url = Url::parse(text).map_err(|_| EXPECTED)?;
        let origin = url.origin().ascii_serialization();
        // Nothing after the port, nor in the name, that a policy would read as more than one origin.
        let plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '.' | '-' | '[' | ']');
        let is_origin = origin == text.trim_end_matches('/') && origin.chars().all(plain);
        if !(matches!(url.scheme(), "http" | "https") && is_origin) {
            return Err(EXPECTED);
        }
        HeaderValue::from_str(&origin).map_err(|_| EXPECTED)
    };
    origins.map(origin).collect()
}

/// A PostgreSQL database, which may be left unset.
pub(super) fn postgres(text: &str) -> Result<Option<Url>, Expected> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => Ok(Some(url)),
        _ => Err("an address such as postgres://user:password@host/database"),
    }
}

/// Where files are kept: a folder, or an S3-compatible store.
pub(super) fn place(text: &str) -> Result<Url, Expected> {
    const EXPECTED: Expected = "a folder, or an address such as s3://bucket/folder";
    if let Some((scheme, _)) = text.split_once("://") {
        return match (scheme, Url::parse(text)) {
            ("s3" | "file", Ok(url)) => Ok(url),
            _ => Err(EXPECTED),
        };
    }
    let folder = std::path::absolute(text).map_err(|_| EXPECTED)?;
    Url::from_directory_path(folder).map_err(|()| EXPECTED)
}

/// A public key that photographs are encrypted to.
pub(super) fn public_key(text: &str) -> Result<String, Expected> {
    match crate::archive::recipient(text) {
        Ok(_) => Ok(text.trim().to_owned()),
        Err(_) => Err("a public key such as age1…; lifesign image keygen makes one"),
    }
}

/// A path that may be left unset.
pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

pub(super) fn log_filter(text: &str) -> Result<String, Expected> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("a filter such as info, debug or lifesign_server=debug,warn"),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, Expected> {
    match text.trim().to_ascii_lowercase().as_str() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("text or json"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_binary_and_decimal_units() {
        for (text, bytes) in [
            ("16MiB", 16 << 20),
            ("12 MB", 12_000_000),
            ("4096", 4096),
            ("1_000", 1000),
            ("3kib", 3072),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "MiB",
            "-1",
            "1.5MiB",
            "12 apples",
            "0",
            "2GiB",
            "99999999999999999999",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_read_with_their_units_and_never_zero() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(30 * 86400)));
        for text in ["", "0s", "30", "-1s", "1000000y"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(lifetime("500ms").is_err());
    }

    #[test]
    fn a_score_is_from_0_to_1() {
        assert_eq!(score("0.6"), Ok(0.6));
        for text in ["1.01", "-0.1", "NaN", "inf", "high"] {
            assert!(score(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_trusted_address_cannot_be_changed_on_its_way() {
        for text in [
            "https://id.example/jwks.json",
            "http://127.0.0.1:1/jwks",
            "http://[::1]/jwks",
            "http://localhost/jwks",
        ] {
            assert!(trusted_url(text).unwrap().is_some(), "{text}");
        }
        assert_eq!(trusted_url(""), Ok(None));
        for text in [
            "http://id.example/jwks.json",
            "ftp://id.example",
            "id.example",
            "http://10.0.0.1/",
        ] {
            assert!(trusted_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        assert_eq!(origins(""), Ok(Vec::new()));
        let two = origins("https://shop.example, http://localhost:3000/").unwrap();
        assert_eq!(two, ["https://shop.example", "http://localhost:3000"]);
        for text in [
            "*",
            "shop.example",
            "https://*.shop.example",
            "https://shop.example;frame-ancestors",
            "https://shop.example/path",
            "https://shop.example; script-src *",
            "https://shop.example 'unsafe-inline'",
            "null",
            "file:///",
        ] {
            assert!(origins(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_service_is_found_under_a_web_address() {
        assert!(web_address("https://liveness.example.org/").is_ok());
        for text in [
            "liveness.example.org",
            "ftp://a.example",
            "https://a.example/b",
            "https://a.example/?b",
            "https://a.example/#b",
        ] {
            assert!(web_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_zone_is_found_without_the_machines_own_database() {
        assert!(time_zone("America/Bogota").is_ok());
        assert!(time_zone("Mars/Olympus").is_err());
    }
}
