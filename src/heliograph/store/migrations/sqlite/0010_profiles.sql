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
