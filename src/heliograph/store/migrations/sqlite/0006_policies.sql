-- Whom to leave alone, how often people were written to, and what messages cost.

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

CREATE TABLE sent (
    tenant TEXT NOT NULL,
    slot TEXT NOT NULL,
    address TEXT NOT NULL,
    count INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (tenant, slot, address)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE reservations (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    amount INTEGER NOT NULL,
    address TEXT NOT NULL,
    slots TEXT NOT NULL,
    PRIMARY KEY (request, ordinal)
) STRICT, WITHOUT ROWID;
