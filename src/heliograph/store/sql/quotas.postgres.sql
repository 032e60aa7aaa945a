-- What is left of limits that processes share. Rows are locked in the order of their names; the time is that after
-- they were.

-- name: make_volumes
INSERT INTO volumes (scope, period, until, used)
SELECT c.scope, c.period, c.until, 0
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS c (scope, period, until)
WHERE NOT EXISTS (SELECT FROM volumes AS v WHERE v.scope = c.scope AND v.period = c.period)
ORDER BY c.scope, c.period
ON CONFLICT DO NOTHING;

-- name: lock_volumes
SELECT coalesce(json_agg(json_build_array(scope, period, used)), '[]')::text FROM (
    SELECT v.scope, v.period, v.used
    FROM volumes AS v JOIN unnest($1::text[], $2::text[]) AS c (scope, period)
        ON v.scope = c.scope AND v.period = c.period
    ORDER BY v.scope, v.period FOR UPDATE OF v
) AS v;

-- name: set_volumes
UPDATE volumes AS v SET used = c.used
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS c (scope, period, used)
WHERE v.scope = c.scope AND v.period = c.period;

-- name: make_buckets
INSERT INTO buckets (name, level, at)
SELECT c.name, -1, 0 FROM unnest($1::text[]) AS c (name)
WHERE NOT EXISTS (SELECT FROM buckets AS b WHERE b.name = c.name) ORDER BY c.name
ON CONFLICT DO NOTHING;

-- name: lock_buckets
SELECT coalesce(json_agg(json_build_array(name, level, at, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)),
    '[]')::text
FROM (SELECT name, level, at FROM buckets WHERE name = ANY($1::text[]) ORDER BY name FOR UPDATE) AS b;

-- name: set_buckets
UPDATE buckets AS b SET level = c.level, at = c.at
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS c (name, level, at) WHERE b.name = c.name;
