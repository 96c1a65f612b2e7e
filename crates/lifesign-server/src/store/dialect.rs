//! The tables' types in PostgreSQL's words: the migrations are written for SQLite, and only their
//! type names differ. What else they use both databases understand.

/// The migration for PostgreSQL.
pub(super) fn postgres(sql: &str) -> String {
    const WORDS: [(&str, &str); 4] = [
        // SQLite's integers have 64 bits.
        ("INTEGER", "BIGINT"),
        ("REAL", "DOUBLE PRECISION"),
        ("BLOB", "BYTEA"),
        // PostgreSQL needs not be told to mind its types.
        (") STRICT;", ");"),
    ];
    WORDS.iter().fold(sql.to_owned(), |sql, (ours, theirs)| {
        sql.replace(ours, theirs)
    })
}
