-- A parcel whose goods were sent again in another counts for its orders no more; what it held stays known.
ALTER TABLE parcel ADD COLUMN replaced_by bigint REFERENCES parcel;

-- What a replaced parcel held.
CREATE TABLE replaced_line (
    parcel_id bigint NOT NULL REFERENCES parcel,
    order_line_id bigint NOT NULL REFERENCES order_line,
    shop_id bigint NOT NULL,
    quantity int NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (parcel_id, order_line_id)
);
CALL hold_by_shop('replaced_line');
