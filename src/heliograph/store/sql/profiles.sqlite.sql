-- Profiles of customers and of users of apps, and the jobs that write them.

-- name: lock_profiles
SELECT 1;

-- name: customers_to_change
SELECT json_group_array(json_array(a.tenant, a.asked, json_array(c.customer, json(c.attributes), json(c.keys),
    c.created, c.updated)))
FROM (
    SELECT value ->> 0 AS tenant, value ->> 1 AS asked, 0 AS rank, value ->> 1 AS customer FROM json_each($1)
    UNION ALL
    SELECT k.tenant, k.value, 1, k.customer FROM json_each($1) AS w CROSS JOIN customer_keys AS k
    WHERE k.tenant = w.value ->> 0 AND k.kind = 'alias' AND k.value = w.value ->> 1
    ORDER BY rank
) AS a CROSS JOIN customers AS c WHERE c.tenant = a.tenant AND c.customer = a.customer;

-- name: owners_of_aliases
SELECT json_group_array(json_array(k.tenant, k.value, k.customer))
FROM json_each($1) AS w CROSS JOIN customer_keys AS k
WHERE k.tenant = w.value ->> 0 AND k.kind = 'alias' AND k.value = w.value ->> 1;

-- name: put_customers
INSERT OR REPLACE INTO customers (tenant, customer, attributes, keys, created, updated)
VALUES :rows;

-- name: drop_customers
DELETE FROM customers WHERE (tenant, customer) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1));
UPDATE app_users SET customer = ''
WHERE customer <> '' AND (tenant, customer) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1));

-- name: drop_customer_keys
DELETE FROM customer_keys WHERE (tenant, kind, value, customer) IN (
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1)
);

-- name: put_customer_keys
INSERT OR IGNORE INTO customer_keys (tenant, kind, value, customer)
VALUES :rows;

-- name: app_users_to_change
SELECT json_group_array(json_array(u.tenant, json_array(u.app, u.userid, u.device, u.customer, u.handle, u.token,
    u.system, u.active, u.verified, u.gone, u.since,
    json(u.attributes), u.created, u.updated)))
FROM (
    SELECT i.rowid FROM json_each($1) AS w CROSS JOIN app_users AS i
    WHERE i.tenant = w.value ->> 0 AND i.app = w.value ->> 1 AND w.value ->> 2 <> '' AND i.userid = w.value ->> 2
      AND (w.value ->> 3 = '' OR i.device = w.value ->> 3)
    UNION
    SELECT i.rowid FROM json_each($1) AS w CROSS JOIN app_users AS i
    WHERE i.tenant = w.value ->> 0 AND i.app = w.value ->> 1 AND i.handle <> '' AND i.handle = w.value ->> 4
    UNION
    SELECT i.rowid FROM json_each($1) AS w CROSS JOIN app_users AS i
    WHERE i.tenant = w.value ->> 0 AND i.app = w.value ->> 1 AND i.customer <> '' AND i.customer = w.value ->> 5
    UNION
    SELECT i.rowid FROM json_each($1) AS w CROSS JOIN app_users AS i
    WHERE i.tenant = w.value ->> 0 AND i.app = w.value ->> 1 AND i.token <> '' AND i.token = w.value ->> 6
) AS found CROSS JOIN app_users AS u WHERE u.rowid = found.rowid;

-- name: put_app_users
INSERT OR REPLACE INTO app_users (tenant, app, userid, device, customer, handle, token, system, active, verified, gone,
    since, attributes, created, updated)
VALUES :rows;

-- name: drop_app_users
DELETE FROM app_users WHERE (tenant, app, userid, device) IN (
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1)
);

-- name: put_profile_jobs
INSERT INTO profile_jobs (id, nonce, tenant, at, deadline, state, work, outcome)
VALUES :rows;

-- name: open_profile_jobs
SELECT json_group_array(id) FROM profile_jobs WHERE state = 0 AND id IN (SELECT value FROM json_each($1));

