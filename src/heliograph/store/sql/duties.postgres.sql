-- Who has which duty, and short-lived credentials. The clock is that of the database. Who finds a duty's row locked does
-- not wait: whoever locks it has it, or has just got it.

-- name: now
SELECT json_build_array((extract(epoch FROM clock_timestamp()) * 1000)::bigint)::text;

-- name: leases
SELECT coalesce(json_agg(json_build_array(name, owner,
    until - (extract(epoch FROM clock_timestamp()) * 1000)::bigint)), '[]')::text
FROM leases;

-- name: give_leases
UPDATE leases SET until = 0 WHERE owner = $1 AND name = ANY($2::text[]);

-- name: make_leases
INSERT INTO leases (name, owner, until)
SELECT c.name, '', 0 FROM unnest($1::text[]) AS c (name)
WHERE NOT EXISTS (SELECT FROM leases AS l WHERE l.name = c.name) ORDER BY c.name
ON CONFLICT DO NOTHING;

-- name: take_leases
WITH mine AS (
    SELECT name FROM leases
    WHERE name = ANY($2::text[])
        AND (owner = $1 OR until <= (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
    ORDER BY name FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE leases AS l SET owner = $1, until = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $3::bigint
    FROM mine WHERE l.name = mine.name RETURNING l.name
)
SELECT coalesce(json_agg(name), '[]')::text FROM taken;

-- name: token
SELECT coalesce(json_agg(json_build_array(encode(value, 'hex'), expires)), '[]')::text FROM tokens WHERE name = $1;

-- name: save_token
INSERT INTO tokens (name, value, expires) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, expires = excluded.expires;
