-- Who has which duty, and short-lived credentials. The clock is that of the database.

-- name: now
SELECT json_array(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER));

-- name: leases
SELECT json_group_array(json_array(name, owner, until - CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)))
FROM leases;

-- name: give_leases
UPDATE leases SET until = 0 WHERE owner = $1 AND name IN (SELECT value FROM json_each($2));

-- name: make_leases
INSERT OR IGNORE INTO leases (name, owner, until) SELECT value, '', 0 FROM json_each($1);

-- name: take_leases
UPDATE leases SET owner = $1, until = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + $3
WHERE name IN (SELECT value FROM json_each($2))
    AND (owner = $1 OR until <= CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER));
SELECT json_group_array(name) FROM leases WHERE owner = $1 AND name IN (SELECT value FROM json_each($2));

-- name: token
SELECT json_group_array(json_array(hex(value), expires)) FROM tokens WHERE name = $1;

-- name: save_token
INSERT INTO tokens (name, value, expires) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, expires = excluded.expires;
