-- What buyers are shown behind a signed link, and what they say there.

-- Only where a link was revoked: the version that tokens carry since. Without a row it is 0.
CREATE TABLE buyer_link (
    order_id bigint PRIMARY KEY REFERENCES orders ON DELETE CASCADE,
    shop_id bigint NOT NULL,
    version int NOT NULL CHECK (version BETWEEN 1 AND 65535),
    revoked_at timestamptz NOT NULL
);
CALL hold_by_shop('buyer_link');

-- Tries at the phone's last four digits. Machine time, for it guards people, whatever speed business time runs at.
CREATE TABLE buyer_gate (
    order_id bigint PRIMARY KEY REFERENCES orders ON DELETE CASCADE,
    shop_id bigint NOT NULL,
    tries int NOT NULL, -- in the hour that began then
    began_at timestamptz NOT NULL,
    wrong int NOT NULL -- in all, until one was right
);
CALL hold_by_shop('buyer_gate');

-- What a buyer said, each thing once. Their own words are sealed under their own key, so that erasing takes them too.
CREATE TABLE buyer_word (
    id bigint PRIMARY KEY,
    shop_id bigint NOT NULL,
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    parcel_id bigint REFERENCES parcel ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('received', 'missing', 'damaged', 'address')),
    content_hash bytea NOT NULL, -- keyed: the same thing said again is nothing new
    key_id bigint REFERENCES vault_key,
    sealed bytea,
    said_at timestamptz NOT NULL,
    UNIQUE (order_id, kind, content_hash)
);
CREATE INDEX buyer_word_parcel ON buyer_word (parcel_id) WHERE parcel_id IS NOT NULL;
CALL hold_by_shop('buyer_word');
