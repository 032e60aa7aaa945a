-- The declared workspace.

-- name: save_workspace
INSERT INTO workspace (id, version, document) VALUES (1, $1, $2)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, document = excluded.document
WHERE workspace.version = excluded.version - 1;
