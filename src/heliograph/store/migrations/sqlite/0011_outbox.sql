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
