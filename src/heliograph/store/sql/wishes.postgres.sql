-- The do-not-disturb list, and counts of what addresses have had.

-- name: known_dnd
SELECT count(*)
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS c (tenant, address, channel, category)
JOIN dnd USING (tenant, address, channel, category);

-- name: put_dnd
INSERT INTO dnd (tenant, address, channel, category, reason, origin, since, expires)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
    $8::bigint[])
ON CONFLICT (tenant, address, channel, category) DO UPDATE SET
    reason = excluded.reason, origin = excluded.origin, since = excluded.since, expires = excluded.expires;

-- name: has_dnd
SELECT json_build_array(EXISTS (SELECT FROM dnd WHERE tenant = $1))::text;

-- name: dnd_of
SELECT coalesce(json_agg(json_build_array(address, channel, category, reason, origin, since, expires)), '[]')::text
FROM dnd WHERE tenant = $1 AND address = ANY($2::text[]);

-- name: dnd_page
SELECT coalesce(json_agg(json_build_array(address, channel, category, reason, origin, since, expires)), '[]')::text
FROM (
    SELECT * FROM dnd WHERE tenant = $1 AND (address, channel, category) > ($2, $3, $4)
    ORDER BY address, channel, category LIMIT $5
) AS d;

-- name: count_sent
INSERT INTO sent (tenant, slot, address, count, until)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
ON CONFLICT (tenant, slot, address) DO UPDATE SET count = greatest(0, sent.count + excluded.count);

-- name: sent_to
SELECT coalesce(json_agg(json_build_array(slot, address, count)), '[]')::text
FROM sent WHERE tenant = $1 AND slot = ANY($2::text[]) AND address = ANY($3::text[]);
