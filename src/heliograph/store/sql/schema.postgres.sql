-- The whole schema on PostgreSQL as it stands now; a test proves it equal to the sum of the migrations.
--
-- What grows with traffic is partitioned by ranges of the request's id, which grows with time: a partition a day
-- (engines/partitions.py), so that retention drops tables and deletes no rows. The partition `_loose` holds what
-- belongs to no request (request 0), `_rest` whatever no day was prepared for.
--
-- Every key leads with the request's id, and no statement joins rows of two requests: a distributed PostgreSQL
-- spreads these tables by a hash of `request` (`id` of requests and of inbound), all with the same rule, so that a
-- call with its transactions, receipts, story and notices lies on one node and each commit touches few. The small
-- tables below them are reference tables there.

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

-- As an earlier release counted; see volumes.
CREATE TABLE usage (
    tenant text NOT NULL,
    day bigint NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (tenant, day)
);

-- Destinations that count towards a limit, by scope (`tenant`, `tenant/service`, `:channel`) and span of the calendar
-- (`d`, `w`, `m` and its number), until it ends (Unix milliseconds).
CREATE TABLE volumes (
    scope text NOT NULL,
    period text NOT NULL,
    until bigint NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (scope, period)
);

-- Answers to calls with an Idempotency-Key, to be given again for 24 hours; the id of the request says since when.
CREATE TABLE kept_answers (
    request bigint PRIMARY KEY,
    tenant text NOT NULL,
    service text NOT NULL,
    key text NOT NULL,
    digest text NOT NULL,
    answer text NOT NULL,
    UNIQUE (tenant, service, key)
);

-- When service keys (by their hash) were made and last used; 0 is unknown or never.
CREATE TABLE service_keys (
    hash text PRIMARY KEY,
    created bigint NOT NULL,
    used bigint NOT NULL
);

-- Where each link of a call leads, by the first ordinal of its message and its number there, until it ends (Unix ms).
CREATE TABLE links (
    request bigint NOT NULL,
    first bigint NOT NULL,
    number bigint NOT NULL,
    tenant text NOT NULL,
    label text NOT NULL,
    url text NOT NULL,
    ios text NOT NULL,
    android text NOT NULL,
    expired text NOT NULL,
    until bigint NOT NULL,
    PRIMARY KEY (request, first, number)
);

-- Who clicked: one row per destination and link.
CREATE TABLE clicks (
    request bigint NOT NULL,
    ordinal bigint NOT NULL,
    number bigint NOT NULL,
    first_at bigint NOT NULL,
    clicks bigint NOT NULL,
    PRIMARY KEY (request, ordinal, number)
);

-- Whom to leave alone. Channel and category are empty for all; times are Unix milliseconds, 0 is never.
CREATE TABLE dnd (
    since bigint NOT NULL,
    expires bigint NOT NULL,
    tenant text NOT NULL,
    address text NOT NULL,
    channel text NOT NULL,
    category text NOT NULL,
    reason text NOT NULL,
    origin text NOT NULL,
    PRIMARY KEY (tenant, address, channel, category)
);

-- How many messages an address has had in a slot: a cap and a stretch of the calendar that ends at `until`.
CREATE TABLE sent (
    count bigint NOT NULL,
    until bigint NOT NULL,
    tenant text NOT NULL,
    slot text NOT NULL,
    address text NOT NULL,
    PRIMARY KEY (tenant, slot, address)
);

-- Whole millionths of the currency; balance + reserved + spent is the sum of the entries.
CREATE TABLE accounts (
    opening bigint NOT NULL,
    balance bigint NOT NULL CHECK (balance >= 0),
    reserved bigint NOT NULL CHECK (reserved >= 0),
    spent bigint NOT NULL CHECK (spent >= 0),
    tenant text NOT NULL,
    PRIMARY KEY (tenant)
);

CREATE TABLE entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    amount bigint NOT NULL,
    tenant text NOT NULL,
    kind text NOT NULL,
    note text NOT NULL,
    actor text NOT NULL
);
CREATE INDEX entries_tenant ON entries (tenant, id);

-- Messages that may go out and are not yet sent: what is set aside for each, and which slots count it.
CREATE TABLE reservations (
    request bigint NOT NULL,
    amount bigint NOT NULL,
    ordinal integer NOT NULL,
    tenant text NOT NULL,
    address text NOT NULL,
    slots text NOT NULL,
    PRIMARY KEY (request, ordinal)
);

