-- What both databases say alike of occurrences.

-- name: move_occurrence
UPDATE occurrences SET state = $3, note = $4 WHERE id = $1 AND state = $2;

-- name: purge_occurrences
DELETE FROM occurrences
WHERE id IN (SELECT id FROM occurrences WHERE id < $1 AND state > 1 ORDER BY id LIMIT $2);
