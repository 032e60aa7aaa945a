-- Calls as they were accepted. `VALUES :rows` is completed with the rows of the step (engines/bulk.py); a list
-- is one JSON text, and answers leave as one, so that a thousand rows are few steps.

-- name: insert_requests
INSERT INTO requests (id, nonce, tenant, service, accepted, channel, priority, expiry, elements, remaining, firsts,
    messages)
VALUES :rows;

-- name: insert_run
INSERT INTO transactions (request, ordinal, element, kind, destination, correlation, state, key, detail, attempt,
    connector, due, updated, duplicate, natives)
SELECT $1, $2 + key, $3, $4, value, $5, 10, '', '', 0, '', 0, $6, 0, '' FROM json_each($7);

-- name: insert_singles
INSERT INTO transactions (request, ordinal, element, kind, destination, correlation, state, key, detail, attempt,
    connector, due, updated, duplicate, natives)
SELECT column1, column2, column3, column4, column5, column6, 10, '', '', 0, '', 0, column7, 0, ''
FROM (VALUES :rows);

-- name: count_volumes
INSERT INTO volumes (scope, period, until, used)
SELECT c.value ->> 0, c.value ->> 1, c.value ->> 2, c.value ->> 3 FROM json_each($1) AS c WHERE true
ON CONFLICT (scope, period) DO UPDATE SET used = used + excluded.used;

-- name: free_kept_keys
DELETE FROM kept_answers WHERE request IN (
    SELECT k.request FROM json_each($1) AS c JOIN kept_answers AS k
        ON k.tenant = c.value ->> 0 AND k.service = c.value ->> 1 AND k.key = c.value ->> 2
    WHERE k.request < c.value ->> 3
);

-- name: insert_kept_answers
INSERT INTO kept_answers (request, tenant, service, key, digest, answer)
VALUES :rows;

-- name: kept_answer
SELECT json_group_array(json_array(request, tenant, service, key, digest, answer)) FROM kept_answers
WHERE tenant = $1 AND service = $2 AND key = $3 AND request >= $4;

-- name: volumes
SELECT json_group_array(json_array(scope, period, until, used)) FROM volumes WHERE until > $1;

-- name: greatest_id
SELECT json_array(max(coalesce((SELECT max(id) FROM requests), 0), coalesce((SELECT max(id) FROM inbound), 0),
    coalesce((SELECT max(id) FROM receipts WHERE request = 0 AND ordinal = 0), 0),
    coalesce((SELECT max(id) FROM profile_jobs), 0), coalesce((SELECT max(id) FROM audit), 0),
    coalesce((SELECT max(id) FROM occurrences), 0), coalesce((SELECT max(id) FROM runs), 0)));

-- name: open_requests
SELECT json_group_array(json_array(id, tenant, service, channel, priority, expiry, elements)) FROM (
    SELECT id, tenant, service, channel, priority, expiry, elements FROM requests
    WHERE remaining > 0 AND id > $1 ORDER BY id LIMIT $2
);

-- name: get_requests
SELECT json_group_array(json_object(
    'id', id, 'nonce', nonce, 'tenant', tenant, 'service', service, 'accepted', accepted,
    'messages', json(messages), 'firsts', json(firsts)))
FROM requests WHERE id IN (SELECT value FROM json_each($1));
