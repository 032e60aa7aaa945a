-- The whole schema as it stands now; a test proves it equal to the sum of the migrations.

CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    nonce INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    service TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    channel TEXT NOT NULL,
    priority INTEGER NOT NULL,
    expiry INTEGER NOT NULL,
    elements INTEGER NOT NULL,
    remaining INTEGER NOT NULL,
    firsts TEXT NOT NULL,
    messages TEXT NOT NULL
) STRICT;
CREATE INDEX requests_open ON requests (id) WHERE remaining > 0;

CREATE TABLE transactions (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    element INTEGER NOT NULL,
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    correlation TEXT NOT NULL,
    state INTEGER NOT NULL,
    key TEXT NOT NULL,
    detail TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    connector TEXT NOT NULL,
    due INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    natives TEXT NOT NULL,
    PRIMARY KEY (request, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE submissions (
    connector TEXT NOT NULL,
    native_id TEXT NOT NULL,
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    part INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (connector, native_id)
) STRICT, WITHOUT ROWID;

-- One row per request and moment at which waits for receipts end.
CREATE TABLE windows (
    due INTEGER NOT NULL,
    request INTEGER NOT NULL,
    PRIMARY KEY (due, request)
) STRICT, WITHOUT ROWID;

-- Receipts as they came; request 0 holds those that match nothing (yet).
CREATE TABLE receipts (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    id INTEGER NOT NULL,
    part INTEGER NOT NULL,
    connector TEXT NOT NULL,
    native_id TEXT NOT NULL,
    key TEXT NOT NULL,
    at INTEGER NOT NULL,
    native_code TEXT NOT NULL,
    detail TEXT NOT NULL,
    destination TEXT NOT NULL,
    raw TEXT NOT NULL,
    PRIMARY KEY (request, ordinal, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_unmatched ON receipts (connector, native_id) WHERE request = 0;

CREATE TABLE story (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    step TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (request, ordinal, id)
) STRICT, WITHOUT ROWID;

-- Calls owed to callers: receipts of transactions, and inbound messages (request 0, with a body).
CREATE TABLE notices (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    id INTEGER NOT NULL,
    state INTEGER NOT NULL,
    key TEXT NOT NULL,
    detail TEXT NOT NULL,
    at INTEGER NOT NULL,
    url TEXT NOT NULL,
    origin TEXT NOT NULL,
    tenant TEXT NOT NULL,
    service TEXT NOT NULL,
    body TEXT NOT NULL,
    delivery INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,
    status INTEGER NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (request, ordinal, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_pending ON notices (origin, due) WHERE delivery = 0;
CREATE INDEX notices_parked ON notices (due) WHERE delivery = 2;

CREATE TABLE inbound (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    service TEXT NOT NULL,
    connector TEXT NOT NULL,
    channel TEXT NOT NULL,
    sender TEXT NOT NULL,
    destination TEXT NOT NULL,
    text TEXT NOT NULL,
    native TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- One row: the declared workspace, encrypted, with keys only as hashes.
CREATE TABLE workspace (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    document BLOB NOT NULL
) STRICT;

-- Destinations that a tenant with a limit for the day has used; days since 1970, UTC.
CREATE TABLE usage (
    tenant TEXT NOT NULL,
    day INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (tenant, day)
) STRICT, WITHOUT ROWID;

-- Answers to calls with an Idempotency-Key, to be given again for 24 hours; the id of the request says since when.
CREATE TABLE kept_answers (
    request INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    service TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    UNIQUE (tenant, service, key)
) STRICT;

-- When service keys (by their hash) were made and last used; 0 is unknown or never.
CREATE TABLE service_keys (
    hash TEXT PRIMARY KEY,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE migrations (
    name TEXT PRIMARY KEY,
    applied INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
