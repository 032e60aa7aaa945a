-- Receipts, and messages from people.

-- name: insert_receipts
INSERT INTO receipts (id, request, ordinal, part, connector, native_id, key, at, native_code, detail, destination, raw)
VALUES :rows;

-- name: adopt_receipts
UPDATE receipts SET request = c.value ->> 1, ordinal = c.value ->> 2, part = c.value ->> 3
FROM json_each($1) AS c
WHERE receipts.request = 0 AND receipts.ordinal = 0 AND receipts.id = c.value ->> 0;

-- name: insert_inbound
INSERT INTO inbound (id, tenant, service, connector, channel, sender, destination, text, native, at)
VALUES :rows;

-- name: insert_inbound_notices
INSERT INTO notices (request, ordinal, id, state, key, detail, at, url, origin, tenant, service, body, delivery,
    attempts, due, status, error)
SELECT 0, 0, column1, 51, 'inbound', '', column2, column3, column4, column5, column6, column7, 0, 0, column2, 0, ''
FROM (VALUES :rows);

-- name: matches
SELECT json_group_array(json_array(json_array(s.connector, s.native_id), json_array(
    json_array(t.request, t.ordinal, t.element, json_array(t.kind, t.destination, t.correlation), t.state, t.key,
        t.detail, t.attempt, t.connector, t.due, t.updated, json(iif(t.duplicate, 'true', 'false')), t.natives),
    s.part, s.parts)))
FROM json_each($1) AS c JOIN json_each($2) AS n ON n.key = c.key
JOIN submissions AS s ON s.connector = c.value AND s.native_id = n.value
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
WHERE r.request = 0 AND r.ordinal = 0 AND r.id >= $1;

-- name: receipts_of
SELECT json_group_array(json_array(id, request, ordinal, part, connector, native_id, key, at, native_code, detail,
    destination, raw))
FROM receipts WHERE request = $1 AND ordinal = $2;

-- name: unmatched
SELECT json_group_array(json_array(id, request, ordinal, part, connector, native_id, key, at, native_code, detail,
    destination, raw))
FROM (SELECT * FROM receipts WHERE request = 0 AND ordinal = 0 AND id > $1 ORDER BY id DESC LIMIT $2);
