-- Every statement of the SQLite store, by name. An INSERT without rows is completed with a multi-row VALUES
-- (bulk.py); lists of keys come as one JSON text, and answers leave as one, so that a thousand rows are few steps.

-- name: insert_requests
INSERT INTO requests (id, nonce, tenant, service, accepted, channel, priority, expiry, elements, remaining, firsts,
    messages);

-- name: insert_run
INSERT INTO transactions
SELECT ?1, ?2 + key, ?3, ?4, value, ?5, 10, '', '', 0, '', 0, ?6, 0, '' FROM json_each(?7);

-- name: insert_singles
INSERT INTO transactions (request, ordinal, element, kind, destination, correlation, state, key, detail, attempt,
    connector, due, updated, duplicate, natives);

-- name: count_usage
INSERT INTO usage VALUES (?1, ?2, ?3)
ON CONFLICT (tenant, day) DO UPDATE SET used = used + excluded.used;

-- name: free_kept_keys
DELETE FROM kept_answers
WHERE (tenant, service, key) IN (SELECT c.value ->> 1, c.value ->> 2, c.value ->> 3 FROM json_each(?1) AS c)
  AND request < ?2;

-- name: insert_kept_answers
INSERT INTO kept_answers (request, tenant, service, key, digest, answer);

-- name: kept_answer
SELECT json_group_array(json_array(request, tenant, service, key, digest, answer)) FROM kept_answers
WHERE tenant = ?1 AND service = ?2 AND key = ?3 AND request >= ?4;

-- name: usage_since
SELECT json_group_array(json_array(tenant, day, used)) FROM usage WHERE day >= ?1;

-- name: claim
UPDATE transactions SET state = 20, attempt = attempt + 1
FROM json_each(?1) AS c
WHERE request = c.value ->> 0 AND ordinal BETWEEN c.value ->> 1 AND c.value ->> 2 AND state = 10;

-- name: create_scratch
CREATE TEMP TABLE change (
    seq INTEGER PRIMARY KEY, request INTEGER, ordinal INTEGER, state INTEGER, key TEXT, at INTEGER, detail TEXT,
    attempt INTEGER, connector TEXT, due INTEGER, duplicate INTEGER, notice INTEGER, url TEXT, origin TEXT,
    natives TEXT
);
CREATE TEMP TABLE incoming (
    seq INTEGER PRIMARY KEY, request INTEGER, ordinal INTEGER, state INTEGER, key TEXT, at INTEGER, detail TEXT,
    attempt INTEGER, connector TEXT, due INTEGER, duplicate INTEGER, notice INTEGER, url TEXT, origin TEXT,
    natives TEXT, old INTEGER
);
CREATE TEMP TABLE told (
    request INTEGER, ordinal INTEGER, id INTEGER, delivery INTEGER, attempts INTEGER, at INTEGER, due INTEGER,
    status INTEGER, error TEXT
);

-- name: insert_changes
INSERT INTO temp.change;

-- name: fill_incoming
INSERT INTO temp.incoming
SELECT c.*, t.state
FROM temp.change AS c CROSS JOIN transactions AS t
WHERE t.request = c.request AND t.ordinal = c.ordinal
  AND (t.state / 10 < c.state / 10 OR (t.state = 20 AND c.state = 10));

-- name: apply_incoming
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

-- name: count_down
UPDATE requests SET remaining = remaining - c.n
FROM (SELECT request, count(*) AS n FROM temp.incoming WHERE old < 30 AND state >= 30 GROUP BY request) AS c
WHERE requests.id = c.request;

-- name: insert_notices
INSERT INTO notices
SELECT i.request, i.ordinal, i.notice, i.state, i.key, i.detail, i.at, i.url, i.origin, r.tenant, r.service, '',
       0, 0, i.at, 0, ''
FROM temp.incoming AS i JOIN requests AS r ON r.id = i.request WHERE i.notice > 0;

-- name: insert_submissions
INSERT INTO submissions
SELECT i.connector, n.value, i.request, i.ordinal, n.key, json_array_length(i.natives)
FROM temp.incoming AS i, json_each(i.natives) AS n WHERE i.natives <> ''
ON CONFLICT (connector, native_id) DO UPDATE SET
    request = excluded.request, ordinal = excluded.ordinal, part = excluded.part, parts = excluded.parts;

