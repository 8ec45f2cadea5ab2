-- What people at the workbench ask of carriers and shops for a ticket, and the views of the queue they keep.

-- Asked of a carrier or a shop; settled by what is scanned or by a person. Its text may name people: it is sealed under
-- the receiver's own key, so that erasing the receiver erases it.
CREATE TABLE care_wish (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id bigint NOT NULL REFERENCES ticket ON DELETE CASCADE,
    shop_id bigint NOT NULL,
    parcel_id bigint REFERENCES parcel,
    order_id bigint NOT NULL REFERENCES orders,
    kind text NOT NULL CHECK (kind IN ('urge', 'intercept', 'readdress', 'reship', 'refund', 'claim')),
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'confirmed', 'refused')),
    amount_fen bigint CHECK (amount_fen > 0),
    key_id bigint REFERENCES vault_key,
    sealed bytea NOT NULL DEFAULT '',
    actor text NOT NULL,
    asked_at timestamptz NOT NULL,
    settled_at timestamptz,
    settled_by text NOT NULL DEFAULT '', -- empty: by what the carrier scanned
    CHECK ((state = 'asked') = (settled_at IS NULL))
);
CREATE INDEX care_wish_ticket ON care_wish (ticket_id, id);
CREATE INDEX care_wish_order ON care_wish (order_id);
-- One thing is asked once at a time.
CREATE UNIQUE INDEX care_wish_once ON care_wish (order_id, COALESCE(parcel_id, 0), kind) WHERE state = 'asked';
-- What a movement of a parcel may settle.
CREATE INDEX care_wish_intercept ON care_wish (parcel_id) WHERE state = 'asked' AND kind = 'intercept';
CALL hold_by_shop('care_wish');

-- Filters of the queue under a name, each person's own. `filters` is the query of the address.
CREATE TABLE care_view (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor text NOT NULL,
    name text NOT NULL,
    filters text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (actor, name)
);
