-- Accounts.

-- name: change_opening
UPDATE accounts SET opening = $2, balance = balance + $3 WHERE tenant = $1;
