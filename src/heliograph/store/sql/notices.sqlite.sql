-- Calls owed to callers.

-- name: apply_told
INSERT INTO temp.told
VALUES :rows;
UPDATE notices SET
    delivery = c.delivery, attempts = c.attempts, due = c.due, status = c.status, error = c.error
FROM temp.told AS c
WHERE notices.request = c.request AND notices.ordinal = c.ordinal AND notices.id = c.id;
DELETE FROM temp.told;

-- name: notices_of
SELECT json_group_array(json_object('id', n.request || '.' || n.ordinal || '.' || n.id, 'code', n.key,
    'state', n.delivery, 'url', n.url, 'at', n.at, 'attempts', n.attempts, 'due', n.due, 'status', n.status,
    'error', n.error, 'device', coalesce(d.device, '')))
FROM (SELECT * FROM notices WHERE request = $1 AND ordinal = $2 ORDER BY at, id) AS n
LEFT JOIN devices AS d
    ON n.id < 1000000 AND d.request = n.request AND d.ordinal = n.ordinal AND d.part = (n.id - 1000) / 100;

-- name: notices_listed
SELECT json_group_array(json_object('id', request || '.' || ordinal || '.' || id, 'code', key, 'state', delivery,
    'url', url, 'at', at, 'attempts', attempts, 'due', due, 'status', status, 'error', error, 'tenant', tenant,
    'service', service))
FROM (SELECT * FROM notices WHERE delivery = $1 ORDER BY due DESC LIMIT $2);

-- name: due_origins
WITH RECURSIVE o (origin) AS (
    SELECT min(origin) FROM notices WHERE delivery = 0
    UNION ALL
    SELECT (SELECT min(origin) FROM notices WHERE delivery = 0 AND origin > o.origin) FROM o
    WHERE o.origin IS NOT NULL
)
SELECT json_group_array(origin) FROM o WHERE origin IS NOT NULL AND EXISTS (
    SELECT 1 FROM notices WHERE delivery = 0 AND origin = o.origin AND due <= $1
);

-- name: due_notices
SELECT json_group_array(json_array(id, request, ordinal, element, json_array(kind, destination, correlation), state,
    key, detail, at, url, origin, tenant, service, attempts, body, device))
FROM (
    SELECT n.*, coalesce(t.element, 0) AS element, coalesce(d.kind, t.kind, '') AS kind,
        coalesce(d.token, t.destination, '') AS destination, coalesce(t.correlation, '') AS correlation,
        coalesce(d.device, '') AS device
    FROM (SELECT * FROM notices WHERE delivery = 0 AND origin = $1 AND due <= $2
          AND id NOT IN (SELECT value FROM json_each($4)) ORDER BY due LIMIT $3) AS n
    LEFT JOIN transactions AS t ON t.request = n.request AND t.ordinal = n.ordinal
    LEFT JOIN devices AS d
        ON n.id < 1000000 AND d.request = n.request AND d.ordinal = n.ordinal AND d.part = (n.id - 1000) / 100
    ORDER BY n.due, n.id
);