-- To which devices a message to a user went, by the part that receipts speak of; notices of one have small ids.
CREATE TABLE devices (
    request bigint NOT NULL,
    ordinal integer NOT NULL,
    part integer NOT NULL,
    kind text NOT NULL,
    token text NOT NULL,
    device text NOT NULL,
    PRIMARY KEY (request, ordinal, part)
) PARTITION BY RANGE (request);
CREATE TABLE devices_rest PARTITION OF devices DEFAULT;

-- When something went out to whom, for far ends that report on everything sent to a person until a moment.
CREATE TABLE threads (
    request bigint NOT NULL,
    at bigint NOT NULL,
    ordinal integer NOT NULL,
    connector text NOT NULL,
    thread text NOT NULL,
    PRIMARY KEY (request, ordinal)
) PARTITION BY RANGE (request);
CREATE INDEX threads_person ON threads (thread, connector, at);
CREATE TABLE threads_rest PARTITION OF threads DEFAULT;

-- The far ends' ids of messages from people, so that one that comes again is kept once.
CREATE TABLE came (
    id bigint NOT NULL,
    connector text NOT NULL,
    native_id text NOT NULL,
    PRIMARY KEY (connector, native_id)
);
CREATE INDEX came_id ON came (id);
-- Customer profiles; `attributes` is an object, `keys` a list of `[kind, value]` as they stand in `customer_keys`.
CREATE TABLE customers (
    created bigint NOT NULL,
    updated bigint NOT NULL,
    tenant text NOT NULL,
    customer text COLLATE "C" NOT NULL,
    attributes text NOT NULL,
    keys text NOT NULL,
    PRIMARY KEY (tenant, customer)
);

-- Under what a customer is found besides its id; `kind` is msisdn, email or alias.
CREATE TABLE customer_keys (
    tenant text NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    customer text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, kind, value, customer)
);

-- Profiles of apps: one row per person on a social channel, per device of a user of a mobile app.
CREATE TABLE app_users (
    gone bigint NOT NULL,
    since bigint NOT NULL,
    created bigint NOT NULL,
    updated bigint NOT NULL,
    active smallint NOT NULL,
    verified smallint NOT NULL,
    tenant text NOT NULL,
    app text COLLATE "C" NOT NULL,
    userid text COLLATE "C" NOT NULL,
    device text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    handle text NOT NULL,
    token text NOT NULL,
    system text NOT NULL,
    attributes text NOT NULL,
    PRIMARY KEY (tenant, app, userid, device)
);
CREATE INDEX app_users_customer ON app_users (tenant, customer, app) WHERE customer <> '';
CREATE INDEX app_users_handle ON app_users (tenant, app, handle) WHERE handle <> '';
CREATE INDEX app_users_token ON app_users (tenant, app, md5(token)) WHERE token <> '';

-- Writes of profiles: those that wait for a worker (state 0, with their `work`), and what became of the others (1), or
-- that they came too late (2). `outcome` is a list with an entry per record.
CREATE TABLE profile_jobs (
    id bigint PRIMARY KEY,
    nonce bigint NOT NULL,
    at bigint NOT NULL,
    deadline bigint NOT NULL,
    state smallint NOT NULL,
    tenant text NOT NULL,
    work text NOT NULL,
    outcome text NOT NULL
);
CREATE INDEX profile_jobs_waiting ON profile_jobs (id) WHERE state = 0;

-- Who did what to whom; `detail` is an object.
CREATE TABLE audit (
    id bigint PRIMARY KEY,
    at bigint NOT NULL,
    tenant text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    detail text NOT NULL
);

