-- When something went out to whom, for far ends that report on everything sent to a person until a moment.
CREATE TABLE threads (
    request bigint NOT NULL,
    at bigint NOT NULL,
    ordinal integer NOT NULL,
    connector text NOT NULL,
    thread text NOT NULL,
    PRIMARY KEY (request, ordinal)
) PARTITION BY RANGE (request);
CREATE INDEX threads_person ON threads (thread, connector, at);
CREATE TABLE threads_rest PARTITION OF threads DEFAULT;

-- The far ends' ids of messages from people, so that one that comes again is kept once.
CREATE TABLE came (
    id bigint NOT NULL,
    connector text NOT NULL,
    native_id text NOT NULL,
    PRIMARY KEY (connector, native_id)
);
CREATE INDEX came_id ON came (id);
