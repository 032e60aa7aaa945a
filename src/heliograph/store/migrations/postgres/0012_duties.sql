-- Which process has which duty, until when (Unix ms); 0 is given back.
CREATE TABLE leases (
    until bigint NOT NULL,
    name text COLLATE "C" PRIMARY KEY,
    owner text NOT NULL
);

-- Limits by the second that processes share: what is left in a bucket (thousandths), and when that was so (Unix ms).
CREATE TABLE buckets (
    at bigint NOT NULL,
    level bigint NOT NULL,
    name text COLLATE "C" PRIMARY KEY
);

-- Short-lived credentials, sealed, and when each must be replaced (Unix ms).
CREATE TABLE tokens (
    expires bigint NOT NULL,
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);
