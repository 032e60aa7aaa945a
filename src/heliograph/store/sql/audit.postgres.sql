-- Who did what.

-- name: insert_audit
INSERT INTO audit (id, at, tenant, actor, action, object, detail)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]);

-- name: audit_before
SELECT coalesce(json_agg(json_build_array(id, at, tenant, actor, action, object, detail::json) ORDER BY id DESC), '[]')::text
FROM (
    SELECT * FROM audit WHERE id < $1 AND ($2 = '' OR tenant = $2) AND ($3 = '' OR action = $3)
    ORDER BY id DESC LIMIT $4
) AS d;