-- name: late_submissions
INSERT INTO submissions
SELECT c.connector, n.value, c.request, c.ordinal, n.key, json_array_length(c.natives)
FROM temp.change AS c, json_each(c.natives) AS n
WHERE c.natives <> '' AND c.seq NOT IN (SELECT seq FROM temp.incoming)
ON CONFLICT (connector, native_id) DO UPDATE SET
    request = excluded.request, ordinal = excluded.ordinal, part = excluded.part, parts = excluded.parts;

-- name: late_natives
UPDATE transactions SET natives = c.natives, connector = c.connector
FROM temp.change AS c
WHERE transactions.request = c.request AND transactions.ordinal = c.ordinal AND transactions.natives = ''
  AND c.natives <> '' AND c.seq NOT IN (SELECT seq FROM temp.incoming);

-- name: insert_windows
INSERT OR IGNORE INTO windows
SELECT DISTINCT due, request FROM temp.incoming WHERE state = 30 AND due > 0;

-- name: applied_incoming
SELECT json_group_array(seq) FROM temp.incoming;

-- name: clear_incoming
DELETE FROM temp.incoming;

-- name: clear_changes
DELETE FROM temp.change;

-- name: insert_story
INSERT INTO story (id, request, ordinal, at, step, data);

-- name: insert_receipts
INSERT INTO receipts (id, request, ordinal, part, connector, native_id, key, at, native_code, detail, destination, raw);

-- name: adopt_receipts
UPDATE receipts SET request = c.value ->> 1, ordinal = c.value ->> 2, part = c.value ->> 3
FROM json_each(?1) AS c
WHERE receipts.request = 0 AND receipts.ordinal = 0 AND receipts.id = c.value ->> 0;

-- name: insert_told
INSERT INTO temp.told;

-- name: apply_told
UPDATE notices SET
    delivery = c.delivery, attempts = c.attempts, due = c.due, status = c.status, error = c.error
FROM temp.told AS c
WHERE notices.request = c.request AND notices.ordinal = c.ordinal AND notices.id = c.id;

-- name: clear_told
DELETE FROM temp.told;

-- name: insert_inbound
INSERT INTO inbound VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: insert_inbound_notice
INSERT INTO notices VALUES (0, 0, ?1, 51, 'inbound', '', ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?2, 0, '');

-- name: close_windows
DELETE FROM windows WHERE due <= ?1;

-- name: release_claims
UPDATE transactions SET state = 10, duplicate = 1
WHERE state = 20 AND request IN (SELECT id FROM requests WHERE remaining > 0);

-- name: save_workspace
INSERT INTO workspace VALUES (1, ?1, ?2)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, document = excluded.document;

-- name: record_keys
INSERT OR IGNORE INTO service_keys SELECT value, ?2, 0 FROM json_each(?1);

-- name: drop_keys
DELETE FROM service_keys WHERE hash NOT IN (SELECT value FROM json_each(?1));

-- name: use_keys
INSERT INTO service_keys SELECT key, 0, value FROM json_each(?1) WHERE true
ON CONFLICT (hash) DO UPDATE SET used = max(used, excluded.used);

-- name: service_keys
SELECT json_group_array(json_array(k.hash, k.created, k.used))
FROM json_each(?1) AS c JOIN service_keys AS k ON k.hash = c.value;

-- name: greatest_id
SELECT max(coalesce((SELECT max(id) FROM requests), 0), coalesce((SELECT max(id) FROM inbound), 0),
    coalesce((SELECT max(id) FROM receipts WHERE request = 0 AND ordinal = 0), 0));

-- name: load_workspace
SELECT version, document FROM workspace;

-- name: purge_ids
SELECT json_group_array(id) FROM (
    SELECT id FROM requests WHERE id < ?1 AND remaining = 0 ORDER BY id LIMIT ?2
);

-- name: purge_submissions
DELETE FROM submissions WHERE (connector, native_id) IN (
    SELECT t.connector, n.value FROM transactions AS t, json_each(t.natives) AS n
    WHERE t.request IN (SELECT value FROM json_each(?1)) AND t.natives <> ''
) AND request IN (SELECT value FROM json_each(?1));

-- name: purge_receipts
DELETE FROM receipts WHERE request IN (SELECT value FROM json_each(?1));

-- name: purge_story
DELETE FROM story WHERE request IN (SELECT value FROM json_each(?1));

-- name: purge_notices
DELETE FROM notices WHERE request IN (SELECT value FROM json_each(?1));

