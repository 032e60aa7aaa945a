-- What happened, and where it stands.

-- name: insert_occurrences
INSERT INTO occurrences (id, tenant, service, cause, name, payload, at, depth, origin, state, correlation, notify,
    note)
VALUES :rows;

-- name: ended_occurrences
SELECT json_group_array(id) FROM occurrences WHERE state > 1 AND id IN (SELECT value FROM json_each($1));

-- name: rerun_occurrences
UPDATE occurrences SET state = 0, note = '' WHERE state > 1 AND id IN (SELECT value FROM json_each($1));

-- name: occurrences_open
SELECT json_group_array(json_array(id, tenant, service, cause, name, json(payload), at, depth, origin, state,
    correlation, notify, note))
FROM (SELECT * FROM occurrences WHERE state < 2 AND state = $1 AND id > $2 ORDER BY id LIMIT $3);

-- name: occurrences_by_id
SELECT json_group_array(json_array(id, tenant, service, cause, name, json(payload), at, depth, origin, state,
    correlation, notify, note))
FROM (SELECT * FROM occurrences WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id);

-- name: occurrences_of_origin
SELECT json_group_array(json_array(id, tenant, service, cause, name, json(payload), at, depth, origin, state,
    correlation, notify, note))
FROM (SELECT * FROM occurrences WHERE id >= $1 AND id < $2 AND origin = $3 ORDER BY id);

-- name: occurrences_unresolved
SELECT json_group_array(json_array(id, tenant, service, cause, name, json(payload), at, depth, origin, state,
    correlation, notify, note))
FROM (SELECT * FROM occurrences WHERE state = 2 AND tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3);

-- name: occurrences_listed
SELECT json_group_array(json_array(id, tenant, service, cause, name, json(payload), at, depth, origin, state,
    correlation, notify, note))
FROM (
    SELECT * FROM occurrences WHERE id < $2 AND ($1 = '' OR tenant = $1) AND ($4 < 0 OR state = $4)
        AND ($5 = '' OR name = $5)
    ORDER BY id DESC LIMIT $3
);

-- name: occurrence_counts
SELECT json_group_array(json_array(state, number)) FROM (
    SELECT state, count(*) AS number FROM occurrences GROUP BY state
);

-- name: erase_runs
DELETE FROM runs WHERE occurrence IN (
    SELECT id FROM occurrences WHERE state > 1 AND id IN (SELECT value FROM json_each($1))
);

-- name: erase_occurrences
UPDATE occurrences SET payload = '{}', correlation = '', notify = '', note = $2 WHERE state > 1 AND id IN (SELECT value FROM json_each($1));
