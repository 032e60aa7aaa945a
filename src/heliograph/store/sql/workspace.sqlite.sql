-- The declared workspace and its keys.

-- name: record_keys
INSERT OR IGNORE INTO service_keys (hash, created, used) SELECT value, $2, 0 FROM json_each($1);

-- name: drop_keys
DELETE FROM service_keys WHERE hash NOT IN (SELECT value FROM json_each($1));

-- name: use_keys
INSERT INTO service_keys (hash, created, used)
SELECT c.value ->> 0, 0, c.value ->> 1 FROM json_each($1) AS c WHERE true
ON CONFLICT (hash) DO UPDATE SET used = max(used, excluded.used);

-- name: service_keys
SELECT json_group_array(json_array(k.hash, k.created, k.used))
FROM json_each($1) AS c JOIN service_keys AS k ON k.hash = c.value;

-- name: load_workspace
SELECT json_group_array(json_array(version, hex(document))) FROM workspace;

-- name: workspace_version
SELECT json_array(coalesce(max(version), 0)) FROM workspace;
