-- What shops sold: catalogue, warehouses, people behind orders (sealed), orders and their lines.

CREATE TABLE printer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    uri text NOT NULL,
    dpi int NOT NULL DEFAULT 203 CHECK (dpi BETWEEN 100 AND 1200),
    label_size text NOT NULL DEFAULT '100x180' CHECK (label_size IN ('100x180', '76x130')),
    state text NOT NULL DEFAULT 'unknown' CHECK (state IN ('unknown', 'ready', 'offline')),
    said text NOT NULL DEFAULT '',
    seen_at timestamptz,
    disabled_at timestamptz
);

CREATE TABLE warehouse (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    province text NOT NULL,
    city text NOT NULL,
    district text NOT NULL,
    -- the sender's name, phone and street: sealed like a person's
    key_id bigint NOT NULL REFERENCES vault_key,
    sealed bytea NOT NULL,
    contact_mask text NOT NULL,
    dispatch_by text NOT NULL DEFAULT 'scan' CHECK (dispatch_by IN ('print', 'scan', 'weigh')),
    working_days text NOT NULL DEFAULT '1234567',
    cutoff text NOT NULL DEFAULT '18:00',
    cutoffs jsonb NOT NULL DEFAULT '{}', -- carrier code -> 'HH:MM'
    printer_id bigint REFERENCES printer,
    created_at timestamptz NOT NULL
);

CREATE TABLE staff_warehouse (
    staff_id bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
    warehouse_id bigint NOT NULL REFERENCES warehouse,
    PRIMARY KEY (staff_id, warehouse_id)
);

CREATE TABLE sku (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id bigint NOT NULL REFERENCES shop,
    code text NOT NULL,
    name text NOT NULL,
    category text NOT NULL DEFAULT '',
    weight_g int NOT NULL DEFAULT 0 CHECK (weight_g BETWEEN 0 AND 1000000),
    length_mm int NOT NULL DEFAULT 0 CHECK (length_mm BETWEEN 0 AND 20000),
    width_mm int NOT NULL DEFAULT 0 CHECK (width_mm BETWEEN 0 AND 20000),
    height_mm int NOT NULL DEFAULT 0 CHECK (height_mm BETWEEN 0 AND 20000),
    fragile boolean NOT NULL DEFAULT false,
    unit_cost_fen bigint NOT NULL DEFAULT 0 CHECK (unit_cost_fen >= 0),
    changed_at timestamptz NOT NULL,
    UNIQUE (shop_id, code)
);
CALL hold_by_shop('sku');

-- The only home of names, phones and addresses. `sealed` is AEAD under the person's own key: erasing is deleting
-- that key. `platform_sealed` is a platform's ciphertext we never open (platform, ciphertext, id).
CREATE TABLE person (
    id bigint PRIMARY KEY,
    shop_id bigint NOT NULL REFERENCES shop,
    key_id bigint NOT NULL REFERENCES vault_key,
    sealed bytea NOT NULL,
    plain boolean NOT NULL, -- false: only the platform can read it
    name_mask text NOT NULL,
    phone_mask text NOT NULL,
    address_mask text NOT NULL,
    province text NOT NULL,
    city text NOT NULL,
    district text NOT NULL,
    content_hash bytea NOT NULL, -- keyed: tells whether the receiver changed without opening it
    erased_at timestamptz,
    created_at timestamptz NOT NULL
);
CALL hold_by_shop('person');

-- Keyed hashes of phone, last four, name, name bigrams: search without plain text.
CREATE TABLE person_index (
    shop_id bigint NOT NULL,
    purpose smallint NOT NULL,
    hash bytea NOT NULL,
    person_id bigint NOT NULL REFERENCES person ON DELETE CASCADE,
    PRIMARY KEY (shop_id, purpose, hash, person_id)
);
CREATE INDEX person_index_person ON person_index (person_id);
CALL hold_by_shop('person_index');

CREATE TABLE orders (
    id bigint PRIMARY KEY,
    shop_id bigint NOT NULL REFERENCES shop,
    number text NOT NULL,
    warehouse_id bigint NOT NULL REFERENCES warehouse,
    person_id bigint NOT NULL REFERENCES person,
    payment text NOT NULL CHECK (payment IN ('prepaid', 'cod')),
    cod_fen bigint NOT NULL DEFAULT 0 CHECK (cod_fen >= 0),
    paid_at timestamptz,
    refund text NOT NULL DEFAULT 'none' CHECK (refund IN ('none', 'asked', 'part', 'full')),
    ship_by timestamptz,
    promised_at timestamptz,
    declared_fen bigint NOT NULL DEFAULT 0 CHECK (declared_fen >= 0),
    total_fen bigint NOT NULL DEFAULT 0,
    currency text NOT NULL DEFAULT 'CNY',
    carrier text NOT NULL DEFAULT '', -- the shop's wish; empty: the warehouse's account decides
    content_hash bytea NOT NULL,
    word text NOT NULL DEFAULT 'to_ship',
    dispatch text NOT NULL DEFAULT 'none' CHECK (dispatch IN ('none', 'part', 'all')),
    hold_reason text NOT NULL DEFAULT '',
    cancel_reason text NOT NULL DEFAULT '',
    held_at timestamptz,
    cancelled_at timestamptz,
    delivered_at timestamptz, -- when the word became delivered; closing counts from here
    completed_at timestamptz,
    completed_by text NOT NULL DEFAULT '',
    received_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL, -- last change of any kind; lists sort by it
    UNIQUE (shop_id, number)
);
-- Every list of orders: what stands in `tally`, each of it newest first (decision 17).
CREATE INDEX orders_listed ON orders (shop_id, warehouse_id, word, moved_at DESC, id DESC);
-- /orders?view=late, ?view=held, and their counts; the API's held, refund and late.
CREATE INDEX orders_late ON orders (promised_at) WHERE word NOT IN ('delivered', 'completed', 'closed');
CREATE INDEX orders_held ON orders (held_at) WHERE held_at IS NOT NULL;
CREATE INDEX orders_refund ON orders (shop_id, moved_at DESC, id DESC) WHERE refund <> 'none';
-- The API's orders by the carrier a shop wished for.
CREATE INDEX orders_wish ON orders (shop_id, carrier, moved_at DESC, id DESC) WHERE carrier <> '';
CREATE INDEX orders_ship_by ON orders (ship_by) WHERE dispatch <> 'all' AND cancelled_at IS NULL;
CREATE INDEX orders_person ON orders (person_id);
CREATE INDEX orders_closing ON orders (delivered_at) WHERE word = 'delivered';
-- Search by the beginning of a number.
CREATE INDEX orders_number ON orders (shop_id, number text_pattern_ops);
CALL hold_by_shop('orders');

CREATE TABLE order_line (
    id bigint PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    shop_id bigint NOT NULL,
    line_no int NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    quantity int NOT NULL CHECK (quantity BETWEEN 0 AND 100000), -- 0: the shop took the line back
    price_fen bigint NOT NULL CHECK (price_fen >= 0),
    discount_fen bigint NOT NULL DEFAULT 0 CHECK (discount_fen >= 0),
    tax_bp int NOT NULL DEFAULT 0 CHECK (tax_bp BETWEEN 0 AND 10000), -- basis points
    UNIQUE (order_id, line_no)
);
CALL hold_by_shop('order_line');

-- Saved column mappings of imports, and imports themselves with their progress.
CREATE TABLE import_mapping (
    name text PRIMARY KEY,
    target text NOT NULL,
    columns jsonb NOT NULL,
    changed_at timestamptz NOT NULL
);
