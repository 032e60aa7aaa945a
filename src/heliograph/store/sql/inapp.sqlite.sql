-- Users of apps in real time.

-- name: inapp_known
SELECT json_group_array(json_array(k.request, k.ordinal, k.seq))
FROM json_each($1) AS c CROSS JOIN inapp_kept AS k
WHERE k.request = c.value ->> 0 AND k.ordinal = c.value ->> 1;

-- name: inapp_meet
INSERT OR IGNORE INTO inapp_users (lane, userid, seq, acked, handed)
VALUES :rows;
SELECT json_group_array(json_array(u.lane, u.userid, u.seq, u.acked))
FROM json_each($1) AS c CROSS JOIN inapp_users AS u
WHERE u.lane = c.value ->> 0 AND u.userid = c.value ->> 1;

-- name: inapp_number
INSERT INTO inapp_users (lane, userid, seq, acked, handed)
VALUES :rows
ON CONFLICT (lane, userid) DO UPDATE SET
    seq = max(seq, excluded.seq), acked = max(acked, excluded.acked), handed = max(handed, excluded.handed);

-- name: inapp_insert
INSERT INTO inapp_kept (lane, userid, seq, request, ordinal, at, expires, body)
VALUES :rows;

-- name: inapp_seen
INSERT INTO inapp_devices (lane, userid, device, acked, seen)
VALUES :rows
ON CONFLICT (lane, userid, device) DO UPDATE SET acked = max(acked, excluded.acked), seen = excluded.seen;

-- name: inapp_cursors
SELECT json_group_array(json_array(c.value ->> 0, c.value ->> 1, c.value ->> 2,
    coalesce(d.acked, u.acked, 0), json(iif(d.acked IS NULL, 'true', 'false')), coalesce(u.seq, 0)))
FROM json_each($1) AS c
LEFT JOIN inapp_devices AS d ON d.lane = c.value ->> 0 AND d.userid = c.value ->> 1 AND d.device = c.value ->> 2
LEFT JOIN inapp_users AS u ON u.lane = c.value ->> 0 AND u.userid = c.value ->> 1;

-- name: inapp_come
INSERT OR REPLACE INTO inapp_presence (lane, userid, device, node, since)
VALUES :rows;

-- name: inapp_go
DELETE FROM inapp_presence WHERE (lane, userid, device, node) IN (
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1)
);

-- name: inapp_delete
DELETE FROM inapp_kept WHERE (lane, userid, seq) IN (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1)
);

-- name: inapp_after
SELECT json_group_array(json_array(seq, request, ordinal, at, expires, body)) FROM (
    SELECT * FROM inapp_kept WHERE lane = $1 AND userid = $2 AND seq > $3 AND expires > $4 ORDER BY seq LIMIT $5
);

-- name: inapp_find
SELECT json_group_array(json_array(k.seq, k.request, k.ordinal))
FROM json_each($3) AS s CROSS JOIN inapp_kept AS k
WHERE k.lane = $1 AND k.userid = $2 AND k.seq = s.value;

-- name: inapp_lapsed
SELECT json_group_array(json_array(lane, userid, seq, request, ordinal, json(iif(missed, 'true', 'false')))) FROM (
    SELECT k.*, k.seq > max(coalesce(u.acked, 0), coalesce(u.handed, 0)) AS missed
    FROM inapp_kept AS k LEFT JOIN inapp_users AS u ON u.lane = k.lane AND u.userid = k.userid
    WHERE k.expires <= $1 ORDER BY k.expires LIMIT $2
);

-- name: inapp_present
SELECT json_group_array(json_array(p.device, p.node, p.since))
FROM inapp_presence AS p JOIN inapp_nodes AS n ON n.node = p.node
WHERE p.lane = $1 AND p.userid = $2 AND n.until > $3;

-- name: inapp_registered
SELECT json_group_array(1) FROM (
    SELECT 1 FROM inapp_devices WHERE lane = $1 AND userid = $2 AND device <> $3 LIMIT 1
);

-- name: inapp_owed
SELECT json_group_array(json_array(lane, userid)) FROM (
    SELECT DISTINCT p.lane, p.userid FROM inapp_presence AS p
    JOIN inapp_devices AS d ON d.lane = p.lane AND d.userid = p.userid AND d.device = p.device
    JOIN inapp_users AS u ON u.lane = p.lane AND u.userid = p.userid
    WHERE p.node = $1 AND u.seq > d.acked
);

-- name: inapp_forget_users
DELETE FROM inapp_devices
WHERE substr(lane, 1, length($1)) = $1 AND userid IN (SELECT value FROM json_each($2));
DELETE FROM inapp_users
WHERE substr(lane, 1, length($1)) = $1 AND userid IN (SELECT value FROM json_each($2)) AND NOT EXISTS (
    SELECT 1 FROM inapp_kept AS k WHERE k.lane = inapp_users.lane AND k.userid = inapp_users.userid
);

-- name: inapp_erase
DELETE FROM inapp_kept WHERE (request, ordinal) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1));
