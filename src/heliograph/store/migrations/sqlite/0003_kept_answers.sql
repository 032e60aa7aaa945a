-- Answers to calls with an Idempotency-Key.

CREATE TABLE kept_answers (
    request INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    service TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    UNIQUE (tenant, service, key)
) STRICT;
