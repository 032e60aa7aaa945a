-- What happened, and where it stands.

-- name: insert_occurrences
INSERT INTO occurrences (id, tenant, service, cause, name, payload, at, depth, origin, state, correlation, notify,
    note)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
    $8::smallint[], $9::text[], $10::smallint[], $11::text[], $12::text[], $13::text[]);

-- name: ended_occurrences
SELECT coalesce(json_agg(id), '[]')::text FROM occurrences WHERE state > 1 AND id = ANY($1::bigint[]);

-- name: rerun_occurrences
UPDATE occurrences SET state = 0, note = '' WHERE state > 1 AND id = ANY($1::bigint[]);

-- name: occurrences_open
SELECT coalesce(json_agg(json_build_array(id, tenant, service, cause, name, payload::json, at, depth, origin, state,
    correlation, notify, note)), '[]')::text
FROM (SELECT * FROM occurrences WHERE state < 2 AND state = $1 AND id > $2 ORDER BY id LIMIT $3) AS o;

-- name: occurrences_by_id
SELECT coalesce(json_agg(json_build_array(id, tenant, service, cause, name, payload::json, at, depth, origin, state,
    correlation, notify, note)), '[]')::text
FROM (SELECT * FROM occurrences WHERE id = ANY($1::bigint[]) ORDER BY id) AS o;

-- name: occurrences_of_origin
SELECT coalesce(json_agg(json_build_array(id, tenant, service, cause, name, payload::json, at, depth, origin, state,
    correlation, notify, note)), '[]')::text
FROM (SELECT * FROM occurrences WHERE id >= $1 AND id < $2 AND origin = $3 ORDER BY id) AS o;

-- name: occurrences_unresolved
SELECT coalesce(json_agg(json_build_array(id, tenant, service, cause, name, payload::json, at, depth, origin, state,
    correlation, notify, note)), '[]')::text
FROM (SELECT * FROM occurrences WHERE state = 2 AND tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3) AS o;

-- name: occurrences_listed
SELECT coalesce(json_agg(json_build_array(id, tenant, service, cause, name, payload::json, at, depth, origin, state,
    correlation, notify, note)), '[]')::text
FROM (
    SELECT * FROM occurrences WHERE id < $2 AND ($1 = '' OR tenant = $1) AND ($4 < 0 OR state = $4)
        AND ($5 = '' OR name = $5)
    ORDER BY id DESC LIMIT $3
) AS o;

-- name: occurrence_counts
SELECT coalesce(json_agg(json_build_array(state, number)), '[]')::text FROM (
    SELECT state, count(*) AS number FROM occurrences GROUP BY state
) AS o;

-- name: erase_runs
DELETE FROM runs WHERE occurrence IN (SELECT id FROM occurrences WHERE state > 1 AND id = ANY($1::bigint[]));

-- name: erase_occurrences
UPDATE occurrences SET payload = '{}', correlation = '', notify = '', note = $2 WHERE state > 1 AND id = ANY($1::bigint[]);
