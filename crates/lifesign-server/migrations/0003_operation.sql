-- Secrets that replicas share, where no file holds them.
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT;

-- A client's own limits; NULL: the configured ones.
ALTER TABLE clients ADD COLUMN rate REAL;               -- requests per second
ALTER TABLE clients ADD COLUMN burst INTEGER;           -- requests at once
ALTER TABLE clients ADD COLUMN concurrent INTEGER;      -- requests under way
ALTER TABLE clients ADD COLUMN quota INTEGER;           -- judged photographs in a month

-- How much of its quota a client has used.
CREATE TABLE usage (
    client_id TEXT    NOT NULL REFERENCES clients (id),
    month     TEXT    NOT NULL,                         -- such as 2026-11, UTC
    judged    INTEGER NOT NULL,
    PRIMARY KEY (client_id, month)
) STRICT;

-- Photographs that are kept, encrypted, for disputes: where, and until when.
CREATE TABLE kept_images (
    attempt_id TEXT    PRIMARY KEY NOT NULL,
    client_id  TEXT    NOT NULL REFERENCES clients (id),
    location   TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX kept_images_by_expiry ON kept_images (expires_at);
CREATE INDEX attempts_by_time ON attempts (created_at);
