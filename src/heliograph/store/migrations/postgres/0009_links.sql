-- Where each link of a call leads, by the first ordinal of its message and its number there, until it ends (Unix ms).
CREATE TABLE links (
    request bigint NOT NULL,
    first bigint NOT NULL,
    number bigint NOT NULL,
    tenant text NOT NULL,
    label text NOT NULL,
    url text NOT NULL,
    ios text NOT NULL,
    android text NOT NULL,
    expired text NOT NULL,
    until bigint NOT NULL,
    PRIMARY KEY (request, first, number)
);

-- Who clicked: one row per destination and link.
CREATE TABLE clicks (
    request bigint NOT NULL,
    ordinal bigint NOT NULL,
    number bigint NOT NULL,
    first_at bigint NOT NULL,
    clicks bigint NOT NULL,
    PRIMARY KEY (request, ordinal, number)
);
