-- Limits of weeks and months, of services and channels: counts by scope and span of the calendar, until it ends
-- (Unix milliseconds). What was counted by day goes on.
CREATE TABLE volumes (
    scope text NOT NULL,
    period text NOT NULL,
    until bigint NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (scope, period)
);
INSERT INTO volumes SELECT tenant, 'd' || day, (day + 1) * 86400000, used FROM usage;
