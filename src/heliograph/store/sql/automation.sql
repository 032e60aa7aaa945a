-- What both databases say alike of runs.

-- name: free_runs
UPDATE runs SET due = $1 WHERE state < 2 AND (until = 0 OR state = 1) AND due > $1;

-- name: purge_runs
DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE id < $1 AND state > 1 ORDER BY id LIMIT $2);
