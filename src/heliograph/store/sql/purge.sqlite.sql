-- Old requests with all that belongs to them.

-- name: purge
DELETE FROM temp.old;
INSERT INTO temp.old
SELECT id FROM requests WHERE id < $1 AND remaining = 0 ORDER BY id LIMIT $2;
DELETE FROM submissions WHERE (connector, native_id) IN (
    SELECT t.connector, n.value FROM transactions AS t, json_each(t.natives) AS n
    WHERE t.request IN (SELECT id FROM temp.old) AND t.natives <> ''
) AND request IN (SELECT id FROM temp.old);
DELETE FROM threads WHERE request IN (SELECT id FROM temp.old);
DELETE FROM devices WHERE request IN (SELECT id FROM temp.old);
DELETE FROM receipts WHERE request IN (SELECT id FROM temp.old);
DELETE FROM story WHERE request IN (SELECT id FROM temp.old);
DELETE FROM notices WHERE request IN (SELECT id FROM temp.old);
DELETE FROM transactions WHERE request IN (SELECT id FROM temp.old);
DELETE FROM receipts WHERE request = 0 AND ordinal = 0 AND id < $1;
DELETE FROM notices WHERE request = 0 AND ordinal = 0 AND id < $1;
DELETE FROM inbound WHERE id < $1;
DELETE FROM came WHERE id < $1;
DELETE FROM parked WHERE request < $1
AND NOT EXISTS (SELECT 1 FROM requests AS r WHERE r.id = parked.request AND r.remaining > 0);
DELETE FROM requests WHERE id IN (SELECT id FROM temp.old);

-- name: purge_kept_answers
DELETE FROM kept_answers
WHERE request IN (SELECT request FROM kept_answers WHERE request < $1 ORDER BY request LIMIT $2);
