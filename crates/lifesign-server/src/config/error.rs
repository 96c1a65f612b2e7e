//! The sentence with which a bad configuration stops the start.

use std::path::PathBuf;

use super::Source;

/// Why the configuration cannot be used; one sentence that names the key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named cannot be read.
    #[error("The configuration file {} cannot be read: {cause}.", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file is not TOML.
    #[error("The configuration file {} is not valid TOML: {message}.", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        message: String,
    },
    /// A key of the file or a flag that the service does not know.
    #[error("Unknown configuration key `{key}` (from {from}).{}", hint(*nearest))]
    UnknownKey {
        /// The key as written.
        key: String,
        /// Where it stands.
        from: Source,
        /// The known key it resembles.
        nearest: Option<&'static str>,
    },
    /// A value that is not a scalar.
    #[error("Configuration key `{key}` in {} is of type {found}; a single value is expected.", path.display())]
    NotScalar {
        /// The key.
        key: String,
        /// The file.
        path: PathBuf,
        /// What was found.
        found: &'static str,
    },
    /// A value that cannot be read.
    #[error(
        "Configuration key `{key}` has the value `{value}` (from {from}); expected {expected}."
    )]
    BadValue {
        /// The key.
        key: &'static str,
        /// The value as written.
        value: String,
        /// Where it stands.
        from: Source,
        /// What would be right.
        expected: &'static str,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest
        .map(|known| format!(" Did you mean `{known}`?"))
        .unwrap_or_default()
}
