-- To which devices a message to a user went, by the part that receipts speak of; notices of one have small ids.
CREATE TABLE devices (
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    part INTEGER NOT NULL,
    kind TEXT NOT NULL,
    token TEXT NOT NULL,
    device TEXT NOT NULL,
    PRIMARY KEY (request, ordinal, part)
) STRICT, WITHOUT ROWID;
