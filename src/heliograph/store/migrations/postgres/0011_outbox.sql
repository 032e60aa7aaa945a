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
