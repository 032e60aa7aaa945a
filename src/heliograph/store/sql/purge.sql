-- What is counted by day.

-- name: purge_usage
DELETE FROM usage WHERE day < $1;
