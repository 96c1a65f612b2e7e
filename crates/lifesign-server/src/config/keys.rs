//! The one table of keys: names, defaults and help for the command line, the file and the
//! environment alike.

/// One key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name in the file; `LIFESIGN_` and upper case in the environment, `--` and dashes as a flag.
    pub name: &'static str,
    /// Its default as text; empty means unset.
    pub default: &'static str,
    /// What kind of value it takes, for help texts.
    pub value: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// Whether its value holds a secret, which is never shown.
    pub secret: bool,
}

impl Key {
    /// The environment variable of this key, such as `LIFESIGN_DATA_DIR`.
    pub fn env(&self) -> String {
        format!("LIFESIGN_{}", self.name.to_ascii_uppercase())
    }

    /// The long flag of this key without its dashes, such as `data-dir`.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }
}

const fn key(
    name: &'static str,
    default: &'static str,
    value: &'static str,
    help: &'static str,
) -> Key {
    Key {
        name,
        default,
        value,
        help,
        secret: false,
    }
}

const fn secret(key: Key) -> Key {
    Key {
        secret: true,
        ..key
    }
}

/// Every key, in the order in which `lifesign config` prints them.
pub const KEYS: &[Key] = &[
    key(
        "listen",
        "127.0.0.1:8080",
        "ADDRESS",
        "Address and port to listen on",
    ),
    key(
        "data_dir",
        "lifesign-data",
        "DIR",
        "Directory of the database and the signing secret",
    ),
    secret(key(
        "database",
        "",
        "URL",
        "PostgreSQL database to use instead of SQLite in the data directory",
    )),
    key(
        "secret_file",
        "",
        "FILE",
        "Signing secret to use instead of secret.key, or of the one in the PostgreSQL database",
    ),
    key(
        "issuer",
        "Lifesign",
        "NAME",
        "Who certifies, in the signature of every answer",
    ),
    key(
        "time_zone",
        "UTC",
        "ZONE",
        "IANA time zone of the signature's date and time",
    ),
    key(
        "profile",
        "standard",
        "PROFILE",
        "Capture rules: standard or strict",
    ),
    key(
        "min_score",
        "0.6",
        "SCORE",
        "Pass threshold where a request gives none, 0 to 1",
    ),
    key(
        "token_lifetime",
        "30d",
        "DURATION",
        "How long an issued token is valid",
    ),
    key(
        "receipts",
        "true",
        "BOOL",
        "Whether answers carry a signed receipt",
    ),
    key(
        "receipt_key_lifetime",
        "365d",
        "DURATION",
        "How long one key signs receipts before another does",
    ),
    key(
        "extensions",
        "false",
        "BOOL",
        "Whether all answers carry decision, quality and face, not only where Lifesign-Extensions: 1 asks",
    ),
    key(
        "uncertain_band",
        "0.2",
        "SHARE",
        "How far from the threshold a decision is uncertain: share of the way to 1, and to 0",
    ),
    key(
        "api_page",
        "true",
        "BOOL",
        "Whether /openapi.json and the page /docs are served",
    ),
    key(
        "public_url",
        "",
        "URL",
        "Where browsers reach this service, such as https://liveness.example.org; unset, where the request did",
    ),
    key(
        "capture_origins",
        "",
        "ORIGINS",
        "Origins whose pages may use or frame capture sessions, such as https://shop.example,https://m.shop.example",
    ),
    key(
        "captures_keep",
        "30d",
        "DURATION",
        "How long capture sessions can be asked for after their end",
    ),
    key(
        "try_it",
        "true",
        "BOOL",
        "Whether the page / judges photographs without a token, for whoever sits at this machine; never where \
         `listen` or `public_url` is no loopback address",
    ),
    key("max_body_bytes", "16MiB", "SIZE", "Largest request body"),
    key(
        "max_body_memory",
        "256MiB",
        "SIZE",
        "Request bodies held at the same time, all together; more are answered 503",
    ),
    key(
        "max_image_bytes",
        "12MiB",
        "SIZE",
        "Largest photograph, decoded or downloaded",
    ),
    key(
        "max_pixels",
        "50000000",
        "COUNT",
        "Most pixels of a photograph",
    ),
    key(
        "max_image_memory",
        "512MiB",
        "SIZE",
        "Most memory that decoding one photograph may take",
    ),
    key(
        "decode_timeout",
        "5s",
        "DURATION",
        "Time to decode one photograph",
    ),
    key(
        "workers",
        "0",
        "COUNT",
        "Assessments at the same time; 0 is one per core",
    ),
    key(
        "queue",
        "",
        "COUNT",
        "Assessments that may wait, unset 16 for each worker; more are answered 503",
    ),
    key(
        "queue_timeout",
        "10s",
        "DURATION",
        "How long an assessment may wait; longer is answered 503",
    ),
    key(
        "client_rate",
        "",
        "NUMBER",
        "Requests per second of one client; more are answered 429",
    ),
    key(
        "client_burst",
        "",
        "COUNT",
        "Requests of one client at once, after a pause; unset, those of one second",
    ),
    key(
        "client_concurrent",
        "",
        "COUNT",
        "Requests of one client under way at the same time",
    ),
    key(
        "client_quota",
        "",
        "COUNT",
        "Judged photographs of one client in a calendar month (UTC)",
    ),
    key(
        "same_image_limit",
        "",
        "COUNT",
        "How often a day (UTC) nearly the same image of one client is judged; more is answered 429",
    ),
    key(
        "metrics_listen",
        "",
        "ADDRESS",
        "Address and port of a listener of its own for Prometheus, with /metrics",
    ),
    key(
        "max_connections",
        "512",
        "COUNT",
        "Connections served at the same time",
    ),
    key(
        "request_timeout",
        "30s",
        "DURATION",
        "Time for one whole request",
    ),
    key(
        "fetch",
        "true",
        "BOOL",
        "Whether an image may be given as an https URL",
    ),
    key(
        "fetch_hosts",
        "",
        "LIST",
        "Hosts that images may come from, such as photos.example.org,*.cdn.example; unset, all public ones",
    ),
    key(
        "fetch_ports",
        "443,8443",
        "LIST",
        "Ports that images may come from",
    ),
    key(
        "fetch_nat64",
        "",
        "LIST",
        "NAT64 prefixes of this network beside 64:ff9b::/96, such as 64:ff9b:1::/96",
    ),
    key(
        "fetch_concurrent",
        "32",
        "COUNT",
        "Image downloads at the same time; more are answered 503",
    ),
    key(
        "fetch_connect_timeout",
        "3s",
        "DURATION",
        "Time to connect to an image's host, and to wait for a place among the downloads",
    ),
    key(
        "fetch_header_timeout",
        "5s",
        "DURATION",
        "Time until an image's host has begun to answer, connecting included",
    ),
    key(
        "fetch_idle_timeout",
        "3s",
        "DURATION",
        "Time without any byte of an image",
    ),
    key(
        "fetch_timeout",
        "10s",
        "DURATION",
        "Time for one whole image download",
    ),
    key(
        "idp_jwks_url",
        "",
        "URL",
        "Keys of an identity provider whose tokens are accepted too",
    ),
    key(
        "idp_issuer",
        "",
        "TEXT",
        "The iss of the identity provider's tokens",
    ),
    key(
        "idp_audience",
        "",
        "TEXT",
        "The aud of the identity provider's tokens",
    ),
    key(
        "idp_client_claim",
        "client_id",
        "NAME",
        "The claim of the identity provider's tokens that holds a client's id or name",
    ),
    key(
        "idp_refresh",
        "10m",
        "DURATION",
        "How long the identity provider's keys are used before they are fetched again",
    ),
    key(
        "webhook_timeout",
        "10s",
        "DURATION",
        "Time for one try of a webhook",
    ),
    key(
        "webhook_pause",
        "5s",
        "DURATION",
        "Pause before a webhook's second try; it doubles from try to try, up to 6 hours",
    ),
    key(
        "webhook_give_up",
        "3d",
        "DURATION",
        "How long a webhook is tried",
    ),
    key(
        "webhook_keep",
        "30d",
        "DURATION",
        "How long deliveries can be listed and replayed",
    ),
    key(
        "attempts_keep",
        "",
        "DURATION",
        "How long attempts are kept; unset, for ever",
    ),
    key(
        "images_keep_in",
        "",
        "URL",
        "Folder or s3://bucket/folder in which judged photographs are kept, encrypted; unset, none is",
    ),
    key(
        "images_keep_key",
        "",
        "KEY",
        "Public key (age1…) that kept photographs are encrypted to; lifesign image keygen makes one",
    ),
    key(
        "images_keep",
        "30d",
        "DURATION",
        "How long photographs are kept",
    ),
    key(
        "models_dir",
        "",
        "DIR",
        "Models to use instead of the built-in ones",
    ),
    key(
        "calibration",
        "",
        "FILE",
        "Calibration to use instead of the model card's; lifesign calibrate writes it",
    ),
    key(
        "log",
        "info",
        "FILTER",
        "What is logged, such as info or lifesign_server=debug",
    ),
    key(
        "log_format",
        "text",
        "FORMAT",
        "Form of the log: text or json",
    ),
];

/// The key of that name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The known key that someone who wrote `name` most likely meant.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let wanted = name.to_ascii_lowercase().replace('-', "_");
    KEYS.iter()
        .map(|key| (strsim::damerau_levenshtein(&wanted, key.name), key.name))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(3))
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_name_in_each_layer() {
        let key = find("data_dir").unwrap();
        assert_eq!(key.env(), "LIFESIGN_DATA_DIR");
        assert_eq!(key.flag(), "data-dir");
    }

    #[test]
    fn a_misspelt_key_is_led_to_the_known_one() {
        assert_eq!(nearest("datadir"), Some("data_dir"));
        assert_eq!(nearest("Listen"), Some("listen"));
        assert_eq!(nearest("max-pixel"), Some("max_pixels"));
        assert_eq!(nearest("colour"), None);
    }
}
