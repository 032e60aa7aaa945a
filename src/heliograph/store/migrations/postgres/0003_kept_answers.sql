-- Answers to calls with an Idempotency-Key.
CREATE TABLE kept_answers (
    request bigint PRIMARY KEY,
    tenant text NOT NULL,
    service text NOT NULL,
    key text NOT NULL,
    digest text NOT NULL,
    answer text NOT NULL,
    UNIQUE (tenant, service, key)
);
