-- Accounts, what is booked to them and what is set aside of them. The row of an account is locked by whoever decides
-- what it may still pay for.

-- name: lock_account
SELECT json_build_array(opening, balance, reserved, spent)::text FROM accounts WHERE tenant = $1 FOR UPDATE;

-- name: open_accounts
INSERT INTO accounts (tenant, opening, balance, reserved, spent)
SELECT tenant, opening, balance, 0, 0
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS c (tenant, opening, balance)
ON CONFLICT (tenant) DO NOTHING;

-- name: move_money
UPDATE accounts AS a SET
    balance = a.balance + c.balance, reserved = a.reserved + c.reserved, spent = a.spent + c.spent
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS c (tenant, balance, reserved, spent)
WHERE a.tenant = c.tenant;

-- name: insert_entries
INSERT INTO entries (tenant, at, kind, amount, note, actor)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[]);

-- name: reserved_among
SELECT coalesce(json_agg(json_build_array(request, ordinal)), '[]')::text
FROM reservations WHERE request = ANY($1::bigint[]);

-- name: insert_reservations
INSERT INTO reservations (request, ordinal, tenant, amount, address, slots)
SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::bigint[], $5::text[], $6::text[]);

-- name: reservations_of
SELECT coalesce(json_agg(json_build_array(request, ordinal, tenant, amount, address, slots::json)), '[]')::text
FROM reservations WHERE request = ANY($1::bigint[]);

-- name: drop_reservations
DELETE FROM reservations AS r USING unnest($1::bigint[], $2::integer[]) AS c (request, ordinal)
WHERE r.request = c.request AND r.ordinal = c.ordinal;

-- name: stale_reservations
SELECT coalesce(json_agg(json_build_array(r.request, r.ordinal, t.state <> 50)), '[]')::text
FROM reservations AS r JOIN transactions AS t ON t.request = r.request AND t.ordinal = r.ordinal
WHERE t.state >= 30;

-- name: account_of
SELECT coalesce(json_agg(json_build_array(opening, balance, reserved, spent)), '[]')::text
FROM accounts WHERE tenant = $1;

-- name: entries_of
SELECT coalesce(json_agg(json_build_array(at, kind, amount, note, actor, id)), '[]')::text FROM (
    SELECT * FROM entries WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3
) AS e;
