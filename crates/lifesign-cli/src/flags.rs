//! Configuration keys as command line flags, built from the server's one table of keys.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use lifesign_server::config::{Config, ConfigError, Effective, KEYS, Key};

/// Every configuration key as a flag: for commands that run the service.
#[derive(Debug, Clone)]
pub struct ServiceFlags(Given);

/// The flags that name the data folder, or what takes its place: for commands that administer it.
pub type DataFlags = AdminFlags<false>;

/// Those, and the ones that name the archive of photographs.
pub type ArchiveFlags = AdminFlags<true>;

/// The flags of commands that administer.
#[derive(Debug, Clone)]
pub struct AdminFlags<const ARCHIVE: bool>(Given);

#[derive(Debug, Clone)]
struct Given {
    flags: BTreeMap<String, String>,
    file: Option<PathBuf>,
}

impl ServiceFlags {
    /// The configuration that these flags, the environment and the file make together.
    pub fn load(self) -> Result<(Config, Vec<Effective>), ConfigError> {
        Config::load(self.0.flags, self.0.file.as_deref())
    }
}

impl<const ARCHIVE: bool> AdminFlags<ARCHIVE> {
    /// The configuration that these flags, the environment and the file make together.
    pub fn load(self) -> Result<Config, ConfigError> {
        Config::load(self.0.flags, self.0.file.as_deref()).map(|(config, _)| config)
    }
}

fn administers<const ARCHIVE: bool>(key: &Key) -> bool {
    match key.name {
        "data_dir" | "database" | "secret_file" => true,
        "images_keep_in" | "images_keep_key" => ARCHIVE,
        _ => false,
    }
}

/// Adds `--config` and a flag for each key that is `wanted`.
fn augment(command: Command, wanted: impl Fn(&Key) -> bool) -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Configuration file [default: lifesign.toml, where there is one]");
    let flags = KEYS.iter().filter(|key| wanted(key)).map(|key| {
        let default = match key.default {
            "" => String::new(),
            default => format!(" [default: {default}]"),
        };
        Arg::new(key.name)
            .long(key.flag())
            .value_name(key.value)
            .help(format!("{}{default} [env: {}]", key.help, key.env()))
    });
    command.arg(config).args(flags)
}

fn given(matches: &ArgMatches, wanted: impl Fn(&Key) -> bool) -> Given {
    let flags = KEYS.iter().filter(|key| wanted(key)).filter_map(|key| {
        let value = matches.get_one::<String>(key.name)?;
        Some((key.name.to_owned(), value.clone()))
    });
    Given {
        flags: flags.collect(),
        file: matches.get_one("config").cloned(),
    }
}

impl FromArgMatches for ServiceFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(ServiceFlags(given(matches, |_| true)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        Self::from_arg_matches(matches).map(|new| *self = new)
    }
}

impl Args for ServiceFlags {
    fn augment_args(command: Command) -> Command {
        augment(command, |_| true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const ARCHIVE: bool> FromArgMatches for AdminFlags<ARCHIVE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(AdminFlags(given(matches, administers::<ARCHIVE>)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        Self::from_arg_matches(matches).map(|new| *self = new)
    }
}

impl<const ARCHIVE: bool> Args for AdminFlags<ARCHIVE> {
    fn augment_args(command: Command) -> Command {
        augment(command, administers::<ARCHIVE>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_guide_lists_every_key_with_its_default_and_help() {
        let guide = include_str!("../../../docs/operate.md");
        for Key {
            name,
            default,
            help,
            ..
        } in KEYS
        {
            let default = match *default {
                "" => "not set".to_owned(),
                default => format!("`{default}`"),
            };
            let row = format!("| `{name}` | {default} | {help} |");
            assert!(guide.contains(&row), "docs/operate.md lacks: {row}");
        }
    }
}
