-- Transactions and their stories. Several statements under one name are one step.

-- name: create_scratch
CREATE TEMP TABLE IF NOT EXISTS change (
    seq INTEGER PRIMARY KEY, request INTEGER, ordinal INTEGER, state INTEGER, key TEXT, at INTEGER, detail TEXT,
    attempt INTEGER, connector TEXT, due INTEGER, duplicate INTEGER, notice INTEGER, url TEXT, origin TEXT,
    natives TEXT
);
CREATE TEMP TABLE IF NOT EXISTS incoming (
    seq INTEGER PRIMARY KEY, request INTEGER, ordinal INTEGER, state INTEGER, key TEXT, at INTEGER, detail TEXT,
    attempt INTEGER, connector TEXT, due INTEGER, duplicate INTEGER, notice INTEGER, url TEXT, origin TEXT,
    natives TEXT, old INTEGER
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

-- name: apply_changes
INSERT INTO temp.change
VALUES :rows;
INSERT INTO temp.incoming
SELECT c.*, t.state
FROM temp.change AS c CROSS JOIN transactions AS t
WHERE t.request = c.request AND t.ordinal = c.ordinal
  AND (t.state / 10 < c.state / 10 OR (t.state = 20 AND c.state = 10))
  AND (c.state <> 40 OR c.attempt < 0 OR t.state = 20);
UPDATE transactions SET
    state = i.state,
    key = i.key,
    detail = i.detail,
    attempt = CASE WHEN i.attempt >= 0 THEN i.attempt ELSE transactions.attempt END,
    connector = CASE WHEN i.connector <> '' THEN i.connector ELSE transactions.connector END,
    due = i.due,
    updated = max(i.at, transactions.updated),
    duplicate = transactions.duplicate | i.duplicate,
    natives = CASE WHEN i.natives <> '' THEN i.natives ELSE transactions.natives END
FROM temp.incoming AS i
WHERE transactions.request = i.request AND transactions.ordinal = i.ordinal;
UPDATE requests SET remaining = remaining - c.n
FROM (SELECT request, count(*) AS n FROM temp.incoming WHERE old < 30 AND state >= 30 GROUP BY request) AS c
WHERE requests.id = c.request;
INSERT INTO notices (request, ordinal, id, state, key, detail, at, url, origin, tenant, service, body, delivery,
    attempts, due, status, error)
SELECT i.request, i.ordinal, i.notice, i.state, i.key, i.detail, i.at, i.url, i.origin, r.tenant, r.service, '',
       0, 0, i.at, 0, ''
FROM temp.incoming AS i JOIN requests AS r ON r.id = i.request WHERE i.notice > 0;
INSERT INTO submissions (connector, native_id, request, ordinal, part, parts)
SELECT i.connector, n.value, i.request, i.ordinal, n.key, json_array_length(i.natives)
FROM temp.incoming AS i, json_each(i.natives) AS n WHERE i.natives <> '' AND n.value <> ''
ON CONFLICT (connector, native_id) DO UPDATE SET
    request = excluded.request, ordinal = excluded.ordinal, part = excluded.part, parts = excluded.parts;
INSERT OR IGNORE INTO windows (due, request)
SELECT DISTINCT due, request FROM temp.incoming WHERE state = 30 AND due > 0;
INSERT INTO submissions (connector, native_id, request, ordinal, part, parts)
SELECT c.connector, n.value, c.request, c.ordinal, n.key, json_array_length(c.natives)
FROM temp.change AS c, json_each(c.natives) AS n
WHERE (SELECT count(*) FROM temp.incoming) < (SELECT count(*) FROM temp.change)
  AND c.natives <> '' AND n.value <> '' AND c.seq NOT IN (SELECT seq FROM temp.incoming)
ON CONFLICT (connector, native_id) DO UPDATE SET
    request = excluded.request, ordinal = excluded.ordinal, part = excluded.part, parts = excluded.parts;
UPDATE transactions SET natives = c.natives, connector = c.connector
FROM temp.change AS c
WHERE (SELECT count(*) FROM temp.incoming) < (SELECT count(*) FROM temp.change)
  AND transactions.request = c.request AND transactions.ordinal = c.ordinal AND transactions.natives = ''
  AND c.natives <> '' AND c.seq NOT IN (SELECT seq FROM temp.incoming);
SELECT json_group_array(seq) FROM temp.incoming;
DELETE FROM temp.incoming;
DELETE FROM temp.change;

-- name: insert_story
INSERT INTO story (id, request, ordinal, at, step, data)
VALUES :rows;

-- name: release_claims
UPDATE transactions SET state = 10, duplicate = 1
WHERE state = 20 AND request IN (SELECT id FROM requests WHERE remaining > 0);

-- name: pending
SELECT json_group_array(json_array(t.request, t.ordinal, t.element, json_array(t.kind, t.destination, t.correlation),
    t.state, t.key, t.detail, t.attempt, t.connector, t.due, t.updated, json(iif(t.duplicate, 'true', 'false')),
    t.natives))
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
