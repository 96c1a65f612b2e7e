//! The layers, which of them gives each value, and the sentence when it cannot be read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::keys::{self, KEYS, Key};
use super::{Config, ConfigError, value};
use crate::archive::ArchiveConfig;
use crate::auth::ProviderConfig;
use crate::fetch::Rules;
use crate::housekeeping::Keeping;
use crate::limits::ClientLimits;
use crate::store::Database;
use crate::webhooks::DeliveryConfig;

/// A configuration file that was read.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    /// Where it lies, for messages.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl ConfigFile {
    /// Reads the file.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(path: &Path) -> Result<ConfigFile, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(ConfigFile {
                path: path.to_path_buf(),
                text,
            }),
            Err(cause) => Err(ConfigError::Unreadable {
                path: path.to_path_buf(),
                cause,
            }),
        }
    }
}

/// What was said about the configuration, the strongest first.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// Key name (such as `data_dir`) to the text of its flag.
    pub flags: BTreeMap<String, String>,
    /// The whole environment; only `LIFESIGN_` with a known key counts, and only when not empty.
    pub env: BTreeMap<String, String>,
    /// The TOML file, where there is one.
    pub file: Option<ConfigFile>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A command line flag, such as `data-dir`.
    Flag(String),
    /// An environment variable.
    Environment(String),
    /// The configuration file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag(flag) => write!(f, "flag --{flag}"),
            Source::Environment(name) => write!(f, "environment {name}"),
            Source::File(path) => write!(f, "file {}", path.display()),
            Source::Default => f.write_str("default"),
        }
    }
}

/// One effective value. Displays as a line of a configuration file, with its source as a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The key.
    pub key: &'static str,
    /// Its value as it was written; empty where it is unset.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Effective { key, value, source } = self;
        if value.is_empty() {
            return write!(f, "# {key} is not set  # {source}");
        }
        if shown(key, value) != value {
            return write!(f, "# {key} is set, and not shown  # {source}");
        }
        let bare = value.parse::<i64>().is_ok()
            || value.parse::<bool>().is_ok()
            || (value.contains('.') && value.parse::<f64>().is_ok_and(f64::is_finite));
        match bare {
            true => write!(f, "{key} = {value}  # {source}"),
            false => write!(
                f,
                "{key} = {}  # {source}",
                toml::Value::from(value.as_str())
            ),
        }
    }
}

/// The text of every key and where it came from.
pub(super) fn effective(layers: &Layers) -> Result<Vec<Effective>, ConfigError> {
    if let Some(key) = layers.flags.keys().find(|key| keys::find(key).is_none()) {
        let (from, nearest) = (Source::Flag(key.replace('_', "-")), keys::nearest(key));
        return Err(ConfigError::UnknownKey {
            key: key.clone(),
            from,
            nearest,
        });
    }
    let file = layers
        .file
        .as_ref()
        .map(scalars)
        .transpose()?
        .unwrap_or_default();
    let value_of = |key: &'static Key| {
        let (value, source) = if let Some(value) = layers.flags.get(key.name) {
            (value.clone(), Source::Flag(key.flag()))
        } else if let Some(value) = layers.env.get(&key.env()).filter(|value| !value.is_empty()) {
            // Compose files pass `NAME=` for "not set".
            (value.clone(), Source::Environment(key.env()))
        } else if let (Some(value), Some(file)) = (file.get(key.name), &layers.file) {
            (value.clone(), Source::File(file.path.clone()))
        } else {
            (key.default.to_owned(), Source::Default)
        };
        Effective {
            key: key.name,
            value,
            source,
        }
    };
    Ok(KEYS.iter().map(value_of).collect())
}

