-- Rules at work: one row per rule that follows from an occurrence. States: 0 something is to be done at `due`, 1 it
-- waits for a message, 2 it ended, 3 something in it failed, 4 it was refused. `until` is 0 while a process has it in
-- hand; `log` is a list with an entry per step.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    occurrence INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    service TEXT NOT NULL,
    rule TEXT NOT NULL,
    digest TEXT NOT NULL,
    at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    step INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    awaits INTEGER NOT NULL,
    until INTEGER NOT NULL,
    due INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    log TEXT NOT NULL
) STRICT;
CREATE INDEX runs_due ON runs (due) WHERE state < 2;
CREATE INDEX runs_occurrence ON runs (occurrence);

-- The wordings of rules, so that a run ends by the rule it began with.
CREATE TABLE rule_texts (
    tenant TEXT NOT NULL,
    digest TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT, WITHOUT ROWID;
