-- Who did what.

-- name: insert_audit
INSERT INTO audit (id, at, tenant, actor, action, object, detail)
VALUES :rows;

-- name: audit_before
SELECT json_group_array(json_array(id, at, tenant, actor, action, object, json(detail))) FROM (
    SELECT * FROM audit WHERE id < $1 AND ($2 = '' OR tenant = $2) AND ($3 = '' OR action = $3)
    ORDER BY id DESC LIMIT $4
);