fn scalars(file: &ConfigFile) -> Result<BTreeMap<String, String>, ConfigError> {
    let path = &file.path;
    let table: toml::Table = file.text.parse().map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .map(|span| file.text[..span.start].lines().count().max(1));
        let at = line
            .map(|line| format!(" (line {line})"))
            .unwrap_or_default();
        ConfigError::NotToml {
            path: path.clone(),
            message: format!("{}{at}", error.message()),
        }
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        if keys::find(&key).is_none() {
            let (from, nearest) = (Source::File(path.clone()), keys::nearest(&key));
            return Err(ConfigError::UnknownKey { key, from, nearest });
        }
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            other => {
                let found = other.type_str();
                return Err(ConfigError::NotScalar {
                    key,
                    path: path.clone(),
                    found,
                });
            }
        };
        values.insert(key, text);
    }
    Ok(values)
}

/// Reads every text as its key's type.
pub(super) fn typed(effective: &[Effective]) -> Result<Config, ConfigError> {
    let values = Values(effective);
    let max_body_bytes = values.read("max_body_bytes", value::size)?;
    Ok(Config {
        listen: values.read("listen", |text| {
            value::parsed(text, "an address and port such as 127.0.0.1:8080")
        })?,
        data_dir: values.read("data_dir", value::directory)?,
        database: values
            .read("database", value::postgres)?
            .map(Database::Postgres),
        secret_file: values.read("secret_file", |text| Ok(value::path(text)))?,
        issuer: values.read("issuer", value::non_empty)?,
        time_zone: values.read("time_zone", value::time_zone)?,
        profile: values.read("profile", |text| value::parsed(text, "standard or strict"))?,
        min_score: values.read("min_score", value::score)?,
        token_lifetime: values.read("token_lifetime", value::lifetime)?,
        receipts: values.read("receipts", value::boolean)?,
        receipt_key_lifetime: values.read("receipt_key_lifetime", value::duration)?,
        extensions: values.read("extensions", value::boolean)?,
        uncertain_band: values.read("uncertain_band", value::score)?,
        api_page: values.read("api_page", value::boolean)?,
        public_url: values.read("public_url", value::optional(value::web_address))?,
        capture_origins: values.read("capture_origins", value::origins)?,
        try_it: values.read("try_it", value::boolean)?,
        max_body_bytes,
        max_body_memory: values.read("max_body_memory", |text| {
            // One body must fit in.
            match value::memory(text)? {
                memory if memory < max_body_bytes => Err("at least `max_body_bytes`"),
                memory => Ok(memory),
            }
        })?,
        max_image_bytes: values.read("max_image_bytes", value::size)?,
        max_pixels: values.read("max_pixels", value::pixels)?,
        max_image_memory: values.read("max_image_memory", value::size)?,
        decode_timeout: values.read("decode_timeout", value::duration)?,
        workers: values.read("workers", value::count)?,
        queue: values.read("queue", value::optional(value::count))?,
        queue_timeout: values.read("queue_timeout", value::duration)?,
        client_limits: ClientLimits {
            rate: values.read("client_rate", value::optional(value::rate))?,
            burst: values.read("client_burst", value::optional(value::limit))?,
            concurrent: values.read("client_concurrent", value::optional(value::limit))?,
            quota: values.read("client_quota", value::optional(value::limit))?,
        },
        same_image_limit: values.read("same_image_limit", value::optional(value::limit))?,
        metrics_listen: values.read(
            "metrics_listen",
            value::optional(|text| {
                value::parsed(text, "an address and port such as 127.0.0.1:9464")
            }),
        )?,
        max_connections: values.read("max_connections", value::positive_count)?,
        request_timeout: values.read("request_timeout", value::duration)?,
        fetch: values.read("fetch", value::boolean)?,
        fetch_rules: fetch_rules(&values)?,
        fetch_concurrent: values.read("fetch_concurrent", value::positive_count)?,
        fetch_connect_timeout: values.read("fetch_connect_timeout", value::duration)?,
        fetch_header_timeout: values.read("fetch_header_timeout", value::duration)?,
        fetch_idle_timeout: values.read("fetch_idle_timeout", value::duration)?,
        fetch_timeout: values.read("fetch_timeout", value::duration)?,
        identity_provider: identity_provider(&values)?,
        webhooks: DeliveryConfig {
            timeout: values.read("webhook_timeout", value::duration)?,
            first_pause: values.read("webhook_pause", value::duration)?,
            give_up: values.read("webhook_give_up", value::duration)?,
        },
        keeping: Keeping {
            attempts: values.read("attempts_keep", value::optional(value::duration))?,
            deliveries: values.read("webhook_keep", value::duration)?,
            captures: values.read("captures_keep", value::duration)?,
        },
        archive: archive(&values)?,
        models_dir: values.read("models_dir", |text| Ok(value::path(text)))?,
        calibration: values.read("calibration", |text| Ok(value::path(text)))?,
        log: values.read("log", value::log_filter)?,
        log_format: values.read("log_format", value::log_format)?,
    })
}

