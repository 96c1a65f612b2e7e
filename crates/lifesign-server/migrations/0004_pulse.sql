-- One row, written again and again to see whether writing works.
CREATE TABLE pulse (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;