-- Chunks to be published at `due` (Unix ms): a call's at once by the node that accepted it, which then deletes the
-- row; else by whoever finds it due. Rows live for milliseconds, so dead ones are cleared away often.
CREATE TABLE outbox (
    due bigint NOT NULL,
    request bigint NOT NULL,
    element bigint NOT NULL,
    size bigint NOT NULL,
    again smallint NOT NULL,
    PRIMARY KEY (due, request, element)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Chunks that were handed out too often without an end.
CREATE TABLE parked (
    request bigint NOT NULL,
    element bigint NOT NULL,
    at bigint NOT NULL,
    deliveries bigint NOT NULL,
    PRIMARY KEY (request, element)
);

-- Which process has which duty, until when (Unix ms); 0 is given back.
CREATE TABLE leases (
    until bigint NOT NULL,
    name text COLLATE "C" PRIMARY KEY,
    owner text NOT NULL
);

-- Limits by the second that processes share: what is left in a bucket (thousandths), and when that was so (Unix ms).
CREATE TABLE buckets (
    at bigint NOT NULL,
    level bigint NOT NULL,
    name text COLLATE "C" PRIMARY KEY
);

-- Short-lived credentials, sealed, and when each must be replaced (Unix ms).
CREATE TABLE tokens (
    expires bigint NOT NULL,
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

-- What happened and what rules may follow from: events, hooks, messages from people, receipts, clicks, profiles. States:
-- 0 new, 1 its runs are under way, 2 no rule is for it, 3 done, 4 left out by a filter. `payload` is an object.
CREATE TABLE occurrences (
    id bigint PRIMARY KEY,
    tenant text NOT NULL,
    service text NOT NULL,
    cause text NOT NULL,
    name text NOT NULL,
    payload text NOT NULL,
    at bigint NOT NULL,
    depth smallint NOT NULL,
    origin text NOT NULL,
    state smallint NOT NULL,
    correlation text NOT NULL,
    notify text NOT NULL,
    note text NOT NULL
);
CREATE INDEX occurrences_open ON occurrences (id) WHERE state < 2;
CREATE INDEX occurrences_unresolved ON occurrences (tenant, id) WHERE state = 2;

-- Rules at work: one row per rule that follows from an occurrence. States: 0 something is to be done at `due`, 1 it
-- waits for a message, 2 it ended, 3 something in it failed, 4 it was refused. `until` is 0 while a process has it in
-- hand; `log` is a list with an entry per step.
CREATE TABLE runs (
    id bigint PRIMARY KEY,
    occurrence bigint NOT NULL,
    tenant text NOT NULL,
    service text NOT NULL,
    rule text NOT NULL,
    digest text NOT NULL,
    at bigint NOT NULL,
    state smallint NOT NULL,
    step integer NOT NULL,
    turn integer NOT NULL,
    tries integer NOT NULL,
    awaits bigint NOT NULL,
    until bigint NOT NULL,
    due bigint NOT NULL,
    updated bigint NOT NULL,
    log text NOT NULL
);
CREATE INDEX runs_due ON runs (due) WHERE state < 2;
CREATE INDEX runs_occurrence ON runs (occurrence);

-- The wordings of rules, so that a run ends by the rule it began with.
CREATE TABLE rule_texts (
    tenant text NOT NULL,
    digest text NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (tenant, digest)
);

-- Users of apps in real time, by lane: the number of the last message kept for them, of the last one that any of their
-- devices has acknowledged, and of the last one that was put on a wire.
CREATE TABLE inapp_users (
    seq bigint NOT NULL,
    acked bigint NOT NULL,
    handed bigint NOT NULL,
    lane text NOT NULL,
    userid text NOT NULL,
    PRIMARY KEY (lane, userid)
);

-- What each device has acknowledged, and when it was last here.
CREATE TABLE inapp_devices (
    acked bigint NOT NULL,
    seen bigint NOT NULL,
    lane text NOT NULL,
    userid text NOT NULL,
    device text NOT NULL,
    PRIMARY KEY (lane, userid, device)
);
CREATE INDEX inapp_devices_seen ON inapp_devices (seen);

-- Messages for users of apps until they expire; `body` is the JSON object that the app gets.
CREATE TABLE inapp_kept (
    seq bigint NOT NULL,
    request bigint NOT NULL,
    at bigint NOT NULL,
    expires bigint NOT NULL,
    ordinal integer NOT NULL,
    lane text NOT NULL,
    userid text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (lane, userid, seq)
);
CREATE UNIQUE INDEX inapp_kept_message ON inapp_kept (request, ordinal);
CREATE INDEX inapp_kept_expires ON inapp_kept (expires);

-- Which node holds a connection of a device, while `inapp_nodes` says that it lives.
CREATE TABLE inapp_presence (
    since bigint NOT NULL,
    lane text NOT NULL,
    userid text NOT NULL,
    device text NOT NULL,
    node text NOT NULL,
    PRIMARY KEY (lane, userid, device)
);
CREATE TABLE inapp_nodes (
    until bigint NOT NULL,
    node text PRIMARY KEY
);

CREATE TABLE migrations (
    name text PRIMARY KEY,
    applied bigint NOT NULL
);
