-- The declared workspace and its keys.

-- name: record_keys
INSERT INTO service_keys (hash, created, used)
SELECT hash, $2::bigint, 0 FROM unnest($1::text[]) AS c (hash) ON CONFLICT DO NOTHING;

-- name: drop_keys
DELETE FROM service_keys WHERE hash <> ALL($1::text[]);

-- name: use_keys
INSERT INTO service_keys (hash, created, used)
SELECT hash, 0, used FROM unnest($1::text[], $2::bigint[]) AS c (hash, used) ORDER BY hash
ON CONFLICT (hash) DO UPDATE SET used = greatest(service_keys.used, excluded.used);

-- name: service_keys
SELECT coalesce(json_agg(json_build_array(hash, created, used)), '[]')::text
FROM service_keys WHERE hash = ANY($1::text[]);

-- name: load_workspace
SELECT coalesce(json_agg(json_build_array(version, encode(document, 'hex'))), '[]')::text FROM workspace;

-- name: workspace_version
SELECT json_build_array(coalesce(max(version), 0))::text FROM workspace;
