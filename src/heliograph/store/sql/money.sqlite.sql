-- Accounts, what is booked to them and what is set aside of them. All of a group is one transaction of the only
-- writer, so nothing needs to be locked.

-- name: lock_account
SELECT json_array(opening, balance, reserved, spent) FROM accounts WHERE tenant = $1;

-- name: open_accounts
INSERT INTO accounts
SELECT c.value ->> 0, c.value ->> 1, c.value ->> 2, 0, 0 FROM json_each($1) AS c WHERE true
ON CONFLICT (tenant) DO NOTHING;

-- name: move_money
UPDATE accounts SET
    balance = balance + (c.value ->> 1), reserved = reserved + (c.value ->> 2), spent = spent + (c.value ->> 3)
FROM json_each($1) AS c WHERE accounts.tenant = c.value ->> 0;

-- name: insert_entries
INSERT INTO entries (tenant, at, kind, amount, note, actor)
VALUES :rows;

-- name: reserved_among
SELECT json_group_array(json_array(r.request, r.ordinal))
FROM (SELECT DISTINCT value AS request FROM json_each($1)) AS c CROSS JOIN reservations AS r
WHERE r.request = c.request;

-- name: insert_reservations
INSERT INTO reservations
VALUES :rows;

-- name: reservations_of
SELECT json_group_array(json_array(r.request, r.ordinal, r.tenant, r.amount, r.address, json(r.slots)))
FROM (SELECT DISTINCT value AS request FROM json_each($1)) AS c CROSS JOIN reservations AS r
WHERE r.request = c.request;

-- name: drop_reservations
DELETE FROM reservations
WHERE (request, ordinal) IN (SELECT c.value ->> 0, c.value ->> 1 FROM json_each($1) AS c);

-- name: stale_reservations
SELECT json_group_array(json_array(r.request, r.ordinal, t.state <> 50))
FROM reservations AS r JOIN transactions AS t ON t.request = r.request AND t.ordinal = r.ordinal
WHERE t.state >= 30;

-- name: account_of
SELECT json_group_array(json_array(opening, balance, reserved, spent)) FROM accounts WHERE tenant = $1;

-- name: entries_of
SELECT json_group_array(json_array(at, kind, amount, note, actor, id)) FROM (
    SELECT * FROM entries WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3
);
