-- What both databases say alike of short links.

-- name: insert_click_notice
INSERT INTO notices (request, ordinal, id, state, key, detail, at, url, origin, tenant, service, body, delivery, attempts,
    due, status, error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 0, 0, $7, 0, '');

-- name: purge_clicks
DELETE FROM clicks WHERE request IN (SELECT request FROM links WHERE until < $1);

-- name: purge_links
DELETE FROM links WHERE until < $1;
