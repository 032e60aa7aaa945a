-- When service keys were made and last used.

CREATE TABLE service_keys (
    hash TEXT PRIMARY KEY,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
