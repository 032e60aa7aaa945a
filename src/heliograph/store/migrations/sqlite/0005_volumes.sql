-- Limits of weeks and months, of services and channels: counts by scope and span of the calendar, until it ends
-- (Unix milliseconds). What was counted by day goes on.
CREATE TABLE volumes (
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    until INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (scope, period)
) STRICT, WITHOUT ROWID;
INSERT INTO volumes SELECT tenant, 'd' || day, (day + 1) * 86400000, used FROM usage;
