-- Chunks to be published at `due` (Unix ms): a call's at once by the node that accepted it, which then deletes the
-- row; else by whoever finds it due.
CREATE TABLE outbox (
    due bigint NOT NULL,
    request bigint NOT NULL,
    element bigint NOT NULL,
    size bigint NOT NULL,
    again smallint NOT NULL,
    PRIMARY KEY (due, request, element)
);

-- Chunks that were handed out too often without an end.
CREATE TABLE parked (
    request bigint NOT NULL,
    element bigint NOT NULL,
    at bigint NOT NULL,
    deliveries bigint NOT NULL,
    PRIMARY KEY (request, element)
);
