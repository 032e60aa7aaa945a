-- Receipts, and messages from people.

-- name: insert_receipts
INSERT INTO receipts (id, request, ordinal, part, connector, native_id, key, at, native_code, detail, destination, raw)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[]);

-- name: adopt_receipts
UPDATE receipts AS r SET request = c.request, ordinal = c.ordinal, part = c.part
FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[]) AS c (id, request, ordinal, part)
WHERE r.request = 0 AND r.ordinal = 0 AND r.id = c.id;

-- name: insert_inbound
INSERT INTO inbound (id, tenant, service, connector, channel, sender, destination, text, native, at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::bigint[]);

-- name: insert_inbound_notices
INSERT INTO notices (id, at, url, origin, tenant, service, body, due, request, ordinal, state, key, detail, delivery,
    attempts, status, error)
SELECT v.*, v.at, 0, 0, 51, 'inbound', '', 0, 0, 0, ''
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
AS v (id, at, url, origin, tenant, service, body);

-- name: matches
SELECT coalesce(json_agg(json_build_array(json_build_array(s.connector, s.native_id), json_build_array(
    json_build_array(t.request, t.ordinal, t.element, json_build_array(t.kind, t.destination, t.correlation), t.state,
    t.key, t.detail, t.attempt, t.connector, t.due, t.updated, t.duplicate <> 0, t.natives),
    s.part, s.parts))), '[]')::text
FROM unnest($1::text[], $2::text[]) AS c (connector, native_id)
CROSS JOIN LATERAL (
    SELECT * FROM submissions AS s WHERE s.connector = c.connector AND s.native_id = c.native_id
    ORDER BY s.at DESC, s.request DESC, s.ordinal DESC LIMIT 1
) AS s
JOIN transactions AS t ON t.request = s.request AND t.ordinal = s.ordinal;

-- name: rematched
SELECT coalesce(json_agg(json_build_array(
    json_build_array(r.id, r.request, r.ordinal, r.part, r.connector, r.native_id, r.key, r.at, r.native_code, r.detail,
    r.destination, r.raw),
    json_build_array(json_build_array(t.request, t.ordinal, t.element, json_build_array(t.kind, t.destination, t.correlation), t.state,
    t.key, t.detail, t.attempt, t.connector, t.due, t.updated, t.duplicate <> 0, t.natives),
    s.part, s.parts))), '[]')::text
FROM receipts AS r
CROSS JOIN LATERAL (
    SELECT * FROM submissions AS s WHERE s.connector = r.connector AND s.native_id = r.native_id
    ORDER BY s.at DESC, s.request DESC, s.ordinal DESC LIMIT 1
) AS s
JOIN transactions AS t ON t.request = s.request AND t.ordinal = s.ordinal
WHERE r.request = 0 AND r.ordinal = 0 AND r.id >= $1;

-- name: receipts_of
SELECT coalesce(json_agg(json_build_array(r.id, r.request, r.ordinal, r.part, r.connector, r.native_id, r.key, r.at, r.native_code, r.detail,
    r.destination, r.raw) ORDER BY r.id), '[]')::text
FROM receipts AS r WHERE request = $1 AND ordinal = $2;

-- name: unmatched
SELECT coalesce(json_agg(json_build_array(r.id, r.request, r.ordinal, r.part, r.connector, r.native_id, r.key, r.at, r.native_code, r.detail,
    r.destination, r.raw)), '[]')::text
FROM (SELECT * FROM receipts WHERE request = 0 AND ordinal = 0 AND id > $1 ORDER BY id DESC LIMIT $2) AS r;
