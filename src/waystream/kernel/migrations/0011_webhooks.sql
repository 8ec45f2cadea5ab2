-- Webhooks: who is told what happens in a shop, and one row for each thing told.

-- An address of a shop's own system. `failures`, `failing_since` and `rests_until` are the machine's clock.
CREATE TABLE webhook_endpoint (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id bigint NOT NULL REFERENCES shop,
    url text NOT NULL,
    description text NOT NULL DEFAULT '',
    wanted text[] NOT NULL CHECK (cardinality(wanted) > 0),
    secret_sealed bytea NOT NULL,
    old_secret_sealed bytea,
    old_secret_until timestamptz,
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    disabled_why text NOT NULL DEFAULT '' CHECK (disabled_why IN ('', 'person', 'gone', 'failing')),
    failures int NOT NULL DEFAULT 0,
    failing_since timestamptz,
    rests_until timestamptz,
    CHECK ((disabled_at IS NULL) = (disabled_why = '')),
    CHECK ((failures = 0) = (failing_since IS NULL)),
    CHECK ((old_secret_sealed IS NULL) = (old_secret_until IS NULL))
);
CREATE INDEX webhook_endpoint_shop ON webhook_endpoint (shop_id);
CALL hold_by_shop('webhook_endpoint');

-- One event for one endpoint; without an event it is a test. The message id is random and stays through every attempt.
-- `attempts` only grows and names the lease; `attempts_before` is where a replay began to count.
CREATE TABLE webhook_delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id bigint NOT NULL REFERENCES webhook_endpoint ON DELETE CASCADE,
    shop_id bigint NOT NULL,
    event_id bigint,
    message_id text NOT NULL DEFAULT 'msg_' || replace(gen_random_uuid()::text, '-', ''),
    type text NOT NULL,
    at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'delivered', 'given_up')),
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    leased_until timestamptz,
    attempts int NOT NULL DEFAULT 0,
    attempts_before int NOT NULL DEFAULT 0,
    tried_at timestamptz,
    status int,
    said text NOT NULL DEFAULT '',
    UNIQUE (endpoint_id, event_id)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, due_at) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_sending ON webhook_delivery (endpoint_id, leased_until) WHERE state = 'sending';
CREATE INDEX webhook_delivery_log ON webhook_delivery (endpoint_id, at DESC, id DESC);
CREATE INDEX webhook_delivery_age ON webhook_delivery (at);
CALL hold_by_shop('webhook_delivery');

-- A replay asks for the events of some days; they lie in the order of time, so a block range index is enough.
CREATE INDEX event_at ON event USING brin (at) WITH (autosummarize = on);
