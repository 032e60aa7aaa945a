-- What went out to whom and when, and what came from people before.

-- name: insert_sent
INSERT OR REPLACE INTO threads (request, ordinal, connector, thread, at)
VALUES :rows;

-- name: guess_sent
INSERT INTO threads (request, ordinal, connector, thread, at)
VALUES :rows
ON CONFLICT (request, ordinal) DO UPDATE SET
    connector = excluded.connector, thread = excluded.thread, at = excluded.at
WHERE threads.connector <> excluded.connector OR threads.thread <> excluded.thread;

-- name: insert_devices
INSERT OR REPLACE INTO devices (request, ordinal, part, kind, token, device)
VALUES :rows;

-- name: devices_of
SELECT json_group_array(json_array(request, ordinal, part, kind, token, device))
FROM (SELECT * FROM devices WHERE request = $1 AND ordinal = $2 ORDER BY part);

-- name: owe_by_device
INSERT INTO temp.device_notice
VALUES :rows;
DELETE FROM temp.device_notice AS d WHERE EXISTS (
    SELECT 1 FROM notices AS n
    WHERE n.request = d.request AND n.ordinal = d.ordinal AND n.id BETWEEN d.least AND d.most
);
INSERT INTO notices (request, ordinal, id, state, key, detail, at, url, origin, tenant, service, body, delivery,
    attempts, due, status, error)
SELECT request, ordinal, id, state, key, detail, at, url, origin, tenant, service, '', 0, 0, at, 0, ''
FROM temp.device_notice;
SELECT json_group_array(seq) FROM temp.device_notice;
DELETE FROM temp.device_notice;

-- name: insert_came
INSERT OR IGNORE INTO came (connector, native_id, id)
VALUES :rows;
SELECT json_group_array(m.id)
FROM json_each($1) AS c
JOIN came AS m ON m.connector = c.value ->> 0 AND m.native_id = c.value ->> 1 AND m.id = c.value ->> 2;

-- name: sent_until
SELECT json_group_array(json_array(n, json_array(request, ordinal, element, json_array(kind, destination, correlation),
    state, key, detail, attempt, connector, due, updated, json(iif(duplicate, 'true', 'false')), natives)))
FROM (
    SELECT c.key AS n, t.*
    FROM json_each($1) AS c
    JOIN json_each($2) AS p ON p.key = c.key
    JOIN json_each($3) AS u ON u.key = c.key
    JOIN json_each($4) AS b ON b.key = c.key
    CROSS JOIN threads AS s
    CROSS JOIN transactions AS t
    WHERE s.connector = c.value AND s.thread = p.value AND s.at <= u.value
      AND t.request = s.request AND t.ordinal = s.ordinal
      AND t.state BETWEEN 20 AND b.value AND t.state <> 50
    ORDER BY s.at LIMIT $5
);

-- name: threads_known
SELECT json_group_array(c.key)
FROM json_each($1) AS c JOIN json_each($2) AS p ON p.key = c.key JOIN json_each($3) AS u ON u.key = c.key
WHERE EXISTS (SELECT 1 FROM threads AS s WHERE s.connector = c.value AND s.thread = p.value AND s.at <= u.value);

-- name: referred
SELECT json_group_array(json_array(t.request, t.ordinal, t.element, json_array(t.kind, t.destination, t.correlation),
    t.state, t.key, t.detail, t.attempt, t.connector, t.due, t.updated, json(iif(t.duplicate, 'true', 'false')),
    t.natives))
FROM json_each($1) AS r JOIN json_each($2) AS o ON o.key = r.key
JOIN transactions AS t ON t.request = r.value AND t.ordinal = o.value;
