-- To which devices a message to a user went, by the part that receipts speak of; notices of one have small ids.
CREATE TABLE devices (
    request bigint NOT NULL,
    ordinal integer NOT NULL,
    part integer NOT NULL,
    kind text NOT NULL,
    token text NOT NULL,
    device text NOT NULL,
    PRIMARY KEY (request, ordinal, part)
) PARTITION BY RANGE (request);
CREATE TABLE devices_rest PARTITION OF devices DEFAULT;
