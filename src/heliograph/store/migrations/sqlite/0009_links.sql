-- Where each link of a call leads, by the first ordinal of its message and its number there, until it ends (Unix ms).
CREATE TABLE links (
    request INTEGER NOT NULL,
    first INTEGER NOT NULL,
    number INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    label TEXT NOT NULL,
    url TEXT NOT NULL,
    ios TEXT NOT NULL,
    android TEXT NOT NULL,
    expired TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (request, first, number)
) STRICT, WITHOUT ROWID;

-- Who clicked: one row per destination and link.
CREATE TABLE clicks (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    number INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    clicks INTEGER NOT NULL,
    PRIMARY KEY (request, ordinal, number)
) STRICT, WITHOUT ROWID;
