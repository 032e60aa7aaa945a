-- Transactions and their stories. Several statements under one name are one step.

-- name: create_scratch
CREATE TEMP TABLE IF NOT EXISTS change (
    seq INTEGER PRIMARY KEY, request INTEGER, first INTEGER, last INTEGER, state INTEGER, key TEXT, at INTEGER,
    detail TEXT, attempt INTEGER, connector TEXT, due INTEGER, duplicate INTEGER, url TEXT, origin TEXT, notices TEXT,
    natives TEXT
);
CREATE TEMP TABLE IF NOT EXISTS incoming (
    request INTEGER, ordinal INTEGER, seq INTEGER, place INTEGER, old INTEGER, state INTEGER
);
CREATE TEMP TABLE IF NOT EXISTS told (
    request INTEGER, ordinal INTEGER, id INTEGER, delivery INTEGER, attempts INTEGER, at INTEGER, due INTEGER,
    status INTEGER, error TEXT
);
CREATE TEMP TABLE IF NOT EXISTS device_notice (
    seq INTEGER PRIMARY KEY, request INTEGER, ordinal INTEGER, id INTEGER, least INTEGER, most INTEGER, state INTEGER,
    key TEXT, detail TEXT, at INTEGER, url TEXT, origin TEXT, tenant TEXT, service TEXT
);
CREATE TEMP TABLE IF NOT EXISTS old (id INTEGER PRIMARY KEY);

-- name: claim
UPDATE transactions SET state = 20, attempt = attempt + 1
FROM json_each($1) AS c
WHERE request = c.value ->> 0 AND ordinal BETWEEN c.value ->> 1 AND c.value ->> 2 AND state = 10;

-- Rows are runs of consecutive ordinals that change alike; their notices and native ids are JSON lists in that order.
-- The answer is "" when every change took effect, else `[seq, ordinal]` of those that did.
-- name: apply_changes
INSERT INTO temp.change
VALUES :rows;
INSERT INTO temp.incoming
SELECT c.request, t.ordinal, c.seq, t.ordinal - c.first, t.state, c.state
FROM temp.change AS c CROSS JOIN transactions AS t
WHERE t.request = c.request AND t.ordinal BETWEEN c.first AND c.last
  AND (t.state / 10 < c.state / 10 OR (t.state = 20 AND c.state = 10))
  AND (c.state <> 40 OR c.attempt < 0 OR t.state = 20);
UPDATE transactions SET
    state = c.state,
    key = c.key,
    detail = c.detail,
    attempt = CASE WHEN c.attempt >= 0 THEN c.attempt ELSE transactions.attempt END,
    connector = CASE WHEN c.connector <> '' THEN c.connector ELSE transactions.connector END,
    due = c.due,
    updated = max(c.at, transactions.updated),
    duplicate = transactions.duplicate | c.duplicate,
    natives = CASE WHEN c.natives <> '' THEN c.natives -> i.place ELSE transactions.natives END
FROM temp.incoming AS i CROSS JOIN temp.change AS c
WHERE c.seq = i.seq AND transactions.request = i.request AND transactions.ordinal = i.ordinal;
UPDATE requests SET remaining = remaining - c.n
FROM (SELECT request, count(*) AS n FROM temp.incoming WHERE old < 30 AND state >= 30 GROUP BY request) AS c
WHERE requests.id = c.request;
INSERT INTO notices (request, ordinal, id, state, key, detail, at, url, origin, tenant, service, body, delivery,
    attempts, due, status, error)
SELECT i.request, i.ordinal, c.notices ->> i.place, c.state, c.key, c.detail, c.at, c.url, c.origin, r.tenant,
       r.service, '', 0, 0, c.at, 0, ''
FROM temp.incoming AS i CROSS JOIN temp.change AS c ON c.seq = i.seq JOIN requests AS r ON r.id = i.request
WHERE c.notices <> '';
SELECT CASE WHEN (SELECT count(*) FROM temp.incoming) < (SELECT sum(last - first + 1) FROM temp.change)
    THEN (SELECT json_group_array(json_array(seq, ordinal)) FROM temp.incoming) ELSE '' END;
