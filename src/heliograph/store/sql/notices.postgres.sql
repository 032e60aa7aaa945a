-- Calls owed to callers.

-- name: apply_told
UPDATE notices AS n SET
    delivery = c.delivery, attempts = c.attempts, due = c.due, status = c.status, error = c.error
FROM (
    SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::smallint[], $5::integer[], $6::bigint[],
        $7::bigint[], $8::integer[], $9::text[])
    AS c (request, ordinal, id, delivery, attempts, at, due, status, error) ORDER BY request, ordinal, id
) AS c
WHERE n.request = c.request AND n.ordinal = c.ordinal AND n.id = c.id;

-- name: notices_of
SELECT coalesce(json_agg(json_build_object('id', n.request || '.' || n.ordinal || '.' || n.id, 'code', n.key,
    'state', n.delivery, 'url', n.url, 'at', n.at, 'attempts', n.attempts, 'due', n.due, 'status', n.status,
    'error', n.error, 'device', coalesce(d.device, '')) ORDER BY n.at, n.id), '[]')::text
FROM notices AS n
LEFT JOIN devices AS d
    ON n.id < 1000000 AND d.request = n.request AND d.ordinal = n.ordinal AND d.part = (n.id - 1000) / 100
WHERE n.request = $1 AND n.ordinal = $2;

-- name: notices_listed
SELECT coalesce(json_agg(json_build_object('id', request || '.' || ordinal || '.' || id, 'code', key, 'state', delivery, 'url', url,
    'at', at, 'attempts', attempts, 'due', due, 'status', status, 'error', error,
    'tenant', tenant, 'service', service)), '[]')::text
FROM (SELECT * FROM notices WHERE delivery = $1 ORDER BY due DESC LIMIT $2) AS n;

-- name: due_origins
WITH RECURSIVE o (origin) AS (
    SELECT min(origin) FROM notices WHERE delivery = 0
    UNION ALL
    SELECT (SELECT min(origin) FROM notices WHERE delivery = 0 AND origin > o.origin) FROM o
    WHERE o.origin IS NOT NULL
)
SELECT coalesce(json_agg(origin), '[]')::text FROM o WHERE origin IS NOT NULL AND EXISTS (
    SELECT 1 FROM notices WHERE delivery = 0 AND origin = o.origin AND due <= $1
);

-- name: due_notices
SELECT coalesce(json_agg(json_build_array(id, request, ordinal, element,
    json_build_array(kind, destination, correlation), state, key, detail, at, url, origin, tenant, service, attempts,
    body, device)), '[]')::text
FROM (
    SELECT n.*, coalesce(t.element, 0) AS element, coalesce(d.kind, t.kind, '') AS kind,
        coalesce(d.token, t.destination, '') AS destination, coalesce(t.correlation, '') AS correlation,
        coalesce(d.device, '') AS device
    FROM (SELECT * FROM notices WHERE delivery = 0 AND origin = $1 AND due <= $2
          AND id <> ALL($4::bigint[]) ORDER BY due LIMIT $3) AS n
    LEFT JOIN transactions AS t ON t.request = n.request AND t.ordinal = n.ordinal
    LEFT JOIN devices AS d
        ON n.id < 1000000 AND d.request = n.request AND d.ordinal = n.ordinal AND d.part = (n.id - 1000) / 100
    ORDER BY n.due, n.id
) AS n;
