-- What both databases say alike of users of apps in real time.

-- name: inapp_drop_devices
DELETE FROM inapp_devices WHERE seen < $1;

-- name: inapp_drop_presence
DELETE FROM inapp_presence WHERE node = $1;

-- name: inapp_drop_strays
DELETE FROM inapp_presence WHERE node NOT IN (SELECT node FROM inapp_nodes WHERE until > $1);

-- name: inapp_drop_nodes
DELETE FROM inapp_nodes WHERE until <= $1;

-- name: inapp_beat
INSERT INTO inapp_nodes (node, until) VALUES ($1, $2)
ON CONFLICT (node) DO UPDATE SET until = excluded.until;
