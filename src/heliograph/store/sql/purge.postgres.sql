-- Old requests with all that belongs to them, where a day cannot be dropped whole: in the partitions for the rest,
-- and on days that still have an open request. Submissions of such go with their partition, or by their native ids.

-- name: purge
WITH old AS MATERIALIZED (
    SELECT id FROM requests WHERE id < $1 AND remaining = 0 ORDER BY id LIMIT $2
), old_submissions AS (
    DELETE FROM submissions AS s
    USING (
        SELECT t.request, t.connector, n.native_id FROM transactions AS t, json_array_elements_text(t.natives::json)
            AS n (native_id)
        WHERE t.request = ANY(ARRAY(SELECT id FROM old)) AND t.natives <> ''
    ) AS k
    WHERE s.connector = k.connector AND s.native_id = k.native_id AND s.request = k.request
), old_sent AS (
    DELETE FROM threads WHERE request = ANY(ARRAY(SELECT id FROM old))
), old_devices AS (
    DELETE FROM devices WHERE request = ANY(ARRAY(SELECT id FROM old))
), old_receipts AS (
    DELETE FROM receipts WHERE request = ANY(ARRAY(SELECT id FROM old))
), old_story AS (
    DELETE FROM story WHERE request = ANY(ARRAY(SELECT id FROM old))
), old_notices AS (
    DELETE FROM notices WHERE request = ANY(ARRAY(SELECT id FROM old))
), old_transactions AS (
    DELETE FROM transactions WHERE request = ANY(ARRAY(SELECT id FROM old))
), loose_receipts AS (
    DELETE FROM receipts WHERE request = 0 AND ordinal = 0 AND id < $1
), loose_notices AS (
    DELETE FROM notices WHERE request = 0 AND ordinal = 0 AND id < $1
), old_inbound AS (
    DELETE FROM inbound WHERE id < $1
), old_parked AS (
    DELETE FROM parked AS p
    WHERE p.request < $1 AND NOT EXISTS (SELECT 1 FROM requests AS r WHERE r.id = p.request AND r.remaining > 0)
), old_came AS (
    DELETE FROM came WHERE id < $1
)
DELETE FROM requests WHERE id = ANY(ARRAY(SELECT id FROM old));

-- name: purge_kept_answers
DELETE FROM kept_answers
WHERE request IN (SELECT request FROM kept_answers WHERE request < $1 ORDER BY request LIMIT $2);
