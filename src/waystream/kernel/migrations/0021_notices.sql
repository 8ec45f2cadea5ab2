-- Notices: what buyers are told, in which words, and who wants to hear nothing. Names, numbers and texts are sealed.

-- How a shop speaks to its buyers. Without a row it does not. Minutes are of the receiver's day.
CREATE TABLE notice_policy (
    shop_id bigint PRIMARY KEY REFERENCES shop,
    enabled boolean NOT NULL,
    kinds_off text[] NOT NULL,
    channels text[] NOT NULL, -- names, the preferred first; what is not named comes after
    quiet_from_min smallint NOT NULL CHECK (quiet_from_min BETWEEN 0 AND 1439),
    quiet_until_min smallint NOT NULL CHECK (quiet_until_min BETWEEN 0 AND 1439),
    zone text NOT NULL,
    per_order_day smallint NOT NULL CHECK (per_order_day BETWEEN 1 AND 20),
    per_person_day smallint NOT NULL CHECK (per_person_day BETWEEN 1 AND 20),
    gather_s int NOT NULL CHECK (gather_s BETWEEN 0 AND 3600),
    language text NOT NULL CHECK (language IN ('zh', 'en')),
    changed_at timestamptz NOT NULL
);
CALL hold_by_shop('notice_policy');

-- One message to one buyer: planned -> sending -> handed -> delivered | refused | dropped. Written again before each
-- call to the outside, so that a crash leaves `sending`, and nobody says it twice.
CREATE TABLE notice (
    id bigint PRIMARY KEY, -- time-ordered
    shop_id bigint NOT NULL REFERENCES shop,
    order_id bigint NOT NULL REFERENCES orders,
    kind text NOT NULL,
    letter_id text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', '') UNIQUE, -- what the outside knows it by
    state text NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'sending', 'handed', 'delivered', 'refused', 'dropped')),
    actor text NOT NULL DEFAULT '', -- the person who said it; empty: a rule
    again_of bigint REFERENCES notice, -- a person had this one said once more
    urgent boolean NOT NULL DEFAULT false, -- a person wants it said at night, too
    planned_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL, -- business time: not before
    queued boolean NOT NULL DEFAULT false, -- a job has it
    composed_at timestamptz, -- the state of things it was made from
    handed_at timestamptz,
    ended_at timestamptz,
    channel text NOT NULL DEFAULT '',
    refused_by text[] NOT NULL DEFAULT '{}', -- channels that will not take it
    receipt text NOT NULL DEFAULT '', -- what the channel calls it
    language text NOT NULL DEFAULT '',
    to_mask text NOT NULL DEFAULT '',
    to_hash bytea, -- keyed: whom it went to, for limits
    why text NOT NULL DEFAULT '', -- dropped or refused: the word of the reason
    said text NOT NULL DEFAULT '', -- the channel's own words
    doubted_at timestamptz, -- handed over without an answer: it may have been said
    key_id bigint REFERENCES vault_key, -- the receiver's own: erasing the person erases what was said
    sealed bytea NOT NULL DEFAULT '',
    CHECK ((state IN ('refused', 'dropped')) = (why <> '')),
    CHECK (sealed = '' OR key_id IS NOT NULL)
);
CREATE INDEX notice_due ON notice (due_at, id) WHERE state = 'planned' AND NOT queued;
-- What happens to an order within the gathering time becomes one message.
CREATE UNIQUE INDEX notice_gathering ON notice (order_id, kind) WHERE state = 'planned' AND actor = '';
CREATE INDEX notice_order ON notice (order_id, id);
CREATE INDEX notice_told ON notice (shop_id, to_hash, composed_at) WHERE to_hash IS NOT NULL;
CREATE INDEX notice_receipt ON notice (channel, receipt) WHERE receipt <> '';
-- /notices: newest first, whole or by state, kind, channel.
CREATE INDEX notice_listed ON notice (shop_id, id DESC);
CREATE INDEX notice_by_state ON notice (shop_id, state, id DESC);
CREATE INDEX notice_by_kind ON notice (shop_id, kind, id DESC);
CREATE INDEX notice_by_channel ON notice (shop_id, channel, id DESC) WHERE channel <> '';
CREATE INDEX notice_doubted ON notice (shop_id, id DESC) WHERE state = 'sending' AND doubted_at IS NOT NULL;
CALL hold_by_shop('notice');

-- What a message is about. The key is what makes it said once: a parcel (0: the whole order), a kind, an attempt.
CREATE TABLE notice_thing (
    order_id bigint NOT NULL REFERENCES orders,
    parcel_id bigint NOT NULL,
    kind text NOT NULL,
    nth bigint NOT NULL,
    shop_id bigint NOT NULL,
    notice_id bigint NOT NULL REFERENCES notice ON DELETE CASCADE,
    at timestamptz NOT NULL, -- when it happened
    detail text NOT NULL DEFAULT '', -- a word of the cause, where one is known
    because text NOT NULL DEFAULT '',
    PRIMARY KEY (parcel_id, order_id, kind, nth)
);
CREATE INDEX notice_thing_notice ON notice_thing (notice_id);
CALL hold_by_shop('notice_thing');

-- A shop's own words for a kind; the newest version counts, none is ever changed.
CREATE TABLE notice_template (
    shop_id bigint NOT NULL REFERENCES shop,
    kind text NOT NULL,
    language text NOT NULL CHECK (language IN ('zh', 'en')),
    version int NOT NULL,
    subject text NOT NULL,
    text text NOT NULL,
    is_default boolean NOT NULL DEFAULT false, -- Waystream's own words, whatever they become
    at timestamptz NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (shop_id, kind, language, version)
);
CALL hold_by_shop('notice_template');

-- Who wants no messages of a kind, or none at all (kind empty): a keyed hash of the phone or e-mail address.
CREATE TABLE notice_optout (
    shop_id bigint NOT NULL REFERENCES shop,
    hash bytea NOT NULL,
    kind text NOT NULL DEFAULT '',
    mask text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (shop_id, hash, kind)
);
CALL hold_by_shop('notice_optout');
