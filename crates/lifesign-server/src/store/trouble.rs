//! What ails the database, as far as an operator can do something about it: told from what the
//! drivers say, in words for the log and the terminal.

use std::fmt;

/// A database that cannot be used for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It does not answer.
    Unreachable,
    /// Its disk is full.
    Full,
    /// It takes no writes.
    ReadOnly,
    /// Its disk fails.
    Disk,
    /// Others hold it for too long.
    Busy,
    /// What it holds is damaged.
    Damaged,
}

impl Trouble {
    /// What the driver's error means; `None` where it is a fault of the program's own.
    pub(super) fn of(error: &sqlx::Error) -> Option<Trouble> {
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Some(Trouble::Unreachable),
            sqlx::Error::Database(cause) => {
                let code = cause.code()?;
                // PostgreSQL's codes have five characters, SQLite's are small numbers.
                match code.len() {
                    5 => postgres(&code),
                    _ => sqlite(code.parse().ok()?),
                }
            }
            _ => None,
        }
    }
}

/// By the primary result code, which is the lowest byte: <https://sqlite.org/rescode.html>.
fn sqlite(code: u32) -> Option<Trouble> {
    match code & 0xff {
        5 | 6 => Some(Trouble::Busy),
        8 => Some(Trouble::ReadOnly),
        10 | 14 => Some(Trouble::Disk),
        11 | 26 => Some(Trouble::Damaged),
        13 => Some(Trouble::Full),
        _ => None,
    }
}

/// By SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn postgres(code: &str) -> Option<Trouble> {
    match code {
        "53100" => Some(Trouble::Full),
        "25006" => Some(Trouble::ReadOnly),
        "40001" | "40P01" | "55P03" => Some(Trouble::Busy),
        "XX001" | "XX002" => Some(Trouble::Damaged),
        _ => match &code[..2] {
            // Connections; who may connect, and to which database; resources; the operator's
            // interventions.
            "08" | "28" | "3D" | "53" | "57" => Some(Trouble::Unreachable),
            "58" => Some(Trouble::Disk),
            _ => None,
        },
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trouble::Unreachable => "the database cannot be reached",
            Trouble::Full => "the database cannot be written: no space left on its disk",
            Trouble::ReadOnly => "the database cannot be written: it, or its disk, is read-only",
            Trouble::Disk => "the database's files cannot be read or written",
            Trouble::Busy => "the database is busy: others hold it for too long",
            Trouble::Damaged => "the database is damaged; restore it from a backup",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_can_end_is_told_from_faults_of_the_program() {
        for (code, trouble) in [
            (13, Some(Trouble::Full)),
            (8 | 1 << 8, Some(Trouble::ReadOnly)),
            (10 | 19 << 8, Some(Trouble::Disk)),
            (11, Some(Trouble::Damaged)),
            (26, Some(Trouble::Damaged)),
            (5, Some(Trouble::Busy)),
            // A constraint, an unknown table.
            (19, None),
            (1, None),
        ] {
            assert_eq!(sqlite(code), trouble, "{code}");
        }
        for (code, trouble) in [
            ("57P01", Some(Trouble::Unreachable)),
            ("57P03", Some(Trouble::Unreachable)),
            ("08006", Some(Trouble::Unreachable)),
            ("53300", Some(Trouble::Unreachable)),
            ("53100", Some(Trouble::Full)),
            ("25006", Some(Trouble::ReadOnly)),
            ("23505", None),
            ("42P01", None),
        ] {
            assert_eq!(postgres(code), trouble, "{code}");
        }
        assert_eq!(
            Trouble::of(&sqlx::Error::PoolTimedOut),
            Some(Trouble::Unreachable)
        );
        assert_eq!(Trouble::of(&sqlx::Error::RowNotFound), None);
    }
}
