-- The tables of the first release, partitioned by ranges of the request's id.

CREATE TABLE requests (
    id bigint NOT NULL,
    nonce bigint NOT NULL,
    accepted bigint NOT NULL,
    expiry bigint NOT NULL,
    priority integer NOT NULL,
    elements integer NOT NULL,
    remaining integer NOT NULL,
    tenant text NOT NULL,
    service text NOT NULL,
    channel text NOT NULL,
    firsts text NOT NULL,
    messages text NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX requests_open ON requests (id) WHERE remaining > 0;
CREATE TABLE requests_rest PARTITION OF requests DEFAULT;

-- `was` is the state before the last change: with it one UPDATE can tell what it changed.
CREATE TABLE transactions (
    request bigint NOT NULL,
    due bigint NOT NULL,
    updated bigint NOT NULL,
    ordinal integer NOT NULL,
    element integer NOT NULL,
    attempt integer NOT NULL,
    state smallint NOT NULL,
    was smallint NOT NULL DEFAULT 0,
    duplicate smallint NOT NULL,
    kind text NOT NULL,
    destination text NOT NULL,
    correlation text NOT NULL,
    key text NOT NULL,
    detail text NOT NULL,
    connector text NOT NULL,
    natives text NOT NULL,
    PRIMARY KEY (request, ordinal)
) PARTITION BY RANGE (request);
CREATE TABLE transactions_rest PARTITION OF transactions DEFAULT;

-- A native id that is used again belongs to the later message (`at`); rows are only added and dropped.
CREATE TABLE submissions (
    request bigint NOT NULL,
    at bigint NOT NULL DEFAULT 0,
    ordinal integer NOT NULL,
    part integer NOT NULL,
    parts integer NOT NULL,
    connector text NOT NULL,
    native_id text NOT NULL
) PARTITION BY RANGE (request);
CREATE INDEX submissions_native ON submissions (native_id, connector);
CREATE TABLE submissions_rest PARTITION OF submissions DEFAULT;

-- One row per request and moment at which waits for receipts end.
CREATE TABLE windows (
    due bigint NOT NULL,
    request bigint NOT NULL,
    PRIMARY KEY (due, request)
);

-- Receipts as they came; request 0 holds those that match nothing (yet).
CREATE TABLE receipts (
    request bigint NOT NULL,
    id bigint NOT NULL,
    at bigint NOT NULL,
    ordinal integer NOT NULL,
    part integer NOT NULL,
    connector text NOT NULL,
    native_id text NOT NULL,
    key text NOT NULL,
    native_code text NOT NULL,
    detail text NOT NULL,
    destination text NOT NULL,
    raw text NOT NULL,
    PRIMARY KEY (request, ordinal, id)
) PARTITION BY RANGE (request);
CREATE TABLE receipts_loose PARTITION OF receipts FOR VALUES FROM (0) TO (1);
CREATE INDEX receipts_unmatched ON receipts_loose (native_id, connector);
CREATE TABLE receipts_rest PARTITION OF receipts DEFAULT;

CREATE TABLE story (
    request bigint NOT NULL,
    id bigint NOT NULL,
    at bigint NOT NULL,
    ordinal integer NOT NULL,
    step text NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (request, ordinal, id)
) PARTITION BY RANGE (request);
CREATE TABLE story_rest PARTITION OF story DEFAULT;

-- Calls owed to callers: receipts of transactions, and inbound messages (request 0, with a body).
CREATE TABLE notices (
    request bigint NOT NULL,
    id bigint NOT NULL,
    at bigint NOT NULL,
    due bigint NOT NULL,
    ordinal integer NOT NULL,
    attempts integer NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    delivery smallint NOT NULL,
    key text NOT NULL,
    detail text NOT NULL,
    url text NOT NULL,
    origin text NOT NULL,
    tenant text NOT NULL,
    service text NOT NULL,
    body text NOT NULL,
    error text NOT NULL,
    PRIMARY KEY (request, ordinal, id)
) PARTITION BY RANGE (request);
CREATE INDEX notices_pending ON notices (origin, due) WHERE delivery = 0;
CREATE INDEX notices_parked ON notices (due) WHERE delivery = 2;
CREATE TABLE notices_loose PARTITION OF notices FOR VALUES FROM (0) TO (1);
CREATE TABLE notices_rest PARTITION OF notices DEFAULT;

CREATE TABLE inbound (
    id bigint NOT NULL,
    at bigint NOT NULL,
    tenant text NOT NULL,
    service text NOT NULL,
    connector text NOT NULL,
    channel text NOT NULL,
    sender text NOT NULL,
    destination text NOT NULL,
    text text NOT NULL,
    native text NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE TABLE inbound_rest PARTITION OF inbound DEFAULT;

-- One row: the declared workspace, encrypted, with keys only as hashes.
CREATE TABLE workspace (
    id integer PRIMARY KEY CHECK (id = 1),
    version bigint NOT NULL,
    document bytea NOT NULL
);

CREATE TABLE migrations (
    name text PRIMARY KEY,
    applied bigint NOT NULL
);
