-- What went out to whom and when, and what came from people before.

-- name: insert_sent
INSERT INTO threads (request, ordinal, connector, thread, at)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::bigint[])
    AS c (request, ordinal, connector, thread, at)
ORDER BY request, ordinal
ON CONFLICT (request, ordinal) DO UPDATE SET
    connector = excluded.connector, thread = excluded.thread, at = excluded.at;

-- name: guess_sent
INSERT INTO threads (request, ordinal, connector, thread, at)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::bigint[])
    AS c (request, ordinal, connector, thread, at)
ORDER BY request, ordinal
ON CONFLICT (request, ordinal) DO UPDATE SET
    connector = excluded.connector, thread = excluded.thread, at = excluded.at
WHERE threads.connector <> excluded.connector OR threads.thread <> excluded.thread;

-- name: insert_devices
INSERT INTO devices (request, ordinal, part, kind, token, device)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[])
    AS c (request, ordinal, part, kind, token, device)
ORDER BY request, ordinal, part
ON CONFLICT (request, ordinal, part) DO UPDATE SET
    kind = excluded.kind, token = excluded.token, device = excluded.device;

-- name: devices_of
SELECT coalesce(json_agg(json_build_array(request, ordinal, part, kind, token, device) ORDER BY part), '[]')::text
FROM devices WHERE request = $1 AND ordinal = $2;

-- name: owe_by_device
WITH c AS MATERIALIZED (
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::smallint[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[])
    AS c (seq, request, ordinal, id, least, most, state, key, detail, at, url, origin, tenant, service)
    ORDER BY request, ordinal, id
), owed AS (
    INSERT INTO notices (request, ordinal, id, state, key, detail, at, url, origin, tenant, service, body, delivery,
        attempts, due, status, error)
    SELECT request, ordinal, id, state, key, detail, at, url, origin, tenant, service, '', 0, 0, at, 0, ''
    FROM c WHERE NOT EXISTS (
        SELECT FROM notices AS n
        WHERE n.request = c.request AND n.ordinal = c.ordinal AND n.id BETWEEN c.least AND c.most
    )
    ON CONFLICT (request, ordinal, id) DO NOTHING
    RETURNING request, ordinal, id
)
SELECT coalesce(json_agg(c.seq), '[]')::text FROM c JOIN owed USING (request, ordinal, id);

-- name: insert_came
WITH kept AS (
    INSERT INTO came (connector, native_id, id)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS c (connector, native_id, id)
    ORDER BY connector, native_id, id
    ON CONFLICT (connector, native_id) DO NOTHING
    RETURNING id
)
SELECT coalesce(json_agg(id), '[]')::text FROM kept;

-- name: sent_until
SELECT coalesce(json_agg(json_build_array(q.n - 1, json_build_array(q.request, q.ordinal, q.element,
    json_build_array(q.kind, q.destination, q.correlation), q.state, q.key, q.detail, q.attempt, q.connector, q.due,
    q.updated, q.duplicate <> 0, q.natives)) ORDER BY q.sent_at), '[]')::text
FROM (
    SELECT c.n, s.at AS sent_at, t.*
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::integer[]) WITH ORDINALITY
        AS c (connector, thread, until_ms, most, n)
    JOIN threads AS s ON s.connector = c.connector AND s.thread = c.thread AND s.at <= c.until_ms
    JOIN transactions AS t ON t.request = s.request AND t.ordinal = s.ordinal
    WHERE t.state BETWEEN 20 AND c.most AND t.state <> 50
    ORDER BY s.at LIMIT $5
) AS q;

-- name: threads_known
SELECT coalesce(json_agg(c.n - 1), '[]')::text
FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS c (connector, thread, until_ms, n)
WHERE EXISTS (
    SELECT FROM threads AS s WHERE s.connector = c.connector AND s.thread = c.thread AND s.at <= c.until_ms
);

-- name: referred
SELECT coalesce(json_agg(json_build_array(t.request, t.ordinal, t.element,
    json_build_array(t.kind, t.destination, t.correlation), t.state, t.key, t.detail, t.attempt, t.connector, t.due,
    t.updated, t.duplicate <> 0, t.natives)), '[]')::text
FROM unnest($1::bigint[], $2::integer[]) AS r (request, ordinal)
JOIN transactions AS t ON t.request = r.request AND t.ordinal = r.ordinal;
