-- What is kept of a person in messages. An address is compared by its ending, without blanks and signs; who asks
-- looks at the whole of it.

-- name: traces
WITH part AS (SELECT id FROM requests WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3)
SELECT json_array(coalesce((SELECT max(id) FROM part), 0), (
    SELECT json_group_array(json_array(t.request, t.ordinal, t.element, t.kind, t.destination, t.state < 40))
    FROM part CROSS JOIN transactions AS t
    WHERE t.request = part.id AND EXISTS (
        SELECT 1 FROM json_each($4) AS e
        WHERE substr(replace(replace(replace(replace(replace(replace(replace(t.destination, ' ', ''), '-', ''), '(', ''),
            ')', ''), '+', ''), char(9), ''), char(160), ''), -length(e.value)) = e.value
    )
));

-- name: elements_left
SELECT json_group_array(json_array(request, element, n)) FROM (
    SELECT request, element, count(*) AS n FROM transactions
    WHERE request IN (SELECT value FROM json_each($1)) AND destination <> $2 GROUP BY request, element
);

-- name: inbound_traces
SELECT json_group_array(json_array(i.id, i.sender)) FROM inbound AS i WHERE i.tenant = $1 AND EXISTS (
    SELECT 1 FROM json_each($2) AS e
    WHERE substr(replace(replace(i.sender, '+', ''), ' ', ''), -length(e.value)) = e.value
);

-- name: unmatched_traces
SELECT json_group_array(json_array(r.id, r.destination)) FROM receipts AS r
WHERE r.request = 0 AND r.ordinal = 0 AND substr(r.connector, 1, length($1)) = $1 AND EXISTS (
    SELECT 1 FROM json_each($2) AS e
    WHERE substr(replace(replace(r.destination, '+', ''), ' ', ''), -length(e.value)) = e.value
);

-- name: erase_transactions
UPDATE transactions SET destination = c.value ->> 2, correlation = '', detail = ''
FROM json_each($1) AS c WHERE request = c.value ->> 0 AND ordinal = c.value ->> 1;

-- name: erase_told
DELETE FROM story WHERE (request, ordinal) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1));
DELETE FROM devices WHERE (request, ordinal) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1));
UPDATE receipts SET destination = '', detail = '', raw = ''
WHERE (request, ordinal) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1));
UPDATE notices SET detail = '', body = ''
WHERE (request, ordinal) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1));

-- name: erase_contents
UPDATE requests SET messages = c.value ->> 1 FROM json_each($1) AS c WHERE requests.id = c.value ->> 0;

-- name: erase_inbound
DELETE FROM inbound WHERE id IN (SELECT value FROM json_each($1));
DELETE FROM notices WHERE request = 0 AND ordinal = 0 AND id IN (SELECT value FROM json_each($1));

-- name: erase_unmatched
DELETE FROM receipts WHERE request = 0 AND ordinal = 0 AND id IN (SELECT value FROM json_each($1));

-- name: erase_jobs
DELETE FROM profile_jobs WHERE tenant = $1 AND state > 0 AND EXISTS (
    SELECT 1 FROM json_each($2) AS e WHERE instr(outcome, e.value) > 0
);
