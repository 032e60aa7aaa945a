-- Chunks on their way to the broker, and those that are handed out no more.

-- name: insert_outbox
INSERT INTO outbox (due, request, element, size, again)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[])
ON CONFLICT DO NOTHING;

-- name: delete_outbox
DELETE FROM outbox AS o USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS c (due, request, element)
WHERE o.due = c.due AND o.request = c.request AND o.element = c.element;

-- Whoever takes rows has them to itself until $3; several nodes take different ones.
-- name: take_outbox
WITH chosen AS (
    SELECT due, request, element FROM outbox WHERE due <= $1 ORDER BY due, request, element LIMIT $2
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM outbox AS o USING chosen AS c
    WHERE o.due = c.due AND o.request = c.request AND o.element = c.element
    RETURNING o.request, o.element, o.size, o.again
), taken AS (
    INSERT INTO outbox (due, request, element, size, again)
    SELECT $3, request, element, max(size), max(again) FROM gone GROUP BY request, element
    ON CONFLICT DO NOTHING
    RETURNING due, request, element, size, again
)
SELECT coalesce(json_agg(json_build_array(due, request, element, size, again <> 0) ORDER BY request, element), '[]')::text
FROM taken;

-- name: hasten_outbox
WITH gone AS (DELETE FROM outbox WHERE due > $1 RETURNING request, element, size, again)
INSERT INTO outbox (due, request, element, size, again)
SELECT $1, request, element, max(size), max(again) FROM gone GROUP BY request, element
ON CONFLICT DO NOTHING;

-- name: refill_outbox
WITH page AS (
    SELECT id, elements, remaining FROM requests WHERE remaining > 0 AND id > $1 ORDER BY id LIMIT $2
), refilled AS (
    INSERT INTO outbox (due, request, element, size, again)
    SELECT $3, r.id, n.element, r.remaining, 1 FROM page AS r, generate_series(0, r.elements - 1) AS n (element)
    ON CONFLICT DO NOTHING
)
SELECT coalesce(max(id), 0) FROM page;

-- name: release_chunks
UPDATE transactions AS t SET was = t.state, state = 10, duplicate = 1
FROM (
    SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS c (request, element) ORDER BY request, element
) AS c
WHERE t.request = c.request AND t.element = c.element AND t.state = 20;

-- name: park
INSERT INTO parked (request, element, at, deliveries)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
ON CONFLICT (request, element) DO UPDATE SET at = excluded.at, deliveries = excluded.deliveries;

-- name: outbox_due
SELECT json_build_array(count(*))::text FROM (SELECT 1 FROM outbox WHERE due <= $1 LIMIT 1) AS o;

-- name: parked_chunks
SELECT coalesce(json_agg(json_build_array(request, element, at, deliveries)), '[]')::text
FROM (SELECT * FROM parked ORDER BY at DESC, request DESC, element DESC LIMIT $1) AS p;