-- name: purge_transactions
DELETE FROM transactions WHERE request IN (SELECT value FROM json_each(?1));

-- name: purge_requests
DELETE FROM requests WHERE id IN (SELECT value FROM json_each(?1));

-- name: purge_loose_receipts
DELETE FROM receipts WHERE request = 0 AND ordinal = 0 AND id < ?1;

-- name: purge_loose_notices
DELETE FROM notices WHERE request = 0 AND ordinal = 0 AND id < ?1;

-- name: purge_inbound
DELETE FROM inbound WHERE id < ?1;

-- name: purge_usage
DELETE FROM usage WHERE day < ?1;

-- name: purge_kept_answers
DELETE FROM kept_answers
WHERE request IN (SELECT request FROM kept_answers WHERE request < ?1 ORDER BY request LIMIT ?2);

-- name: open_requests
SELECT json_group_array(json_array(id, tenant, service, channel, priority, expiry, elements)) FROM (
    SELECT id, tenant, service, channel, priority, expiry, elements FROM requests
    WHERE remaining > 0 AND id > ?1 ORDER BY id LIMIT ?2
);

-- name: get_requests
SELECT json_group_array(json_object(
    'id', id, 'nonce', nonce, 'tenant', tenant, 'service', service, 'accepted', accepted,
    'messages', json(messages), 'firsts', json(firsts)))
FROM requests WHERE id IN (SELECT value FROM json_each(?1));

-- name: pending
SELECT json_group_array(json_array(t.request, t.ordinal, t.element, json_array(t.kind, t.destination, t.correlation),
    t.state, t.key, t.detail, t.attempt, t.connector, t.due, t.updated, json(iif(t.duplicate, 'true', 'false')),
    t.natives))
FROM json_each(?1) AS c JOIN transactions AS t ON t.request = c.value WHERE t.state = 10;

-- name: transactions_of
SELECT json_group_array(json_array(request, ordinal, element, json_array(kind, destination, correlation),
    state, key, detail, attempt, connector, due, updated, json(iif(duplicate, 'true', 'false')), natives))
FROM transactions WHERE request = ?1 AND ordinal BETWEEN ?2 AND ?3;

-- name: lapsed
SELECT json_group_array(json_array(t.request, t.ordinal, t.element, json_array(t.kind, t.destination, t.correlation),
    t.state, t.key, t.detail, t.attempt, t.connector, t.due, t.updated, json(iif(t.duplicate, 'true', 'false')),
    t.natives))
FROM (SELECT DISTINCT request FROM windows WHERE due <= ?1) AS w
JOIN transactions AS t ON t.request = w.request WHERE t.state = 30 AND t.due BETWEEN 1 AND ?1;

-- name: window_edge
SELECT json_array(coalesce(max(due), 0)) FROM (SELECT due FROM windows WHERE due <= ?1 ORDER BY due LIMIT ?2);

-- name: matches
SELECT json_group_array(json_array(json_array(s.connector, s.native_id), json_array(
    json_array(t.request, t.ordinal, t.element, json_array(t.kind, t.destination, t.correlation), t.state, t.key,
        t.detail, t.attempt, t.connector, t.due, t.updated, json(iif(t.duplicate, 'true', 'false')), t.natives),
    s.part, s.parts)))
FROM json_each(?1) AS c
JOIN submissions AS s ON s.connector = c.value ->> 0 AND s.native_id = c.value ->> 1
JOIN transactions AS t ON t.request = s.request AND t.ordinal = s.ordinal;

-- name: rematched
SELECT json_group_array(json_array(
    json_array(r.id, r.request, r.ordinal, r.part, r.connector, r.native_id, r.key, r.at, r.native_code, r.detail,
        r.destination, r.raw),
    json_array(
        json_array(t.request, t.ordinal, t.element, json_array(t.kind, t.destination, t.correlation), t.state, t.key,
            t.detail, t.attempt, t.connector, t.due, t.updated, json(iif(t.duplicate, 'true', 'false')), t.natives),
        s.part, s.parts)))
FROM receipts AS r
JOIN submissions AS s ON s.connector = r.connector AND s.native_id = r.native_id
JOIN transactions AS t ON t.request = s.request AND t.ordinal = s.ordinal
WHERE r.request = 0 AND r.ordinal = 0;

-- name: receipts_of
SELECT json_group_array(json_array(id, request, ordinal, part, connector, native_id, key, at, native_code, detail,
    destination, raw))
