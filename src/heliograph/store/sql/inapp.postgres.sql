-- Users of apps in real time. Whoever numbers a user's messages holds the user's row until the commit, so that
-- a greater number never becomes visible before a smaller one.

-- name: inapp_known
SELECT coalesce(json_agg(json_build_array(k.request, k.ordinal, k.seq)), '[]')::text
FROM unnest($1::bigint[], $2::integer[]) AS r (request, ordinal)
JOIN inapp_kept AS k ON k.request = r.request AND k.ordinal = r.ordinal;

-- name: inapp_meet
WITH c AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS c (lane, userid, seq, acked, handed)
), met AS (
    INSERT INTO inapp_users (lane, userid, seq, acked, handed)
    SELECT lane, userid, seq, acked, handed FROM c ORDER BY lane, userid
    ON CONFLICT (lane, userid) DO UPDATE SET seq = inapp_users.seq
    RETURNING lane, userid, seq, acked
)
SELECT coalesce(json_agg(json_build_array(lane, userid, seq, acked)), '[]')::text FROM met;

-- name: inapp_number
INSERT INTO inapp_users AS u (lane, userid, seq, acked, handed)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
    AS c (lane, userid, seq, acked, handed)
ORDER BY lane, userid
ON CONFLICT (lane, userid) DO UPDATE SET
    seq = greatest(u.seq, excluded.seq), acked = greatest(u.acked, excluded.acked),
    handed = greatest(u.handed, excluded.handed);

-- name: inapp_insert
INSERT INTO inapp_kept (lane, userid, seq, request, ordinal, at, expires, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::integer[], $6::bigint[], $7::bigint[],
    $8::text[]);

-- name: inapp_seen
INSERT INTO inapp_devices AS d (lane, userid, device, acked, seen)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
    AS c (lane, userid, device, acked, seen)
ORDER BY lane, userid, device
ON CONFLICT (lane, userid, device) DO UPDATE SET acked = greatest(d.acked, excluded.acked), seen = excluded.seen;

-- name: inapp_cursors
SELECT coalesce(json_agg(json_build_array(c.lane, c.userid, c.device, coalesce(d.acked, u.acked, 0),
    d.acked IS NULL, coalesce(u.seq, 0))), '[]')::text
FROM unnest($1::text[], $2::text[], $3::text[]) AS c (lane, userid, device)
LEFT JOIN inapp_devices AS d ON d.lane = c.lane AND d.userid = c.userid AND d.device = c.device
LEFT JOIN inapp_users AS u ON u.lane = c.lane AND u.userid = c.userid;

-- name: inapp_come
INSERT INTO inapp_presence (lane, userid, device, node, since)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
    AS c (lane, userid, device, node, since)
ORDER BY lane, userid, device
ON CONFLICT (lane, userid, device) DO UPDATE SET node = excluded.node, since = excluded.since;

-- name: inapp_go
DELETE FROM inapp_presence AS p
USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS c (lane, userid, device, node)
WHERE p.lane = c.lane AND p.userid = c.userid AND p.device = c.device AND p.node = c.node;

-- name: inapp_delete
DELETE FROM inapp_kept AS k USING unnest($1::text[], $2::text[], $3::bigint[]) AS c (lane, userid, seq)
WHERE k.lane = c.lane AND k.userid = c.userid AND k.seq = c.seq;

-- name: inapp_after
SELECT coalesce(json_agg(json_build_array(seq, request, ordinal, at, expires, body) ORDER BY seq), '[]')::text FROM (
    SELECT * FROM inapp_kept WHERE lane = $1 AND userid = $2 AND seq > $3 AND expires > $4 ORDER BY seq LIMIT $5
) AS k;

-- name: inapp_find
SELECT coalesce(json_agg(json_build_array(k.seq, k.request, k.ordinal)), '[]')::text
FROM inapp_kept AS k WHERE k.lane = $1 AND k.userid = $2 AND k.seq = ANY ($3::bigint[]);

-- name: inapp_lapsed
SELECT coalesce(json_agg(json_build_array(lane, userid, seq, request, ordinal, missed)), '[]')::text FROM (
    SELECT k.*, k.seq > greatest(coalesce(u.acked, 0), coalesce(u.handed, 0)) AS missed
    FROM inapp_kept AS k LEFT JOIN inapp_users AS u ON u.lane = k.lane AND u.userid = k.userid
    WHERE k.expires <= $1 ORDER BY k.expires LIMIT $2
) AS found;

-- name: inapp_present
SELECT coalesce(json_agg(json_build_array(p.device, p.node, p.since)), '[]')::text
FROM inapp_presence AS p JOIN inapp_nodes AS n ON n.node = p.node
WHERE p.lane = $1 AND p.userid = $2 AND n.until > $3;

-- name: inapp_registered
SELECT coalesce(json_agg(1), '[]')::text FROM (
    SELECT 1 FROM inapp_devices WHERE lane = $1 AND userid = $2 AND device <> $3 LIMIT 1
) AS d;

-- name: inapp_owed
SELECT coalesce(json_agg(json_build_array(lane, userid)), '[]')::text FROM (
    SELECT DISTINCT p.lane, p.userid FROM inapp_presence AS p
    JOIN inapp_devices AS d ON d.lane = p.lane AND d.userid = p.userid AND d.device = p.device
    JOIN inapp_users AS u ON u.lane = p.lane AND u.userid = p.userid
    WHERE p.node = $1 AND u.seq > d.acked
) AS owed;

-- name: inapp_forget_users
WITH devices AS (
    DELETE FROM inapp_devices WHERE left(lane, length($1)) = $1 AND userid = ANY($2::text[])
)
DELETE FROM inapp_users AS u WHERE left(u.lane, length($1)) = $1 AND u.userid = ANY($2::text[])
AND NOT EXISTS (SELECT 1 FROM inapp_kept AS k WHERE k.lane = u.lane AND k.userid = u.userid);

-- name: inapp_erase
DELETE FROM inapp_kept AS k USING unnest($1::bigint[], $2::integer[]) AS c (request, ordinal)
WHERE k.request = c.request AND k.ordinal = c.ordinal;
