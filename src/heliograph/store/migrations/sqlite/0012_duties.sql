-- Which process has which duty, until when (Unix ms); 0 is given back.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Limits by the second that processes share: what is left in a bucket (thousandths), and when that was so (Unix ms).
CREATE TABLE buckets (
    name TEXT PRIMARY KEY,
    level INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Short-lived credentials, sealed, and when each must be replaced (Unix ms).
CREATE TABLE tokens (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
