-- Destinations that a tenant with a limit for the day has used.

CREATE TABLE usage (
    tenant TEXT NOT NULL,
    day INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (tenant, day)
) STRICT, WITHOUT ROWID;
