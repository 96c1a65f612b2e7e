-- Times are Unix milliseconds, UTC. The photograph itself is never stored.

CREATE TABLE clients (
    id          TEXT    PRIMARY KEY NOT NULL,           -- 24 hexadecimal characters
    name        TEXT    NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    disabled_at INTEGER                                 -- set: every token of the client is refused
) STRICT;

CREATE TABLE tokens (
    jti        TEXT    PRIMARY KEY NOT NULL,            -- the token's id; the token itself is not kept
    client_id  TEXT    NOT NULL REFERENCES clients (id),
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE collections (
    id          TEXT    PRIMARY KEY NOT NULL,           -- 24 hexadecimal characters
    client_id   TEXT    NOT NULL REFERENCES clients (id),
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL DEFAULT '',
    code        TEXT    NOT NULL UNIQUE,                -- UUID
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (client_id, name)
) STRICT;

CREATE TABLE attempts (
    id            TEXT    PRIMARY KEY NOT NULL,         -- 5 characters of A-Z0-9
    client_id     TEXT    NOT NULL REFERENCES clients (id),
    collection_id TEXT    REFERENCES collections (id) ON DELETE SET NULL,
    os            TEXT    NOT NULL,
    score         REAL,                                 -- NULL: the photograph could not be judged
    min_score     REAL    NOT NULL,
    passed        INTEGER NOT NULL CHECK (passed IN (0, 1)),
    reason        TEXT,                                 -- why it could not be judged
    model         TEXT    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX attempts_by_client ON attempts (client_id, created_at);
CREATE INDEX attempts_by_collection ON attempts (collection_id);
