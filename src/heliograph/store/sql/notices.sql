-- Notices that are owed again.

-- name: replay_notice
UPDATE notices SET delivery = 0, attempts = 0, due = $4, status = 0, error = ''
WHERE request = $1 AND ordinal = $2 AND id = $3 RETURNING origin;

-- name: replay_parked
UPDATE notices SET delivery = 0, attempts = 0, due = $3, status = 0, error = ''
WHERE delivery = 2 AND at BETWEEN $1 AND $2;
