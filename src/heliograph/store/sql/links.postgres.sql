-- Short links and clicks.

-- name: insert_links
INSERT INTO links (request, first, number, tenant, label, url, ios, android, expired, until)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::bigint[]);

-- name: count_click
INSERT INTO clicks AS c (request, ordinal, number, first_at, clicks) VALUES ($1, $2, $3, $4, 1)
ON CONFLICT (request, ordinal, number) DO UPDATE SET clicks = c.clicks + 1
RETURNING clicks;

-- name: insert_click_story
INSERT INTO story (id, request, ordinal, at, step, data)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::text[], $6::text[]);

-- name: find_link
SELECT coalesce(json_agg(json_build_array(request, first, number, tenant, label, url, ios, android, expired, until)),
    '[]')::text
FROM (SELECT * FROM links WHERE request = $1 AND first <= $2 AND number = $3 ORDER BY first DESC LIMIT 1) AS l;

-- name: clicks
SELECT coalesce(json_agg(json_build_array(label, people, clicks)), '[]')::text FROM (
    SELECT l.label AS label, count(*) AS people, sum(c.clicks) AS clicks
    FROM links AS l JOIN clicks AS c ON c.request = l.request AND c.number = l.number AND c.ordinal >= l.first
        AND NOT EXISTS (SELECT 1 FROM links AS n WHERE n.request = l.request AND n.number = l.number
                        AND n.first > l.first AND n.first <= c.ordinal)
    WHERE l.tenant = $1 AND ($2 = '' OR l.label = $2) AND l.request >= $3
    GROUP BY l.label
) AS counted;
