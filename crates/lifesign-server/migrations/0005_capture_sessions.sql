-- Captures in a browser: who asked for one, what the browser may do with it, and what came of it.
CREATE TABLE capture_sessions (
    id            TEXT    PRIMARY KEY NOT NULL,         -- 24 hexadecimal characters
    client_id     TEXT    NOT NULL REFERENCES clients (id),
    token_sha256  BLOB    NOT NULL,                     -- of the browser's token, which is not kept
    nonce         TEXT    NOT NULL,                     -- 32 hexadecimal characters
    collection_id TEXT    REFERENCES collections (id) ON DELETE SET NULL,
    os            TEXT,                                 -- NULL: as the browser says
    min_score     REAL    NOT NULL,
    return_url    TEXT,
    uploads_left  INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    passed        INTEGER CHECK (passed IN (0, 1)),     -- NULL: not finished
    receipt       TEXT                                  -- of the last photograph that was judged
) STRICT;

CREATE INDEX capture_sessions_by_expiry ON capture_sessions (expires_at);
CREATE INDEX capture_sessions_by_client ON capture_sessions (client_id);

-- Of which capture session an attempt is a part.
ALTER TABLE attempts ADD COLUMN capture_session_id TEXT;

CREATE INDEX attempts_by_capture_session ON attempts (capture_session_id) WHERE capture_session_id IS NOT NULL;