DELETE FROM temp.incoming;
DELETE FROM temp.change;

-- A receipt may outrun the answer to its submit, whose ids are true still.
-- name: keep_natives
UPDATE transactions SET natives = c.value ->> 2, connector = c.value ->> 3
FROM json_each($1) AS c
WHERE request = c.value ->> 0 AND ordinal = c.value ->> 1 AND natives = '';

-- name: insert_submissions
INSERT INTO submissions (connector, native_id, request, ordinal, part, parts)
SELECT v.column1, v.column2, v.column3, v.column4, v.column5, v.column6 FROM (VALUES :rows) AS v WHERE true
ON CONFLICT (connector, native_id) DO UPDATE SET
    request = excluded.request, ordinal = excluded.ordinal, part = excluded.part, parts = excluded.parts;

-- name: insert_windows
INSERT OR IGNORE INTO windows (due, request)
VALUES :rows;

-- name: insert_story
INSERT INTO story (id, request, ordinal, at, step, data)
VALUES :rows;

-- name: release_claims
UPDATE transactions SET state = 10, duplicate = 1
WHERE state = 20 AND request IN (SELECT id FROM requests WHERE remaining > 0);

-- Each by itself: to find what is alike SQLite would sort everything.
-- name: pending
SELECT json_group_array(json_array(t.request, t.element, t.kind, t.correlation, t.key, t.detail, t.attempt, t.connector,
    t.due, t.updated, json(iif(t.duplicate, 'true', 'false')), t.natives, json_array(t.ordinal),
    json_array(t.destination)))
FROM json_each($1) AS c JOIN transactions AS t ON t.request = c.value WHERE t.state = 10;

-- name: transactions_of
SELECT json_group_array(json_array(request, ordinal, element, json_array(kind, destination, correlation),
    state, key, detail, attempt, connector, due, updated, json(iif(duplicate, 'true', 'false')), natives))
FROM transactions WHERE request = $1 AND ordinal BETWEEN $2 AND $3;

-- name: lapsed
SELECT json_group_array(json_array(t.request, t.ordinal, t.element, json_array(t.kind, t.destination, t.correlation),
    t.state, t.key, t.detail, t.attempt, t.connector, t.due, t.updated, json(iif(t.duplicate, 'true', 'false')),
    t.natives))
FROM (SELECT DISTINCT request FROM windows WHERE due <= $1) AS w
JOIN transactions AS t ON t.request = w.request WHERE t.state = 30 AND t.due BETWEEN 1 AND $1;

-- name: window_edge
SELECT json_array(coalesce(max(due), 0)) FROM (SELECT due FROM windows WHERE due <= $1 ORDER BY due LIMIT $2);

-- name: story_of
SELECT json_group_array(json_array(id, request, ordinal, at, step, data))
FROM story WHERE request = $1 AND ordinal = $2;

-- name: recent
SELECT json_group_array(json_array(request, ordinal, element, json_array(kind, destination, correlation),
    state, key, detail, attempt, connector, due, updated, json(iif(duplicate, 'true', 'false')), natives))
FROM (SELECT t.* FROM requests AS r JOIN transactions AS t ON t.request = r.id
      WHERE r.tenant = $1 AND (r.id < $2 OR (r.id = $2 AND t.ordinal < $3)) AND r.id BETWEEN $4 AND $5
        AND ($6 = '' OR r.channel = $6) AND ($7 = '' OR r.service = $7) AND ($8 = '[]' OR t.key IN (SELECT value FROM json_each($8)))
        AND ($9 = 0 OR t.state = $9) AND ($10 = '' OR t.destination = $10) AND ($11 = '' OR t.correlation = $11)
      ORDER BY t.request DESC, t.ordinal DESC LIMIT $12);

-- name: counts
SELECT json_group_array(json_array(state, n)) FROM (SELECT state, count(*) AS n FROM transactions GROUP BY state);

-- name: pending_counts
SELECT json_array((SELECT coalesce(sum(remaining), 0) FROM requests WHERE remaining > 0),
    (SELECT count(*) FROM notices WHERE delivery = 0), (SELECT count(*) FROM notices WHERE delivery = 2));
