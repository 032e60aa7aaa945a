-- What happened and what rules may follow from: events, hooks, messages from people, receipts, clicks, profiles. States:
-- 0 new, 1 its runs are under way, 2 no rule is for it, 3 done, 4 left out by a filter. `payload` is an object.
CREATE TABLE occurrences (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    service TEXT NOT NULL,
    cause TEXT NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    at INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    origin TEXT NOT NULL,
    state INTEGER NOT NULL,
    correlation TEXT NOT NULL,
    notify TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX occurrences_open ON occurrences (id) WHERE state < 2;
CREATE INDEX occurrences_unresolved ON occurrences (tenant, id) WHERE state = 2;
