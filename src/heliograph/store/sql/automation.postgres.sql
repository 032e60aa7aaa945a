-- Runs of rules. Rows are taken in the order of their ids, so that two processes do not wait for each other.

-- name: match_occurrences
WITH c AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[]) AS c (id, state, note) ORDER BY id
), moved AS (
    UPDATE occurrences AS o SET state = c.state, note = c.note FROM c WHERE o.id = c.id AND o.state = 0
    RETURNING o.id
)
SELECT coalesce(json_agg(id), '[]')::text FROM moved;

-- Wordings that are there already stay until our runs that need them are seen by whoever deletes; others keep them too.
-- name: hold_rule_texts
SELECT 1 FROM rule_texts AS t JOIN unnest($1::text[], $2::text[]) AS c (tenant, digest)
    ON t.tenant = c.tenant AND t.digest = c.digest
ORDER BY t.tenant, t.digest FOR KEY SHARE OF t;

-- name: keep_rule_texts
INSERT INTO rule_texts (tenant, digest, text)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING;

-- name: insert_runs
INSERT INTO runs (id, occurrence, tenant, service, rule, digest, at, state, step, turn, tries, awaits, until, due,
    updated, log)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
    $8::smallint[], $9::integer[], $10::integer[], $11::integer[], $12::bigint[], $13::bigint[], $14::bigint[],
    $15::bigint[], $16::text[]);

-- name: standing_runs
SELECT coalesce(json_agg(id), '[]')::text FROM (
    SELECT r.id FROM runs AS r JOIN unnest($1::bigint[], $2::integer[]) AS c (id, turn) ON r.id = c.id
    WHERE r.turn = c.turn AND r.state < 2 ORDER BY r.id FOR UPDATE OF r
) AS standing;

-- name: advance_runs
UPDATE runs AS r SET turn = c.turn, state = c.state, step = c.step, tries = c.tries, awaits = c.awaits,
    until = c.until, due = c.due, updated = c.updated, log = c.log
FROM unnest($1::bigint[], $2::integer[], $3::smallint[], $4::integer[], $5::integer[], $6::bigint[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::text[])
    AS c (id, turn, state, step, tries, awaits, until, due, updated, log)
WHERE r.id = c.id;

-- The last two runs of an occurrence may end in two processes at once: the second sees the first's end.
-- name: lock_occurrences
SELECT count(*) FROM (
    SELECT 1 FROM occurrences WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
) AS locked;

-- name: finish_occurrences
WITH done AS (
    UPDATE occurrences AS o SET state = 3
    WHERE o.id = ANY($1::bigint[]) AND o.state = 1
      AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.occurrence = o.id AND r.state < 2)
    RETURNING o.id
)
SELECT coalesce(json_agg(json_build_array(d.id,
    (SELECT count(*) FROM runs AS r WHERE r.occurrence = d.id AND r.state > 2))), '[]')::text
FROM done AS d;

-- name: lease_runs
WITH chosen AS MATERIALIZED (
    SELECT id FROM runs WHERE state < 2 AND due <= $1 ORDER BY due, id LIMIT $3 FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE runs AS r SET due = CASE WHEN r.state = 1 THEN greatest($2, r.until + $2 - $1) ELSE $2 END
    FROM chosen AS c WHERE r.id = c.id RETURNING r.*
)
SELECT coalesce(json_agg(json_build_array(id, occurrence, tenant, service, rule, digest, at, state, step, turn, tries,
    awaits, until, due, updated, log::json) ORDER BY id), '[]')::text
FROM taken;

-- name: rule_texts
SELECT coalesce(json_agg(json_build_array(t.tenant, t.digest, t.text)), '[]')::text
FROM unnest($1::text[], $2::text[]) AS c (tenant, digest)
JOIN rule_texts AS t ON t.tenant = c.tenant AND t.digest = c.digest;

-- name: unused_rule_texts
SELECT coalesce(json_agg(json_build_array(tenant, digest)), '[]')::text FROM (
    SELECT tenant, digest FROM rule_texts EXCEPT SELECT tenant, digest FROM runs
) AS t;

-- Whoever holds a wording ends first, and its runs are seen by what deletes.
-- name: lock_rule_texts
SELECT 1 FROM rule_texts AS t JOIN unnest($1::text[], $2::text[]) AS c (tenant, digest)
    ON t.tenant = c.tenant AND t.digest = c.digest
ORDER BY t.tenant, t.digest FOR UPDATE OF t;

-- name: purge_rule_texts
DELETE FROM rule_texts AS t USING unnest($1::text[], $2::text[]) AS c (tenant, digest)
WHERE t.tenant = c.tenant AND t.digest = c.digest
AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.id > $3 AND r.tenant = t.tenant AND r.digest = t.digest);

-- name: run_by_id
SELECT coalesce(json_agg(json_build_array(id, occurrence, tenant, service, rule, digest, at, state, step, turn, tries,
    awaits, until, due, updated, log::json)), '[]')::text
FROM runs WHERE id = $1;

-- name: runs_of
SELECT coalesce(json_agg(json_build_array(id, occurrence, tenant, service, rule, digest, at, state, step, turn, tries,
    awaits, until, due, updated, log::json) ORDER BY id), '[]')::text
FROM runs WHERE occurrence = ANY($1::bigint[]);

-- name: runs_before
SELECT coalesce(json_agg(json_build_array(id, occurrence, tenant, service, rule, digest, at, state, step, turn, tries,
    awaits, until, due, updated, log::json) ORDER BY id DESC), '[]')::text
FROM (
    SELECT * FROM runs WHERE tenant = $1 AND id < $2 AND ($4 = '' OR rule = $4) AND ($5 < 0 OR state = $5)
    ORDER BY id DESC LIMIT $3
) AS r;

-- name: run_counts
SELECT coalesce(json_agg(json_build_array(state, number)), '[]')::text FROM (
    SELECT state, count(*) AS number FROM runs GROUP BY state
) AS r;

-- name: next_run_due
SELECT json_build_array(coalesce((SELECT min(due) FROM runs WHERE state < 2), 0))::text;

-- name: states_of
SELECT coalesce(json_agg(json_build_array(request, state)), '[]')::text
FROM transactions WHERE request = ANY($1::bigint[]);
