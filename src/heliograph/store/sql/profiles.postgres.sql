-- Profiles of customers and of users of apps, and the jobs that write them. What is written rests on what was read,
-- so writers of one tenant's profiles come one after the other. Tokens are long: their index holds a hash.

-- name: lock_profiles
SELECT count(pg_advisory_xact_lock(hashtextextended(tenant, 7))) FROM unnest($1::text[]) AS c (tenant);

-- name: customers_to_change
SELECT coalesce(json_agg(json_build_array(a.tenant, a.asked, json_build_array(c.customer, c.attributes::json,
    c.keys::json, c.created, c.updated)) ORDER BY a.rank), '[]')::text
FROM (
    SELECT w.tenant, w.asked, 0 AS rank, w.asked AS customer FROM unnest($1::text[], $2::text[]) AS w (tenant, asked)
    UNION ALL
    SELECT k.tenant, k.value, 1, k.customer FROM unnest($1::text[], $2::text[]) AS w (tenant, asked)
    JOIN customer_keys AS k ON k.tenant = w.tenant AND k.kind = 'alias' AND k.value = w.asked
) AS a JOIN customers AS c ON c.tenant = a.tenant AND c.customer = a.customer;

-- name: owners_of_aliases
SELECT coalesce(json_agg(json_build_array(k.tenant, k.value, k.customer)), '[]')::text
FROM unnest($1::text[], $2::text[]) AS w (tenant, alias)
JOIN customer_keys AS k ON k.tenant = w.tenant AND k.kind = 'alias' AND k.value = w.alias;

-- name: put_customers
INSERT INTO customers (tenant, customer, attributes, keys, created, updated)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
    AS c (tenant, customer, attributes, keys, created, updated)
ORDER BY tenant, customer
ON CONFLICT (tenant, customer) DO UPDATE SET
    attributes = excluded.attributes, keys = excluded.keys, updated = excluded.updated;

-- name: drop_customers
WITH gone AS (
    DELETE FROM customers AS c USING unnest($1::text[], $2::text[]) AS w (tenant, customer)
    WHERE c.tenant = w.tenant AND c.customer = w.customer
)
UPDATE app_users AS u SET customer = '' FROM unnest($1::text[], $2::text[]) AS w (tenant, customer)
WHERE u.customer <> '' AND u.tenant = w.tenant AND u.customer = w.customer;

-- name: drop_customer_keys
DELETE FROM customer_keys AS k
USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w (tenant, kind, value, customer)
WHERE k.tenant = w.tenant AND k.kind = w.kind AND k.value = w.value AND k.customer = w.customer;

-- name: put_customer_keys
INSERT INTO customer_keys (tenant, kind, value, customer)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING;

-- name: app_users_to_change
WITH w AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
        AS c (tenant, app, userid, device, handle, customer, token)
), found AS (
    SELECT i.tenant, i.app, i.userid, i.device FROM w JOIN app_users AS i
        ON i.tenant = w.tenant AND i.app = w.app AND i.userid = w.userid AND (w.device = '' OR i.device = w.device)
    WHERE w.userid <> ''
    UNION
    SELECT i.tenant, i.app, i.userid, i.device FROM w JOIN app_users AS i
        ON i.tenant = w.tenant AND i.app = w.app AND i.handle = w.handle AND i.handle <> ''
    UNION
    SELECT i.tenant, i.app, i.userid, i.device FROM w JOIN app_users AS i
        ON i.tenant = w.tenant AND i.app = w.app AND i.customer = w.customer AND i.customer <> ''
    UNION
    SELECT i.tenant, i.app, i.userid, i.device FROM w JOIN app_users AS i
        ON i.tenant = w.tenant AND i.app = w.app AND md5(i.token) = md5(w.token) AND i.token = w.token
            AND i.token <> ''
)
SELECT coalesce(json_agg(json_build_array(u.tenant, json_build_array(u.app, u.userid, u.device, u.customer, u.handle,
    u.token, u.system, u.active, u.verified, u.gone, u.since, u.attributes::json, u.created, u.updated))), '[]')::text
FROM found JOIN app_users AS u ON u.tenant = found.tenant AND u.app = found.app AND u.userid = found.userid
    AND u.device = found.device;

-- name: put_app_users
INSERT INTO app_users (tenant, app, userid, device, customer, handle, token, system, active, verified, gone, since,
    attributes, created, updated)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::smallint[], $10::smallint[], $11::bigint[], $12::bigint[], $13::text[], $14::bigint[], $15::bigint[])
    AS c (tenant, app, userid, device, customer, handle, token, system, active, verified, gone, since, attributes,
        created, updated)
ORDER BY tenant, app, userid, device
ON CONFLICT (tenant, app, userid, device) DO UPDATE SET
    customer = excluded.customer, handle = excluded.handle, token = excluded.token, system = excluded.system,
    active = excluded.active, verified = excluded.verified, gone = excluded.gone, since = excluded.since,
    attributes = excluded.attributes, updated = excluded.updated;

