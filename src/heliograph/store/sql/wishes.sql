-- The do-not-disturb list.

-- name: drop_dnd
DELETE FROM dnd
WHERE tenant = $1 AND address = $2 AND ($3 = '*' OR channel = $3) AND ($4 = '*' OR category = $4)
  AND ($5 = '*' OR origin = $5);

-- name: purge_dnd
DELETE FROM dnd WHERE expires > 0 AND expires <= $1;

-- name: purge_sent
DELETE FROM sent WHERE until > 0 AND until <= $1;
