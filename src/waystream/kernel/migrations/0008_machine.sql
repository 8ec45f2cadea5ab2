-- The machine seen and mended: what led to a job, what was asked of rules, how the machine did in the last hours.

-- What made the job necessary: `event:ID/DEPTH` of the event a rule digested; empty where a person or a sweep asked.
ALTER TABLE job ADD COLUMN cause text NOT NULL DEFAULT '';

-- What a person asked of a rule, and what came of it. Work that takes long is done by a job, by whichever process runs
-- jobs; the page only writes the row.
CREATE TABLE rule_request (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule text NOT NULL,
    wish text NOT NULL CHECK (wish IN ('retry', 'skip', 'resume', 'replay', 'dry_run')),
    from_position bigint, -- of a replay: the first position it reads again
    upto_position bigint,
    actor text NOT NULL,
    reason text NOT NULL DEFAULT '',
    asked_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'done', 'failed')),
    ended_at timestamptz,
    events bigint NOT NULL DEFAULT 0, -- digested, or read again
    undigested bigint NOT NULL DEFAULT 0, -- still parked, or would be
    emitted bigint NOT NULL DEFAULT 0, -- of a dry run: events it would emit
    enqueued bigint NOT NULL DEFAULT 0, -- and jobs it would ask for
    error text NOT NULL DEFAULT ''
);
CREATE INDEX rule_request_of_rule ON rule_request (rule, id DESC);

-- How the machine did, every few seconds for some hours, on the machine's clock: one row of the database as a whole
-- (source 'database'), one of each process that took pushes. Charts of /machine are drawn from it.
CREATE TABLE machine_sample (
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    source text NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (at, source)
);

-- When each carrier was heard through each aggregator, by day: its usual silence tells when it is quiet.
CREATE TABLE carrier_heard (
    aggregator_id bigint NOT NULL REFERENCES aggregator,
    carrier text NOT NULL,
    day date NOT NULL,
    pushes bigint NOT NULL,
    last_at timestamptz NOT NULL,
    longest_gap_s float8 NOT NULL,
    PRIMARY KEY (carrier, aggregator_id, day)
);
