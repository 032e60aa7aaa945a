-- Runs of rules. Several statements under one name are one step.

-- name: match_occurrences
SELECT json_group_array(o.id) FROM json_each($1) AS c CROSS JOIN occurrences AS o
WHERE o.id = c.value ->> 0 AND o.state = 0;
UPDATE occurrences SET state = c.value ->> 1, note = c.value ->> 2
FROM json_each($1) AS c WHERE occurrences.id = c.value ->> 0 AND occurrences.state = 0;

-- name: hold_rule_texts
SELECT 1;

-- name: keep_rule_texts
INSERT OR IGNORE INTO rule_texts (tenant, digest, text)
VALUES :rows;

-- name: insert_runs
INSERT INTO runs (id, occurrence, tenant, service, rule, digest, at, state, step, turn, tries, awaits, until, due,
    updated, log)
VALUES :rows;

-- name: standing_runs
SELECT json_group_array(r.id) FROM json_each($1) AS c CROSS JOIN runs AS r
WHERE r.id = c.value ->> 0 AND r.turn = c.value ->> 1 AND r.state < 2;

-- name: advance_runs
UPDATE runs SET turn = c.value ->> 1, state = c.value ->> 2, step = c.value ->> 3, tries = c.value ->> 4,
    awaits = c.value ->> 5, until = c.value ->> 6, due = c.value ->> 7, updated = c.value ->> 8, log = c.value ->> 9
FROM json_each($1) AS c WHERE runs.id = c.value ->> 0;

-- name: lock_occurrences
SELECT 1;

-- name: finish_occurrences
SELECT json_group_array(json_array(o.id, (SELECT count(*) FROM runs AS r WHERE r.occurrence = o.id AND r.state > 2)))
FROM json_each($1) AS c CROSS JOIN occurrences AS o
WHERE o.id = c.value ->> 0 AND o.state = 1
  AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.occurrence = o.id AND r.state < 2);
UPDATE occurrences SET state = 3
FROM json_each($1) AS c WHERE occurrences.id = c.value ->> 0 AND occurrences.state = 1
  AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.occurrence = occurrences.id AND r.state < 2);

-- name: lease_runs
SELECT json_group_array(json_array(id, occurrence, tenant, service, rule, digest, at, state, step, turn, tries, awaits,
    until, due, updated, json(log)))
FROM (SELECT * FROM runs WHERE state < 2 AND due <= $1 ORDER BY due, id LIMIT $3);
UPDATE runs SET due = CASE WHEN state = 1 THEN max($2, until + $2 - $1) ELSE $2 END
WHERE id IN (SELECT id FROM runs WHERE state < 2 AND due <= $1 ORDER BY due, id LIMIT $3);

-- name: rule_texts
SELECT json_group_array(json_array(t.tenant, t.digest, t.text))
FROM json_each($1) AS n CROSS JOIN json_each($2) AS d ON d.key = n.key CROSS JOIN rule_texts AS t
WHERE t.tenant = n.value AND t.digest = d.value;

-- name: unused_rule_texts
SELECT json_group_array(json_array(tenant, digest)) FROM (
    SELECT tenant, digest FROM rule_texts
    EXCEPT SELECT tenant, digest FROM runs ORDER BY tenant, digest
);

-- name: lock_rule_texts
SELECT 1;

-- name: purge_rule_texts
DELETE FROM rule_texts WHERE (tenant, digest) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1))
AND NOT EXISTS (
    SELECT 1 FROM runs AS r WHERE r.id > $2 AND r.tenant = rule_texts.tenant AND r.digest = rule_texts.digest
);

-- name: run_by_id
SELECT json_group_array(json_array(id, occurrence, tenant, service, rule, digest, at, state, step, turn, tries, awaits,
    until, due, updated, json(log)))
FROM runs WHERE id = $1;

-- name: runs_of
SELECT json_group_array(json_array(id, occurrence, tenant, service, rule, digest, at, state, step, turn, tries, awaits,
    until, due, updated, json(log)))
FROM (SELECT * FROM runs WHERE occurrence IN (SELECT value FROM json_each($1)) ORDER BY id);

-- name: runs_before
SELECT json_group_array(json_array(id, occurrence, tenant, service, rule, digest, at, state, step, turn, tries, awaits,
    until, due, updated, json(log)))
FROM (
    SELECT * FROM runs WHERE tenant = $1 AND id < $2 AND ($4 = '' OR rule = $4) AND ($5 < 0 OR state = $5)
    ORDER BY id DESC LIMIT $3
);

-- name: run_counts
SELECT json_group_array(json_array(state, number)) FROM (SELECT state, count(*) AS number FROM runs GROUP BY state);

-- name: next_run_due
SELECT json_array(coalesce((SELECT min(due) FROM runs WHERE state < 2), 0));

-- name: states_of
SELECT json_group_array(json_array(request, state))
FROM transactions WHERE request IN (SELECT value FROM json_each($1));
