-- What is left of limits that processes share.

-- name: make_volumes
INSERT OR IGNORE INTO volumes (scope, period, until, used)
SELECT c.value ->> 0, c.value ->> 1, c.value ->> 2, 0 FROM json_each($1) AS c;

-- name: lock_volumes
SELECT json_group_array(json_array(v.scope, v.period, v.used))
FROM json_each($1) AS s JOIN json_each($2) AS p ON p.key = s.key
JOIN volumes AS v ON v.scope = s.value AND v.period = p.value;

-- name: set_volumes
UPDATE volumes SET used = c.value ->> 2 FROM json_each($1) AS c
WHERE scope = c.value ->> 0 AND period = c.value ->> 1;

-- name: make_buckets
INSERT OR IGNORE INTO buckets (name, level, at) SELECT c.value ->> 0, -1, 0 FROM json_each($1) AS c;

-- name: lock_buckets
SELECT json_group_array(json_array(b.name, b.level, b.at,
    CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)))
FROM json_each($1) AS n JOIN buckets AS b ON b.name = n.value;

-- name: set_buckets
UPDATE buckets SET level = c.value ->> 1, at = c.value ->> 2 FROM json_each($1) AS c WHERE name = c.value ->> 0;