-- name: drop_app_users
DELETE FROM app_users AS u
USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w (tenant, app, userid, device)
WHERE u.tenant = w.tenant AND u.app = w.app AND u.userid = w.userid AND u.device = w.device;

-- name: put_profile_jobs
INSERT INTO profile_jobs (id, nonce, tenant, at, deadline, state, work, outcome)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::smallint[], $7::text[],
    $8::text[]);

-- name: open_profile_jobs
SELECT coalesce(json_agg(j.id), '[]')::text
FROM (SELECT id FROM profile_jobs WHERE state = 0 AND id = ANY($1::bigint[]) ORDER BY id FOR UPDATE) AS j;

-- name: end_profile_jobs
UPDATE profile_jobs AS j SET state = c.state, work = '', outcome = c.outcome
FROM unnest($1::bigint[], $2::smallint[], $3::text[]) AS c (id, state, outcome)
WHERE j.id = c.id AND j.state = 0;

-- name: purge_profile_jobs
DELETE FROM profile_jobs
WHERE id IN (SELECT id FROM profile_jobs WHERE id < $1 AND state > 0 ORDER BY id LIMIT $2);

-- name: profile_job
SELECT coalesce(json_agg(json_build_array(id, nonce, tenant, at, deadline, state, '', outcome)), '[]')::text
FROM profile_jobs WHERE id = $1;

-- name: waiting_profile_jobs
SELECT coalesce(json_agg(json_build_array(id, nonce, tenant, at, deadline, state, work, '') ORDER BY id), '[]')::text
FROM (SELECT * FROM profile_jobs WHERE state = 0 AND id > $1 ORDER BY id LIMIT $2) AS j;

-- name: customers_named
SELECT coalesce(json_agg(json_build_array(a.asked, json_build_array(c.customer, c.attributes::json, c.keys::json,
    c.created, c.updated)) ORDER BY a.rank), '[]')::text
FROM (
    SELECT w.asked, 0 AS rank, w.asked AS customer FROM unnest($2::text[]) AS w (asked)
    UNION ALL
    SELECT k.value, 1, k.customer FROM unnest($2::text[]) AS w (asked)
    JOIN customer_keys AS k ON k.tenant = $1 AND k.kind = 'alias' AND k.value = w.asked
) AS a JOIN customers AS c ON c.tenant = $1 AND c.customer = a.customer;

-- name: customers_keyed
SELECT coalesce(json_agg(json_build_array(k.value, json_build_array(c.customer, c.attributes::json,
    c.keys::json, c.created, c.updated))), '[]')::text
FROM unnest($3::text[]) AS w (value)
JOIN customer_keys AS k ON k.tenant = $1 AND k.kind = $2 AND k.value = w.value
JOIN customers AS c ON c.tenant = $1 AND c.customer = k.customer;

-- name: customers_after
SELECT coalesce(json_agg(json_build_array(customer, attributes::json, keys::json, created, updated)
    ORDER BY customer), '[]')::text
FROM (
    SELECT * FROM customers WHERE tenant = $1 AND customer > $2
    ORDER BY customer LIMIT $3
) AS c;

-- name: app_users_of_customers
SELECT coalesce(json_agg(json_build_array(u.app, u.userid, u.device, u.customer, u.handle, u.token, u.system, u.active,
    u.verified, u.gone, u.since, u.attributes::json, u.created, u.updated)
    ORDER BY u.app, u.userid, u.device), '[]')::text
FROM unnest($3::text[]) AS w (customer) JOIN app_users AS u
    ON u.tenant = $1 AND u.customer = w.customer AND u.customer <> '' AND ($2 = '' OR u.app = $2);

-- name: app_users_named
SELECT coalesce(json_agg(json_build_array(u.app, u.userid, u.device, u.customer, u.handle, u.token, u.system, u.active,
    u.verified, u.gone, u.since, u.attributes::json, u.created, u.updated)
    ORDER BY u.userid, u.device), '[]')::text
FROM unnest($3::text[]) AS w (userid) JOIN app_users AS u ON u.tenant = $1 AND u.app = $2 AND u.userid = w.userid;

-- name: app_users_with_tokens
SELECT coalesce(json_agg(json_build_array(u.app, u.userid, u.device, u.customer, u.handle, u.token, u.system, u.active,
    u.verified, u.gone, u.since, u.attributes::json, u.created, u.updated)
    ORDER BY u.userid, u.device), '[]')::text
FROM unnest($3::text[]) AS w (token) JOIN app_users AS u
    ON u.tenant = $1 AND u.app = $2 AND md5(u.token) = md5(w.token) AND u.token = w.token AND u.token <> '';

-- name: app_users_after
SELECT coalesce(json_agg(json_build_array(app, userid, device, customer, handle, token, system, active, verified, gone,
    since, attributes::json, created, updated) ORDER BY userid, device), '[]')::text
FROM (
    SELECT * FROM app_users
    WHERE tenant = $1 AND app = $2 AND (userid, device) > ($3, $4)
    ORDER BY userid, device LIMIT $5
) AS u;