fn fetch_rules(values: &Values) -> Result<Rules, ConfigError> {
    Ok(Rules {
        hosts: values.read("fetch_hosts", |text| {
            value::parsed(
                text,
                "names or addresses such as photos.example.org,*.cdn.example, with commas between them",
            )
        })?,
        ports: values.read("fetch_ports", |text| {
            value::parsed(text, "ports such as 443,8443")
        })?,
        nat64: values.read("fetch_nat64", |text| {
            value::parsed(
                text,
                "prefixes such as 64:ff9b:1::/96, of 32, 40, 48, 56, 64 or 96 bits",
            )
        })?,
    })
}

/// There is one where its keys have an address; then who it is and for whom its tokens are must be
/// said as well, or tokens made for other services would be good here.
fn identity_provider(values: &Values) -> Result<Option<ProviderConfig>, ConfigError> {
    let jwks_url = values.read("idp_jwks_url", value::trusted_url)?;
    let needed = |text: &str| match (&jwks_url, text.trim()) {
        (Some(_), "") => Err("some text, because `idp_jwks_url` is set"),
        (_, text) => Ok(text.to_owned()),
    };
    let (issuer, audience) = (
        values.read("idp_issuer", needed)?,
        values.read("idp_audience", needed)?,
    );
    let client_claim = values.read("idp_client_claim", value::non_empty)?;
    let refresh = values.read("idp_refresh", value::duration)?;
    Ok(jwks_url.map(|jwks_url| ProviderConfig {
        jwks_url,
        issuer,
        audience,
        client_claim,
        refresh,
    }))
}

/// A value as it may be shown: secrets are not.
fn shown<'a>(key: &str, value: &'a str) -> &'a str {
    match keys::find(key) {
        Some(key) if key.secret && !value.is_empty() => "(secret)",
        _ => value,
    }
}

/// There is one where it has a place; then it needs a key, because photographs are kept encrypted or
/// not at all.
fn archive(values: &Values) -> Result<Option<ArchiveConfig>, ConfigError> {
    let url = values.read("images_keep_in", value::optional(value::place))?;
    let recipient = values.read("images_keep_key", |text| match (&url, text.trim()) {
        (None, "") => Ok(String::new()),
        (_, text) => value::public_key(text),
    })?;
    let keep = values.read("images_keep", value::duration)?;
    Ok(url.map(|url| ArchiveConfig {
        url,
        recipient,
        keep,
    }))
}

struct Values<'a>(&'a [Effective]);

