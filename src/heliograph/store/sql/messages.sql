-- Waits for receipts.

-- name: close_windows
DELETE FROM windows WHERE due <= $1;
