-- Rules at work: one row per rule that follows from an occurrence. States: 0 something is to be done at `due`, 1 it
-- waits for a message, 2 it ended, 3 something in it failed, 4 it was refused. `until` is 0 while a process has it in
-- hand; `log` is a list with an entry per step.
CREATE TABLE runs (
    id bigint PRIMARY KEY,
    occurrence bigint NOT NULL,
    tenant text NOT NULL,
    service text NOT NULL,
    rule text NOT NULL,
    digest text NOT NULL,
    at bigint NOT NULL,
    state smallint NOT NULL,
    step integer NOT NULL,
    turn integer NOT NULL,
    tries integer NOT NULL,
    awaits bigint NOT NULL,
    until bigint NOT NULL,
    due bigint NOT NULL,
    updated bigint NOT NULL,
    log text NOT NULL
);
CREATE INDEX runs_due ON runs (due) WHERE state < 2;
CREATE INDEX runs_occurrence ON runs (occurrence);

-- The wordings of rules, so that a run ends by the rule it began with.
CREATE TABLE rule_texts (
    tenant text NOT NULL,
    digest text NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (tenant, digest)
);
