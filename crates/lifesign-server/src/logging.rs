//! The log: one line per event on standard error, so that standard output stays for answers.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{Config, LogFormat};

/// Sends the events of this process to standard error, as the configuration says. A second call
/// changes nothing.
pub fn init(config: &Config) {
    // The filter was parsed when the configuration was read.
    let filter = EnvFilter::new(&config.log);
    let log = fmt().with_env_filter(filter).with_writer(io::stderr);
    // The error of `try_init` is that a subscriber is set already.
    let _ = match config.log_format {
        LogFormat::Text => {
            use io::IsTerminal as _;
            log.with_ansi(io::stderr().is_terminal()).try_init()
        }
        LogFormat::Json => log.json().try_init(),
    };
}
