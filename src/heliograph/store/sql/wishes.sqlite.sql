-- The do-not-disturb list, and counts of what addresses have had.

-- name: known_dnd
SELECT count(*) FROM json_each($1) AS c CROSS JOIN dnd AS d
WHERE d.tenant = c.value ->> 0 AND d.address = c.value ->> 1 AND d.channel = c.value ->> 2
  AND d.category = c.value ->> 3;

-- name: put_dnd
INSERT INTO dnd
SELECT c.value ->> 0, c.value ->> 1, c.value ->> 2, c.value ->> 3, c.value ->> 4, c.value ->> 5, c.value ->> 6,
    c.value ->> 7
FROM json_each($1) AS c WHERE true
ON CONFLICT (tenant, address, channel, category) DO UPDATE SET
    reason = excluded.reason, origin = excluded.origin, since = excluded.since, expires = excluded.expires;

-- name: has_dnd
SELECT json_array(json(iif(EXISTS (SELECT 1 FROM dnd WHERE tenant = $1), 'true', 'false')));

-- name: dnd_of
SELECT json_group_array(json_array(d.address, d.channel, d.category, d.reason, d.origin, d.since, d.expires))
FROM json_each($2) AS c CROSS JOIN dnd AS d WHERE d.tenant = $1 AND d.address = c.value;

-- name: dnd_page
SELECT json_group_array(json_array(address, channel, category, reason, origin, since, expires)) FROM (
    SELECT * FROM dnd WHERE tenant = $1 AND (address, channel, category) > ($2, $3, $4)
    ORDER BY address, channel, category LIMIT $5
);

-- name: count_sent
INSERT INTO sent
SELECT c.value ->> 0, c.value ->> 1, c.value ->> 2, c.value ->> 3, c.value ->> 4 FROM json_each($1) AS c WHERE true
ON CONFLICT (tenant, slot, address) DO UPDATE SET count = max(0, sent.count + excluded.count);

-- name: sent_to
SELECT json_group_array(json_array(s.slot, s.address, s.count))
FROM json_each($2) AS c CROSS JOIN json_each($3) AS a CROSS JOIN sent AS s
WHERE s.tenant = $1 AND s.slot = c.value AND s.address = a.value;
