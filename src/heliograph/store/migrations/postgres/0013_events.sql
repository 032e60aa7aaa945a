-- What happened and what rules may follow from: events, hooks, messages from people, receipts, clicks, profiles. States:
-- 0 new, 1 its runs are under way, 2 no rule is for it, 3 done, 4 left out by a filter. `payload` is an object.
CREATE TABLE occurrences (
    id bigint PRIMARY KEY,
    tenant text NOT NULL,
    service text NOT NULL,
    cause text NOT NULL,
    name text NOT NULL,
    payload text NOT NULL,
    at bigint NOT NULL,
    depth smallint NOT NULL,
    origin text NOT NULL,
    state smallint NOT NULL,
    correlation text NOT NULL,
    notify text NOT NULL,
    note text NOT NULL
);
CREATE INDEX occurrences_open ON occurrences (id) WHERE state < 2;
CREATE INDEX occurrences_unresolved ON occurrences (tenant, id) WHERE state = 2;
