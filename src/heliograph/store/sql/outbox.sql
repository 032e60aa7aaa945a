-- What both databases say alike of chunks.

-- name: unpark
DELETE FROM parked WHERE request = $1 AND element = $2;
