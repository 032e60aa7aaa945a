-- What is kept of a person in messages. An address is compared by its ending, without blanks and signs; who asks
-- looks at the whole of it.

-- name: traces
WITH part AS MATERIALIZED (SELECT id FROM requests WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3)
SELECT json_build_array(coalesce((SELECT max(id) FROM part), 0), (
    SELECT coalesce(json_agg(json_build_array(t.request, t.ordinal, t.element, t.kind, t.destination,
        (t.state < 40)::int) ORDER BY t.request, t.ordinal), '[]')
    FROM part JOIN transactions AS t ON t.request = part.id
    WHERE EXISTS (
        SELECT 1 FROM unnest($4::text[]) AS e (ending)
        WHERE right(translate(t.destination, E' -()+\t\u00a0', ''), length(e.ending)) = e.ending
    )
))::text;

-- name: elements_left
SELECT coalesce(json_agg(json_build_array(request, element, n)), '[]')::text FROM (
    SELECT request, element, count(*) AS n FROM transactions
    WHERE request = ANY($1::bigint[]) AND destination <> $2 GROUP BY request, element
) AS t;

-- name: inbound_traces
SELECT coalesce(json_agg(json_build_array(i.id, i.sender)), '[]')::text FROM inbound AS i
WHERE i.tenant = $1 AND EXISTS (
    SELECT 1 FROM unnest($2::text[]) AS e (ending)
    WHERE right(translate(i.sender, '+ ', ''), length(e.ending)) = e.ending
);

-- name: unmatched_traces
SELECT coalesce(json_agg(json_build_array(r.id, r.destination)), '[]')::text FROM receipts AS r
WHERE r.request = 0 AND r.ordinal = 0 AND left(r.connector, length($1)) = $1 AND EXISTS (
    SELECT 1 FROM unnest($2::text[]) AS e (ending)
    WHERE right(translate(r.destination, '+ ', ''), length(e.ending)) = e.ending
);

-- name: erase_transactions
UPDATE transactions AS t SET destination = c.word, correlation = '', detail = ''
FROM unnest($1::bigint[], $2::integer[], $3::text[]) AS c (request, ordinal, word)
WHERE t.request = c.request AND t.ordinal = c.ordinal;

-- name: erase_told
WITH c AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::integer[]) AS c (request, ordinal)
), told AS (
    DELETE FROM story AS s USING c WHERE s.request = c.request AND s.ordinal = c.ordinal
), reached AS (
    DELETE FROM devices AS d USING c WHERE d.request = c.request AND d.ordinal = c.ordinal
), received AS (
    UPDATE receipts AS r SET destination = '', detail = '', raw = ''
    FROM c WHERE r.request = c.request AND r.ordinal = c.ordinal
)
UPDATE notices AS n SET detail = '', body = '' FROM c WHERE n.request = c.request AND n.ordinal = c.ordinal;

-- name: erase_contents
UPDATE requests AS r SET messages = c.messages FROM unnest($1::bigint[], $2::text[]) AS c (id, messages)
WHERE r.id = c.id;

-- name: erase_inbound
WITH told AS (
    DELETE FROM notices WHERE request = 0 AND ordinal = 0 AND id = ANY($1::bigint[])
)
DELETE FROM inbound WHERE id = ANY($1::bigint[]);

-- name: erase_unmatched
DELETE FROM receipts WHERE request = 0 AND ordinal = 0 AND id = ANY($1::bigint[]);

-- name: erase_jobs
DELETE FROM profile_jobs WHERE tenant = $1 AND state > 0 AND EXISTS (
    SELECT 1 FROM unnest($2::text[]) AS e (name) WHERE position(e.name IN outcome) > 0
);
