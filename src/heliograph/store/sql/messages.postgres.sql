-- Transactions and their stories.

-- What another process claimed meanwhile is not ours: which are is said when they are not all of them.
-- name: claim
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::integer[], $3::integer[]) AS c (request, first, last)
    ORDER BY request, first
), claimed AS (
    UPDATE transactions AS t SET was = t.state, state = 20, attempt = t.attempt + 1
    FROM wanted AS c
    WHERE t.request = c.request AND t.ordinal BETWEEN c.first AND c.last AND t.state = 10
    RETURNING t.request, t.ordinal
)
SELECT CASE WHEN (SELECT count(*) FROM claimed) < (SELECT sum(last - first + 1) FROM wanted)
    THEN (SELECT coalesce(json_agg(json_build_array(request, ordinal)), '[]')::text FROM claimed) ELSE '' END;

-- Rows are runs of consecutive ordinals that change alike; their notices and native ids are JSON lists in that order.
-- The answer is "" when every change took effect, else `[seq, ordinal]` of those that did.
-- A claim that is given back by a process that was paused is another's by then if its attempt is behind.
-- What was stored meanwhile by another process is seen: an UPDATE that waited for a row judges its newest state.
-- Rows are taken in the order of their keys, so that two processes that settle the same messages do not wait for
-- each other.
-- name: apply_changes
WITH change AS MATERIALIZED (
    SELECT seq, request, first, last, state, key, at, detail, attempt, connector, due, duplicate, url, origin,
        translate(nullif(notices, ''), '[]', '{}')::bigint[] AS notices, nullif(natives, '')::jsonb AS natives
    FROM unnest($1::integer[], $2::bigint[], $3::integer[], $4::integer[], $5::smallint[], $6::text[],
        $7::bigint[], $8::text[], $9::integer[], $10::text[], $11::bigint[], $12::smallint[], $13::text[],
        $14::text[], $15::text[], $16::text[])
    AS c (seq, request, first, last, state, key, at, detail, attempt, connector, due, duplicate, url, origin,
        notices, natives)
    ORDER BY request, first
), incoming AS (
    UPDATE transactions AS t SET
        was = t.state,
        state = c.state,
        key = c.key,
        detail = c.detail,
        attempt = CASE WHEN c.attempt >= 0 THEN c.attempt ELSE t.attempt END,
        connector = CASE WHEN c.connector <> '' THEN c.connector ELSE t.connector END,
        due = c.due,
        updated = greatest(c.at, t.updated),
        duplicate = t.duplicate | c.duplicate,
        natives = CASE WHEN c.natives IS NULL THEN t.natives ELSE (c.natives -> (t.ordinal - c.first))::text END
    FROM change AS c
    WHERE t.request = c.request AND t.ordinal BETWEEN c.first AND c.last
      AND (t.state / 10 < c.state / 10
          OR (t.state = 20 AND c.state = 10 AND (c.attempt < 0 OR c.attempt >= t.attempt - 1)))
      AND (c.state <> 40 OR c.attempt < 0 OR t.state = 20)
    RETURNING c.seq, c.request, t.ordinal, c.state, c.key, c.at, c.detail, c.url, c.origin, t.was,
        c.notices[t.ordinal - c.first + 1] AS notice
), counted AS (
    UPDATE requests AS r SET remaining = r.remaining - c.n
    FROM (
        SELECT request, count(*)::integer AS n FROM incoming WHERE was < 30 AND state >= 30
        GROUP BY request ORDER BY request
    ) AS c
    WHERE r.id = c.request
), owed AS (
    INSERT INTO notices (request, ordinal, id, state, key, detail, at, url, origin, tenant, service, body, delivery,
        attempts, due, status, error)
    SELECT i.request, i.ordinal, i.notice, i.state, i.key, i.detail, i.at, i.url, i.origin, r.tenant, r.service, '',
        0, 0, i.at, 0, ''
    FROM incoming AS i JOIN requests AS r ON r.id = i.request WHERE i.notice IS NOT NULL
)
SELECT CASE WHEN (SELECT count(*) FROM incoming) < (SELECT sum(last - first + 1) FROM change)
    THEN (SELECT coalesce(json_agg(json_build_array(seq, ordinal)), '[]')::text FROM incoming) ELSE '' END;

