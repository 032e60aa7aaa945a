-- Chunks on their way to the broker, and those that are handed out no more.

-- name: insert_outbox
INSERT OR IGNORE INTO outbox (due, request, element, size, again)
VALUES :rows;

-- name: delete_outbox
DELETE FROM outbox WHERE (due, request, element) IN (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1)
);

-- name: take_outbox
SELECT json_group_array(json_array($3, request, element, size, json(iif(again, 'true', 'false')))) FROM (
    SELECT request, element, max(size) AS size, max(again) AS again FROM (
        SELECT * FROM outbox WHERE due <= $1 ORDER BY due, request, element LIMIT $2
    ) GROUP BY request, element
);
INSERT OR IGNORE INTO outbox (due, request, element, size, again)
SELECT $3, request, element, max(size), max(again) FROM (
    SELECT * FROM outbox WHERE due <= $1 ORDER BY due, request, element LIMIT $2
) GROUP BY request, element;
DELETE FROM outbox WHERE (due, request, element) IN (
    SELECT due, request, element FROM outbox WHERE due <= $1 ORDER BY due, request, element LIMIT $2
);

-- name: hasten_outbox
UPDATE OR REPLACE outbox SET due = $1 WHERE due > $1;

-- name: refill_outbox
INSERT OR IGNORE INTO outbox (due, request, element, size, again)
WITH RECURSIVE n (element) AS (VALUES (0) UNION ALL SELECT element + 1 FROM n WHERE element < 999)
SELECT $3, r.id, n.element, r.remaining, 1 FROM (
    SELECT id, elements, remaining FROM requests WHERE remaining > 0 AND id > $1 ORDER BY id LIMIT $2
) AS r JOIN n ON n.element < r.elements;
SELECT coalesce(max(id), 0) FROM (SELECT id FROM requests WHERE remaining > 0 AND id > $1 ORDER BY id LIMIT $2);

-- name: release_chunks
UPDATE transactions SET state = 10, duplicate = 1
FROM json_each($1) AS c
WHERE request = c.value ->> 0 AND element = c.value ->> 1 AND state = 20;

-- name: park
INSERT OR REPLACE INTO parked (request, element, at, deliveries)
VALUES :rows;

-- name: outbox_due
SELECT json_array(count(*)) FROM (SELECT 1 FROM outbox WHERE due <= $1 LIMIT 1);

-- name: parked_chunks
SELECT json_group_array(json_array(request, element, at, deliveries))
FROM (SELECT * FROM parked ORDER BY at DESC, request DESC, element DESC LIMIT $1);