-- name: end_profile_jobs
UPDATE profile_jobs SET state = c.value ->> 1, work = '', outcome = c.value ->> 2
FROM json_each($1) AS c WHERE profile_jobs.id = c.value ->> 0 AND profile_jobs.state = 0;

-- name: purge_profile_jobs
DELETE FROM profile_jobs
WHERE id IN (SELECT id FROM profile_jobs WHERE id < $1 AND state > 0 ORDER BY id LIMIT $2);

-- name: profile_job
SELECT json_group_array(json_array(id, nonce, tenant, at, deadline, state, '', outcome)) FROM profile_jobs
WHERE id = $1;

-- name: waiting_profile_jobs
SELECT json_group_array(json_array(id, nonce, tenant, at, deadline, state, work, '')) FROM (
    SELECT * FROM profile_jobs WHERE state = 0 AND id > $1 ORDER BY id LIMIT $2
);

-- name: customers_named
SELECT json_group_array(json_array(a.asked, json_array(c.customer, json(c.attributes), json(c.keys), c.created,
    c.updated)))
FROM (
    SELECT value AS asked, 0 AS rank, value AS customer FROM json_each($2)
    UNION ALL
    SELECT k.value, 1, k.customer FROM json_each($2) AS w CROSS JOIN customer_keys AS k
    WHERE k.tenant = $1 AND k.kind = 'alias' AND k.value = w.value
    ORDER BY rank
) AS a CROSS JOIN customers AS c WHERE c.tenant = $1 AND c.customer = a.customer;

-- name: customers_keyed
SELECT json_group_array(json_array(k.value, json_array(c.customer, json(c.attributes), json(c.keys), c.created,
    c.updated)))
FROM json_each($3) AS w
CROSS JOIN customer_keys AS k ON k.tenant = $1 AND k.kind = $2 AND k.value = w.value
CROSS JOIN customers AS c ON c.tenant = $1 AND c.customer = k.customer;

-- name: customers_after
SELECT json_group_array(json_array(customer, json(attributes), json(keys), created, updated)) FROM (
    SELECT * FROM customers WHERE tenant = $1 AND customer > $2 ORDER BY customer LIMIT $3
);

-- name: app_users_of_customers
SELECT json_group_array(json_array(app, userid, device, customer, handle, token, system, active,
    verified, gone, since, json(attributes), created, updated))
FROM (
    SELECT u.* FROM json_each($3) AS w CROSS JOIN app_users AS u
    WHERE u.tenant = $1 AND u.customer <> '' AND u.customer = w.value AND ($2 = '' OR u.app = $2)
    ORDER BY u.app, u.userid, u.device
);

-- name: app_users_named
SELECT json_group_array(json_array(app, userid, device, customer, handle, token, system, active,
    verified, gone, since, json(attributes), created, updated))
FROM (
    SELECT u.* FROM json_each($3) AS w CROSS JOIN app_users AS u
    WHERE u.tenant = $1 AND u.app = $2 AND u.userid = w.value
    ORDER BY u.userid, u.device
);

-- name: app_users_with_tokens
SELECT json_group_array(json_array(app, userid, device, customer, handle, token, system, active,
    verified, gone, since, json(attributes), created, updated))
FROM (
    SELECT u.* FROM json_each($3) AS w CROSS JOIN app_users AS u
    WHERE u.tenant = $1 AND u.app = $2 AND u.token <> '' AND u.token = w.value
    ORDER BY u.userid, u.device
);

-- name: app_users_after
SELECT json_group_array(json_array(app, userid, device, customer, handle, token, system, active,
    verified, gone, since, json(attributes), created, updated))
FROM (
    SELECT * FROM app_users WHERE tenant = $1 AND app = $2 AND (userid, device) > ($3, $4)
    ORDER BY userid, device LIMIT $5
);
