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

-- As an earlier release counted; see volumes.
CREATE TABLE usage (
    tenant TEXT NOT NULL,
    day INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (tenant, day)
) STRICT, WITHOUT ROWID;

-- Destinations that count towards a limit, by scope (`tenant`, `tenant/service`, `:channel`) and span of the calendar
-- (`d`, `w`, `m` and its number), until it ends (Unix milliseconds).
CREATE TABLE volumes (
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    until INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (scope, period)
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

-- Whom to leave alone. Channel and category are empty for all; times are Unix milliseconds, 0 is never.
CREATE TABLE dnd (
    tenant TEXT NOT NULL,
    address TEXT NOT NULL,
    channel TEXT NOT NULL,
    category TEXT NOT NULL,
    reason TEXT NOT NULL,
    origin TEXT NOT NULL,
    since INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (tenant, address, channel, category)
) STRICT, WITHOUT ROWID;

-- How many messages an address has had in a slot: a cap and a stretch of the calendar that ends at `until`.
CREATE TABLE sent (
    tenant TEXT NOT NULL,
    slot TEXT NOT NULL,
    address TEXT NOT NULL,
    count INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (tenant, slot, address)
) STRICT, WITHOUT ROWID;

-- Whole millionths of the currency; balance + reserved + spent is the sum of the entries.
CREATE TABLE accounts (
    tenant TEXT PRIMARY KEY,
    opening INTEGER NOT NULL,
    balance INTEGER NOT NULL CHECK (balance >= 0),
    reserved INTEGER NOT NULL CHECK (reserved >= 0),
    spent INTEGER NOT NULL CHECK (spent >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    note TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
CREATE INDEX entries_tenant ON entries (tenant, id);

-- Messages that may go out and are not yet sent: what is set aside for each, and which slots count it.
CREATE TABLE reservations (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    amount INTEGER NOT NULL,
    address TEXT NOT NULL,
    slots TEXT NOT NULL,
    PRIMARY KEY (request, ordinal)
) STRICT, WITHOUT ROWID;

-- To which devices a message to a user went, by the part that receipts speak of; notices of one have small ids.
CREATE TABLE devices (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    part INTEGER NOT NULL,
    kind TEXT NOT NULL,
    token TEXT NOT NULL,
    device TEXT NOT NULL,
    PRIMARY KEY (request, ordinal, part)
) STRICT, WITHOUT ROWID;

-- When something went out to whom, for far ends that report on everything sent to a person until a moment.
CREATE TABLE threads (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    connector TEXT NOT NULL,
    thread TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (request, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX threads_person ON threads (connector, thread, at);

-- The far ends' ids of messages from people, so that one that comes again is kept once.
CREATE TABLE came (
    connector TEXT NOT NULL,
    native_id TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (connector, native_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX came_id ON came (id);
-- Customer profiles; `attributes` is an object, `keys` a list of `[kind, value]` as they stand in `customer_keys`.
CREATE TABLE customers (
    tenant TEXT NOT NULL,
    customer TEXT NOT NULL,
    attributes TEXT NOT NULL,
    keys TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    PRIMARY KEY (tenant, customer)
) STRICT;

-- Under what a customer is found besides its id; `kind` is msisdn, email or alias.
CREATE TABLE customer_keys (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    customer TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, value, customer)
) STRICT, WITHOUT ROWID;

-- Profiles of apps: one row per person on a social channel, per device of a user of a mobile app.
CREATE TABLE app_users (
    tenant TEXT NOT NULL,
    app TEXT NOT NULL,
    userid TEXT NOT NULL,
    device TEXT NOT NULL,
    customer TEXT NOT NULL,
    handle TEXT NOT NULL,
    token TEXT NOT NULL,
    system TEXT NOT NULL,
    active INTEGER NOT NULL,
    verified INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    since INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    PRIMARY KEY (tenant, app, userid, device)
) STRICT;
CREATE INDEX app_users_customer ON app_users (tenant, customer, app) WHERE customer <> '';
CREATE INDEX app_users_handle ON app_users (tenant, app, handle) WHERE handle <> '';
CREATE INDEX app_users_token ON app_users (tenant, app, token) WHERE token <> '';

-- Writes of profiles: those that wait for a worker (state 0, with their `work`), and what became of the others (1), or
-- that they came too late (2). `outcome` is a list with an entry per record.
CREATE TABLE profile_jobs (
    id INTEGER PRIMARY KEY,
    nonce INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    state INTEGER NOT NULL,
    work TEXT NOT NULL,
    outcome TEXT NOT NULL
) STRICT;
CREATE INDEX profile_jobs_waiting ON profile_jobs (id) WHERE state = 0;

-- Who did what to whom; `detail` is an object.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

-- Chunks to be published at `due` (Unix ms): a call's at once by the node that accepted it, which then deletes the
-- row; else by whoever finds it due.
CREATE TABLE outbox (
    due INTEGER NOT NULL,
    request INTEGER NOT NULL,
    element INTEGER NOT NULL,
    size INTEGER NOT NULL,
    again INTEGER NOT NULL,
    PRIMARY KEY (due, request, element)
) STRICT, WITHOUT ROWID;

-- Chunks that were handed out too often without an end.
CREATE TABLE parked (
    request INTEGER NOT NULL,
    element INTEGER NOT NULL,
    at INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (request, element)
) STRICT, WITHOUT ROWID;

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

-- What happened and what rules may follow from: events, hooks, messages from people, receipts, clicks, profiles. States:
-- 0 new, 1 its runs are under way, 2 no rule is for it, 3 done, 4 left out by a filter. `payload` is an object.
CREATE TABLE occurrences (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    service TEXT NOT NULL,
    cause TEXT NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    at INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    origin TEXT NOT NULL,
    state INTEGER NOT NULL,
    correlation TEXT NOT NULL,
    notify TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX occurrences_open ON occurrences (id) WHERE state < 2;
CREATE INDEX occurrences_unresolved ON occurrences (tenant, id) WHERE state = 2;

-- Rules at work: one row per rule that follows from an occurrence. States: 0 something is to be done at `due`, 1 it
-- waits for a message, 2 it ended, 3 something in it failed, 4 it was refused. `until` is 0 while a process has it in
-- hand; `log` is a list with an entry per step.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    occurrence INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    service TEXT NOT NULL,
    rule TEXT NOT NULL,
    digest TEXT NOT NULL,
    at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    step INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    awaits INTEGER NOT NULL,
    until INTEGER NOT NULL,
    due INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    log TEXT NOT NULL
) STRICT;
CREATE INDEX runs_due ON runs (due) WHERE state < 2;
CREATE INDEX runs_occurrence ON runs (occurrence);

-- The wordings of rules, so that a run ends by the rule it began with.
CREATE TABLE rule_texts (
    tenant TEXT NOT NULL,
    digest TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT, WITHOUT ROWID;

-- Users of apps in real time, by lane: the number of the last message kept for them, of the last one that any of their
-- devices has acknowledged, and of the last one that was put on a wire.
CREATE TABLE inapp_users (
    lane TEXT NOT NULL,
    userid TEXT NOT NULL,
    seq INTEGER NOT NULL,
    acked INTEGER NOT NULL,
    handed INTEGER NOT NULL,
    PRIMARY KEY (lane, userid)
) STRICT, WITHOUT ROWID;

-- What each device has acknowledged, and when it was last here.
CREATE TABLE inapp_devices (
    lane TEXT NOT NULL,
    userid TEXT NOT NULL,
    device TEXT NOT NULL,
    acked INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (lane, userid, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX inapp_devices_seen ON inapp_devices (seen);

-- Messages for users of apps until they expire; `body` is the JSON object that the app gets.
CREATE TABLE inapp_kept (
    lane TEXT NOT NULL,
    userid TEXT NOT NULL,
    seq INTEGER NOT NULL,
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    at INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (lane, userid, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX inapp_kept_message ON inapp_kept (request, ordinal);
CREATE INDEX inapp_kept_expires ON inapp_kept (expires);

-- Which node holds a connection of a device, while `inapp_nodes` says that it lives.
CREATE TABLE inapp_presence (
    lane TEXT NOT NULL,
    userid TEXT NOT NULL,
    device TEXT NOT NULL,
    node TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (lane, userid, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE inapp_nodes (
    node TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE migrations (
    name TEXT PRIMARY KEY,
    applied INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
