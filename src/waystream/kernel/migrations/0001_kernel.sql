-- The machine: event log with its sequencer, rule cursors, jobs, keys, idempotent replies, audit.
-- Business instants come in as parameters; only leases and job due times use the machine's clock.

-- Rows of one shop are seen by the page role only when the transaction names the shop ('*' for every shop).
-- STABLE and inlined, so that the setting is read once for a statement and shop_id can use an index.
CREATE FUNCTION seen_shops() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN current_setting('waystream.shops', true) IN ('*', '') THEN '{}'::bigint[]
                ELSE string_to_array(current_setting('waystream.shops', true), ',')::bigint[] END
$$;

CREATE FUNCTION sees_every_shop() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT current_setting('waystream.shops', true) IS NOT DISTINCT FROM '*'
$$;

-- Called for every table that belongs to a shop; an invariant checks that none was forgotten. Shop 0 is nobody's:
-- the rows of the machine itself (a printer's queue, a sweep).
CREATE PROCEDURE hold_by_shop(held regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', held);
    EXECUTE format('CREATE POLICY machine ON %s TO waystream_machine USING (true) WITH CHECK (true)', held);
    EXECUTE format('CREATE POLICY page ON %s TO waystream_page
        USING (shop_id = 0 OR (SELECT sees_every_shop()) OR shop_id = ANY ((SELECT seen_shops())::bigint[]))
        WITH CHECK (shop_id = 0 OR (SELECT sees_every_shop()) OR shop_id = ANY ((SELECT seen_shops())::bigint[]))', held);
END
$$;

ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO waystream_machine, waystream_page;
-- Made by the runner before any file is applied; `waystream doctor` reads the schema's version there.
GRANT SELECT ON migration TO waystream_machine, waystream_page;
ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO waystream_machine, waystream_page;

CREATE TABLE event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    shop_id bigint NOT NULL,
    name text NOT NULL,
    subject text NOT NULL,
    body jsonb NOT NULL,
    cause text NOT NULL DEFAULT ''
);
CREATE INDEX event_subject ON event (subject, id);
CALL hold_by_shop('event');

-- Committed events without a position yet; only the sequencer deletes here.
CREATE TABLE event_new (event_id bigint PRIMARY KEY);

CREATE TABLE log (
    position bigint PRIMARY KEY,
    event_id bigint NOT NULL UNIQUE
);

-- One row: its lock makes the sequencer the only one, its value survives a log that was pruned.
CREATE TABLE sequencer (one boolean PRIMARY KEY DEFAULT true CHECK (one), position bigint NOT NULL);
INSERT INTO sequencer (position) VALUES (0);

CREATE TABLE rule_cursor (
    rule text PRIMARY KEY,
    position bigint NOT NULL,
    moved_at timestamptz NOT NULL,
    halted text NOT NULL DEFAULT ''
);

CREATE TABLE parked (
    rule text NOT NULL,
    event_id bigint NOT NULL,
    subject text NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL,
    PRIMARY KEY (rule, event_id)
);
CREATE INDEX parked_subject ON parked (rule, subject, event_id);

CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    shop_id bigint NOT NULL,
    key text NOT NULL,
    subject text NOT NULL,
    args jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'running', 'done', 'given_up')),
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    leased_until timestamptz,
    attempts int NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);
CREATE INDEX job_due ON job (kind, due_at) WHERE state = 'ready';
CREATE INDEX job_leased ON job (leased_until) WHERE state = 'running';
CREATE INDEX job_done ON job (finished_at) WHERE state = 'done';
CREATE INDEX job_given_up ON job (finished_at) WHERE state = 'given_up';
CREATE INDEX job_subject ON job (subject);
-- One unfinished job for one thing: enqueueing it again is a no-op.
CREATE UNIQUE INDEX job_once ON job (kind, key) WHERE state IN ('ready', 'running');
CALL hold_by_shop('job');

CREATE TABLE vault_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('person', 'day')),
    day date,
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    CHECK ((purpose = 'day') = (day IS NOT NULL))
);
CREATE UNIQUE INDEX vault_key_day ON vault_key (day) WHERE purpose = 'day';

-- The reply to a POST is stored in the transaction of its effect, so a repeated key gets the first answer.
CREATE TABLE idempotent_reply (
    caller text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status int NOT NULL,
    key_id bigint NOT NULL REFERENCES vault_key,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotent_reply_age ON idempotent_reply (created_at);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    shop_id bigint,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_at ON audit (at DESC, id DESC);
-- /audit by thing, by person, by action.
CREATE INDEX audit_subject ON audit (subject, at DESC, id DESC);
CREATE INDEX audit_actor ON audit (actor, at DESC, id DESC);
CREATE INDEX audit_action ON audit (action, at DESC, id DESC);
-- An audit line is never changed or removed by the application.
REVOKE UPDATE, DELETE ON audit FROM waystream_machine, waystream_page;
