-- Destinations that a tenant with a limit for the day has used.
CREATE TABLE usage (
    tenant text NOT NULL,
    day bigint NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (tenant, day)
);