impl Values<'_> {
    fn read<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, value::Expected>,
    ) -> Result<T, ConfigError> {
        let (text, from) = match self.0.iter().find(|effective| effective.key == key) {
            Some(effective) => (effective.value.as_str(), effective.source.clone()),
            // Unreachable while every key read here stands in the table, which a test sees to.
            None => ("", Source::Default),
        };
        parse(text).map_err(|expected| ConfigError::BadValue {
            key,
            value: shown(key, text).to_owned(),
            from,
            expected,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(flag: &[(&str, &str)], env: &[(&str, &str)], file: Option<&str>) -> Layers {
        let map = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect()
        };
        let file = file.map(|text| ConfigFile {
            path: "lifesign.toml".into(),
            text: text.into(),
        });
        Layers {
            flags: map(flag),
            env: map(env),
            file,
        }
    }

    fn refusal(layers: &Layers) -> String {
        Config::resolve(layers).unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_the_engines_own() {
        let (config, _) = Config::resolve(&Layers::default()).unwrap();
        let limits = lifesign::Limits::default();
        assert_eq!(config.max_image_bytes, limits.max_bytes);
        assert_eq!(config.max_pixels, limits.max_pixels);
        assert_eq!(config.max_image_memory, limits.max_memory);
        assert_eq!(config.decode_timeout, limits.timeout);
        assert_eq!(config.min_score, lifesign::DEFAULT_MIN_SCORE);
        assert_eq!(config.profile, lifesign::Profile::default());
    }

    #[test]
    fn the_defaults_are_a_valid_configuration() {
        let (config, effective) = Config::resolve(&Layers::default()).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.max_body_bytes, 16 << 20);
        assert_eq!(config.models_dir, None);
        assert_eq!(effective.len(), KEYS.len());
        assert!(
            effective
                .iter()
                .all(|value| value.source == Source::Default)
        );
    }

    #[test]
    fn flags_win_over_environment_over_file_over_default() {
        let file = "issuer = 'file'\nqueue = 3\nmin_score = 0.7\nfetch = false";
        let env = [
            ("LIFESIGN_ISSUER", "env"),
            ("LIFESIGN_QUEUE", "4"),
            ("LIFESIGN_LOG", ""),
        ];
        let layers = layers(&[("issuer", "flag")], &env, Some(file));
        let (config, effective) = Config::resolve(&layers).unwrap();
        assert_eq!(config.issuer, "flag");
        assert_eq!(config.queue, Some(4));
        assert_eq!(config.min_score, 0.7);
        assert!(!config.fetch);
        let lines: Vec<String> = effective.iter().map(ToString::to_string).collect();
        assert!(lines.contains(&"issuer = \"flag\"  # flag --issuer".to_owned()));
        assert!(lines.contains(&"queue = 4  # environment LIFESIGN_QUEUE".to_owned()));
        assert!(lines.contains(&"min_score = 0.7  # file lifesign.toml".to_owned()));
        assert!(lines.contains(&"log = \"info\"  # default".to_owned()));
        assert!(lines.contains(&"# models_dir is not set  # default".to_owned()));
    }

    #[test]
    fn the_printed_configuration_is_itself_a_configuration_file() {
        let (_, effective) = Config::resolve(&layers(&[("log", "a\"b\\=x")], &[], None))
            .or_else(|_| Config::resolve(&Layers::default()))
            .unwrap();
        let printed: String = effective.iter().map(|value| format!("{value}\n")).collect();
        let (_, again) = Config::resolve(&layers(&[], &[], Some(&printed))).unwrap();
        for (before, after) in effective.iter().zip(&again) {
            assert_eq!((before.key, &before.value), (after.key, &after.value));
        }
    }

    #[test]
    fn a_bad_value_is_refused_with_key_value_source_and_expectation() {
        assert_eq!(
            refusal(&layers(&[], &[("LIFESIGN_MAX_BODY_BYTES", "big")], None)),
            "Configuration key `max_body_bytes` has the value `big` (from environment \
             LIFESIGN_MAX_BODY_BYTES); expected a size such as 16MiB, 12 MB or a plain number of bytes."
        );
        const FREE: &[&str] = &[
            "data_dir",
            "images_keep_in",
            "secret_file",
            "issuer",
            "idp_issuer",
            "idp_audience",
            "idp_client_claim",
            "models_dir",
            "calibration",
        ];
        for key in KEYS.iter().filter(|key| !FREE.contains(&key.name)) {
            let message = refusal(&layers(&[(key.name, "=?!=")], &[], None));
            assert!(message.contains(&format!("`{}`", key.name)), "{message}");
            assert!(
                message.contains(&format!("flag --{}", key.flag())),
                "{message}"
            );
        }
    }

    #[test]
    fn an_unknown_key_of_the_file_is_refused_with_the_nearest_known() {
        assert_eq!(
            refusal(&layers(&[], &[], Some("isuer = 'x'"))),
            "Unknown configuration key `isuer` (from file lifesign.toml). Did you mean `issuer`?"
        );
        assert!(refusal(&layers(&[], &[], Some("[server]\nlisten = 1"))).contains("`server`"));
        assert!(refusal(&layers(&[], &[], Some("issuer = ['a']"))).contains("of type array"));
        assert!(refusal(&layers(&[], &[], Some("issuer = 'a'\nqueue ="))).contains("(line 2)"));
    }

    #[test]
    fn a_password_is_shown_neither_in_the_configuration_nor_in_an_error() {
        let url = "postgres://lifesign:hunter2@db/lifesign";
        let (config, effective) =
            Config::resolve(&layers(&[("database", url)], &[], None)).unwrap();
        assert!(config.database.is_some());
        let printed: String = effective.iter().map(|value| format!("{value}\n")).collect();
        assert!(
            printed.contains("# database is set, and not shown  # flag --database"),
            "{printed}"
        );
        let wrong = refusal(&layers(
            &[("database", "mysql://lifesign:hunter2@db/lifesign")],
            &[],
            None,
        ));
        for text in [printed, wrong] {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn an_identity_provider_must_be_named_in_full() {
        let url = ("idp_jwks_url", "https://id.example/jwks.json");
        assert!(refusal(&layers(&[url], &[], None)).contains("`idp_issuer`"));
        let issuer = ("idp_issuer", "https://id.example/");
        assert!(refusal(&layers(&[url, issuer], &[], None)).contains("`idp_audience`"));
        let all = [url, issuer, ("idp_audience", "liveness")];
        let (config, _) = Config::resolve(&layers(&all, &[], None)).unwrap();
        assert_eq!(config.identity_provider.unwrap().client_claim, "client_id");
    }

    #[test]
    fn images_come_from_where_the_keys_say() {
        let (config, _) = Config::resolve(&Layers::default()).unwrap();
        assert_eq!(config.fetch_rules, Rules::default());
        let keys = [
            ("fetch_hosts", "photos.example.org,*.cdn.example"),
            ("fetch_ports", "443"),
            ("fetch_nat64", "64:ff9b:1::/96"),
        ];
        let (config, _) = Config::resolve(&layers(&keys, &[], None)).unwrap();
        let rules = Rules {
            hosts: "photos.example.org,*.cdn.example".parse().unwrap(),
            ports: "443".parse().unwrap(),
            nat64: "64:ff9b:1::/96".parse().unwrap(),
        };
        assert_eq!(config.fetch_rules, rules);
        assert_ne!(rules, Rules::default());
    }

    #[test]
    fn photographs_are_kept_encrypted_or_not_at_all() {
        let place = ("images_keep_in", "/var/lib/lifesign/images");
        let refused = refusal(&layers(&[place], &[], None));
        assert!(refused.contains("`images_keep_key`"), "{refused}");
        let (_, public) = crate::archive::generate_key();
        let key = ("images_keep_key", public.as_str());
        let (config, _) = Config::resolve(&layers(&[place, key], &[], None)).unwrap();
        assert_eq!(config.archive.unwrap().url.scheme(), "file");
        let (config, _) = Config::resolve(&Layers::default()).unwrap();
        assert_eq!(config.archive, None);
    }

    #[test]
    fn variables_of_other_programs_are_ignored() {
        let env = [
            ("LIFESIGN_PORT", "tcp://10.0.0.1:80"),
            ("LISTEN", "nonsense"),
        ];
        assert!(Config::resolve(&layers(&[], &env, None)).is_ok());
    }
}
