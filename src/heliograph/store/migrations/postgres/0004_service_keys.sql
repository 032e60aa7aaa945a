-- When service keys were made and last used.
CREATE TABLE service_keys (
    hash text PRIMARY KEY,
    created bigint NOT NULL,
    used bigint NOT NULL
);
