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
