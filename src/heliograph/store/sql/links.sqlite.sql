-- Short links and clicks.

-- name: insert_links
INSERT INTO links (request, first, number, tenant, label, url, ios, android, expired, until)
VALUES :rows;

-- name: count_click
INSERT INTO clicks (request, ordinal, number, first_at, clicks) VALUES ($1, $2, $3, $4, 1)
ON CONFLICT (request, ordinal, number) DO UPDATE SET clicks = clicks + 1
RETURNING clicks;

-- name: insert_click_story
INSERT INTO story (id, request, ordinal, at, step, data)
VALUES :rows;

-- name: find_link
SELECT json_group_array(json_array(request, first, number, tenant, label, url, ios, android, expired, until)) FROM (
    SELECT * FROM links WHERE request = $1 AND first <= $2 AND number = $3 ORDER BY first DESC LIMIT 1
);

-- name: clicks
SELECT json_group_array(json_array(label, people, clicks)) FROM (
    SELECT l.label AS label, count(*) AS people, sum(c.clicks) AS clicks
    FROM links AS l JOIN clicks AS c ON c.request = l.request AND c.number = l.number AND c.ordinal >= l.first
        AND NOT EXISTS (SELECT 1 FROM links AS n WHERE n.request = l.request AND n.number = l.number
                        AND n.first > l.first AND n.first <= c.ordinal)
    WHERE l.tenant = $1 AND ($2 = '' OR l.label = $2) AND l.request >= $3
    GROUP BY l.label
);
