-- Calls as they were accepted. Rows come as one array per column, and answers leave as one JSON text.

-- name: insert_requests
INSERT INTO requests (id, nonce, tenant, service, accepted, channel, priority, expiry, elements, remaining, firsts,
    messages)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::integer[],
    $8::bigint[], $9::integer[], $10::integer[], $11::text[], $12::text[]);

-- name: insert_run
INSERT INTO transactions (request, ordinal, element, kind, destination, correlation, state, key, detail, attempt,
    connector, due, updated, duplicate, natives)
SELECT $1::bigint, $2::integer + n::integer - 1, $3::integer, $4::text, destination, $5::text, 10, '', '', 0, '', 0,
    $6::bigint, 0, ''
FROM unnest($7::text[]) WITH ORDINALITY AS v (destination, n);

-- name: insert_singles
INSERT INTO transactions (request, ordinal, element, kind, destination, correlation, updated, state, key, detail,
    attempt, connector, due, duplicate, natives)
SELECT v.*, 10, '', '', 0, '', 0, 0, ''
FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::bigint[]) AS v;

-- name: count_volumes
INSERT INTO volumes (scope, period, until, used)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS c (scope, period, until, used)
ORDER BY scope, period
ON CONFLICT (scope, period) DO UPDATE SET used = volumes.used + excluded.used;

-- name: free_kept_keys
DELETE FROM kept_answers AS k
USING unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS c (tenant, service, key, since)
WHERE k.tenant = c.tenant AND k.service = c.service AND k.key = c.key AND k.request < c.since;

-- name: insert_kept_answers
INSERT INTO kept_answers (request, tenant, service, key, digest, answer)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]);

-- name: kept_answer
SELECT coalesce(json_agg(json_build_array(request, tenant, service, key, digest, answer)), '[]')::text
FROM kept_answers WHERE tenant = $1 AND service = $2 AND key = $3 AND request >= $4;

-- name: volumes
SELECT coalesce(json_agg(json_build_array(scope, period, until, used)), '[]')::text FROM volumes WHERE until > $1;

-- name: greatest_id
SELECT json_build_array(greatest((SELECT max(id) FROM requests), (SELECT max(id) FROM inbound),
    (SELECT max(id) FROM receipts WHERE request = 0 AND ordinal = 0), (SELECT max(id) FROM profile_jobs),
    (SELECT max(id) FROM audit), (SELECT max(id) FROM occurrences),
    (SELECT max(id) FROM runs), 0))::text;

-- name: open_requests
SELECT coalesce(json_agg(json_build_array(id, tenant, service, channel, priority, expiry, elements)), '[]')::text
FROM (
    SELECT id, tenant, service, channel, priority, expiry, elements FROM requests
    WHERE remaining > 0 AND id > $1 ORDER BY id LIMIT $2
) AS r;

-- name: get_requests
SELECT coalesce(json_agg(json_build_object(
    'id', id, 'nonce', nonce, 'tenant', tenant, 'service', service, 'accepted', accepted,
    'messages', messages::json, 'firsts', firsts::json)), '[]')::text
FROM requests WHERE id = ANY($1::bigint[]);
