//! File descriptors: every connection takes one, and a system gives a process few until it asks.

use lifesign_server::Config;

/// For all that is no connection of a client: the database, downloads, webhooks, files.
const OTHERS: u64 = 256;

/// Asks the system for as many descriptors as it allows, and lets no more connections in than they are
/// enough for: one that is refused for want of a descriptor could not even take an idle one's place.
pub fn provide(config: &mut Config) {
    let Some(allowed) = raise() else { return };
    let most = most_connections(allowed);
    if config.max_connections > most {
        tracing::warn!(
            max_connections = config.max_connections,
            allowed,
            "the system allows too few open files; {most} connections are served at the same time"
        );
        config.max_connections = most;
    }
}

fn most_connections(allowed: u64) -> usize {
    let most = allowed.saturating_sub(OTHERS).max(allowed / 2).max(1);
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// Raises the limit to its maximum, and returns what it is then, if it is known at all.
#[cfg(unix)]
fn raise() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        // Such as macOS, whose maximum is more than it gives.
        Err(_) => current,
    }
}

#[cfg(not(unix))]
fn raise() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_kept_for_other_things_than_connections() {
        for (allowed, most) in [(20_000, 19_744), (1024, 768), (300, 150), (1, 1)] {
            assert_eq!(most_connections(allowed), most, "{allowed}");
        }
    }
}
