-- When something went out to whom, for far ends that report on everything sent to a person until a moment.
CREATE TABLE threads (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    connector TEXT NOT NULL,
    thread TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (request, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX threads_person ON threads (connector, thread, at);

-- The far ends' ids of messages from people, so that one that comes again is kept once.
CREATE TABLE came (
    connector TEXT NOT NULL,
    native_id TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (connector, native_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX came_id ON came (id);
