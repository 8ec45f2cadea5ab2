-- Lines of a push that could not be read while the rest of it could: listed, masked, until a mended reader takes them
-- or a person sets them aside.
CREATE TABLE unread_line (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    aggregator_id bigint NOT NULL REFERENCES aggregator,
    carrier text NOT NULL, -- empty with the number: not even these could be read
    number text NOT NULL,
    parcel_id bigint, -- null where the number is nobody's
    shop_id bigint NOT NULL, -- 0 where the number is nobody's
    line text NOT NULL,
    reason text NOT NULL,
    inbox_id bigint NOT NULL, -- the newest push that told it
    seen_at timestamptz NOT NULL,
    settled_by text NOT NULL DEFAULT '', -- who set it aside; 'reader' when it could be read after all
    UNIQUE (aggregator_id, carrier, number, line, reason)
);
CREATE INDEX unread_line_open ON unread_line (id DESC) WHERE settled_by = '';
CREATE INDEX unread_line_seen ON unread_line (seen_at);
CALL hold_by_shop('unread_line');