FROM receipts WHERE request = ?1 AND ordinal = ?2;

-- name: unmatched
SELECT json_group_array(json_array(id, request, ordinal, part, connector, native_id, key, at, native_code, detail,
    destination, raw))
FROM (SELECT * FROM receipts WHERE request = 0 AND ordinal = 0 AND id > ?1 ORDER BY id DESC LIMIT ?2);

-- name: story_of
SELECT json_group_array(json_array(id, request, ordinal, at, step, data))
FROM story WHERE request = ?1 AND ordinal = ?2;

-- name: notices_of
SELECT json_group_array(json_object('id', request || '.' || ordinal || '.' || id, 'code', key, 'state', delivery,
    'url', url, 'at', at, 'attempts', attempts, 'due', due, 'status', status, 'error', error))
FROM notices WHERE request = ?1 AND ordinal = ?2;

-- name: notices_listed
SELECT json_group_array(json_object('id', request || '.' || ordinal || '.' || id, 'code', key, 'state', delivery,
    'url', url, 'at', at, 'attempts', attempts, 'due', due, 'status', status, 'error', error, 'tenant', tenant,
    'service', service))
FROM (SELECT * FROM notices WHERE delivery = ?1 ORDER BY due DESC LIMIT ?2);

-- name: replay_notice
UPDATE notices SET delivery = 0, attempts = 0, due = ?4, status = 0, error = ''
WHERE request = ?1 AND ordinal = ?2 AND id = ?3 RETURNING origin;

-- name: replay_parked
UPDATE notices SET delivery = 0, attempts = 0, due = ?3, status = 0, error = ''
WHERE delivery = 2 AND at BETWEEN ?1 AND ?2;

-- name: due_origins
WITH RECURSIVE o (origin) AS (
    SELECT min(origin) FROM notices WHERE delivery = 0
    UNION ALL
    SELECT (SELECT min(origin) FROM notices WHERE delivery = 0 AND origin > o.origin) FROM o
    WHERE o.origin IS NOT NULL
)
SELECT json_group_array(origin) FROM o WHERE origin IS NOT NULL AND EXISTS (
    SELECT 1 FROM notices WHERE delivery = 0 AND origin = o.origin AND due <= ?1
);

-- name: due_notices
SELECT json_group_array(json_array(id, request, ordinal, element, json_array(kind, destination, correlation), state,
    key, detail, at, url, origin, tenant, service, attempts, body))
FROM (
    SELECT n.*, coalesce(t.element, 0) AS element, coalesce(t.kind, '') AS kind,
        coalesce(t.destination, '') AS destination, coalesce(t.correlation, '') AS correlation
    FROM (SELECT * FROM notices WHERE delivery = 0 AND origin = ?1 AND due <= ?2
          AND id NOT IN (SELECT value FROM json_each(?4)) ORDER BY due LIMIT ?3) AS n
    LEFT JOIN transactions AS t ON t.request = n.request AND t.ordinal = n.ordinal
    ORDER BY n.due, n.id
);

-- name: recent
SELECT json_group_array(json_array(request, ordinal, element, json_array(kind, destination, correlation),
    state, key, detail, attempt, connector, due, updated, json(iif(duplicate, 'true', 'false')), natives))
FROM (SELECT t.* FROM requests AS r JOIN transactions AS t ON t.request = r.id
      WHERE r.tenant = ?1 AND (r.id < ?2 OR (r.id = ?2 AND t.ordinal < ?3)) AND r.id BETWEEN ?4 AND ?5
        AND (?6 = '' OR r.channel = ?6) AND (?7 = '' OR r.service = ?7) AND (?8 = '[]' OR t.key IN (SELECT value FROM json_each(?8)))
        AND (?9 = 0 OR t.state = ?9) AND (?10 = '' OR t.destination = ?10) AND (?11 = '' OR t.correlation = ?11)
      ORDER BY t.request DESC, t.ordinal DESC LIMIT ?12);

-- name: counts
SELECT json_group_array(json_array(state, n)) FROM (SELECT state, count(*) AS n FROM transactions GROUP BY state);

-- name: pending_counts
SELECT json_array((SELECT coalesce(sum(remaining), 0) FROM requests WHERE remaining > 0),
    (SELECT count(*) FROM notices WHERE delivery = 0), (SELECT count(*) FROM notices WHERE delivery = 2));
