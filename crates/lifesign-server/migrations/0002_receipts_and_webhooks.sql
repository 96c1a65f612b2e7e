-- Keys that sign receipts. The public half stays, so that old receipts can still be verified; the
-- private half is sealed with a key derived from secret.key, and goes once another key signs.
CREATE TABLE signing_keys (
    kid        TEXT    PRIMARY KEY NOT NULL,            -- RFC 7638 thumbprint
    jwk        TEXT    NOT NULL,                        -- the public half, RFC 7517
    sealed     BLOB,                                    -- PKCS #8; NULL: signs no more
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL
) STRICT;

CREATE TABLE webhooks (
    id         TEXT    PRIMARY KEY NOT NULL,            -- 24 hexadecimal characters
    client_id  TEXT    NOT NULL REFERENCES clients (id),
    url        TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,                        -- the secret that signs its events
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX webhooks_by_client ON webhooks (client_id);

-- The outbox: written in the transaction that records the attempt.
CREATE TABLE deliveries (
    id           TEXT    PRIMARY KEY NOT NULL,          -- 24 hexadecimal characters
    webhook_id   TEXT    NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    attempt_id   TEXT    NOT NULL,
    body         TEXT    NOT NULL,                      -- what is posted, each time the same
    created_at   INTEGER NOT NULL,
    queued_at    INTEGER NOT NULL,                      -- created, or last replayed
    due_at       INTEGER,                               -- NULL: delivered or given up
    tries        INTEGER NOT NULL DEFAULT 0,
    delivered_at INTEGER,
    outcome      TEXT                                   -- of the last try
) STRICT;

CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, created_at);