-- A receipt may outrun the answer to its submit, whose ids are true still.
-- name: keep_natives
UPDATE transactions AS t SET natives = c.natives, connector = c.connector
FROM (
    SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[])
    AS c (request, ordinal, natives, connector)
    ORDER BY request, ordinal
) AS c
WHERE t.request = c.request AND t.ordinal = c.ordinal AND t.natives = '';

-- name: insert_submissions
INSERT INTO submissions (connector, native_id, request, ordinal, part, parts, at)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::integer[], $5::integer[], $6::integer[],
    $7::bigint[]);

-- name: insert_windows
INSERT INTO windows (due, request)
SELECT * FROM unnest($1::bigint[], $2::bigint[]) ON CONFLICT DO NOTHING;

-- name: insert_story
INSERT INTO story (id, request, ordinal, at, step, data)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::text[], $6::text[]);

-- name: release_claims
UPDATE transactions SET was = state, state = 10, duplicate = 1
WHERE state = 20 AND request IN (SELECT id FROM requests WHERE remaining > 0);

-- What is alike is said once.
-- name: pending
SELECT coalesce(json_agg(json_build_array(request, element, kind, correlation, key, detail, attempt, connector, due,
    updated, duplicate <> 0, natives, ordinals, destinations)), '[]')::text
FROM (
    SELECT request, element, kind, correlation, key, detail, attempt, connector, due, updated, duplicate, natives,
        json_agg(ordinal) AS ordinals, json_agg(destination) AS destinations
    FROM transactions WHERE request = ANY($1::bigint[]) AND state = 10
    GROUP BY request, element, kind, correlation, key, detail, attempt, connector, due, updated, duplicate, natives
) AS t;

-- name: transactions_of
SELECT coalesce(json_agg(json_build_array(t.request, t.ordinal, t.element, json_build_array(t.kind, t.destination, t.correlation), t.state,
    t.key, t.detail, t.attempt, t.connector, t.due, t.updated, t.duplicate <> 0, t.natives)), '[]')::text
FROM (SELECT * FROM transactions WHERE request = $1 AND ordinal BETWEEN $2 AND $3 ORDER BY ordinal) AS t;

-- name: lapsed
SELECT coalesce(json_agg(json_build_array(t.request, t.ordinal, t.element, json_build_array(t.kind, t.destination, t.correlation), t.state,
    t.key, t.detail, t.attempt, t.connector, t.due, t.updated, t.duplicate <> 0, t.natives)), '[]')::text
FROM transactions AS t
WHERE t.request = ANY(ARRAY(SELECT DISTINCT request FROM windows WHERE due <= $1))
  AND t.state = 30 AND t.due BETWEEN 1 AND $1;

-- name: window_edge
SELECT json_build_array(coalesce(max(due), 0))::text
FROM (SELECT due FROM windows WHERE due <= $1 ORDER BY due LIMIT $2) AS w;

-- name: story_of
SELECT coalesce(json_agg(json_build_array(id, request, ordinal, at, step, data) ORDER BY id), '[]')::text
FROM story WHERE request = $1 AND ordinal = $2;

-- name: recent
SELECT coalesce(json_agg(json_build_array(t.request, t.ordinal, t.element, json_build_array(t.kind, t.destination, t.correlation), t.state,
    t.key, t.detail, t.attempt, t.connector, t.due, t.updated, t.duplicate <> 0, t.natives)), '[]')::text
FROM (
    SELECT t.* FROM requests AS r JOIN transactions AS t ON t.request = r.id
    WHERE r.tenant = $1 AND (r.id < $2 OR (r.id = $2 AND t.ordinal < $3)) AND r.id BETWEEN $4 AND $5
      AND ($6 = '' OR r.channel = $6) AND ($7 = '' OR r.service = $7)
      AND ($8::text[] = '{}' OR t.key = ANY($8::text[])) AND ($9::smallint = 0 OR t.state = $9)
      AND ($10 = '' OR t.destination = $10) AND ($11 = '' OR t.correlation = $11)
    ORDER BY t.request DESC, t.ordinal DESC LIMIT $12
) AS t;

-- name: counts
SELECT coalesce(json_agg(json_build_array(state, n)), '[]')::text
FROM (SELECT state, count(*) AS n FROM transactions GROUP BY state) AS s;

-- name: pending_counts
SELECT json_build_array((SELECT coalesce(sum(remaining), 0) FROM requests WHERE remaining > 0),
    (SELECT count(*) FROM notices WHERE delivery = 0), (SELECT count(*) FROM notices WHERE delivery = 2))::text;
