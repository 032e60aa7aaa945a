-- Whom to leave alone, how often people were written to, and what messages cost.

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
