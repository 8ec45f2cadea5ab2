-- What must always hold, as it was last checked; and exceptions counted by the quarter of an hour.

-- One invariant as last checked. Seen broken once it is suspected, for what runs meanwhile may be half seen; twice: broken.
CREATE TABLE finding (
    name text PRIMARY KEY,
    sentence text NOT NULL,
    sentence_zh text NOT NULL,
    state text NOT NULL CHECK (state IN ('holds', 'suspected', 'broken', 'unchecked')), -- unchecked: it took too long
    broken text[] NOT NULL DEFAULT '{}', -- the first of what breaks it: ids and words
    since timestamptz NOT NULL, -- when it began to be as it is; of a broken one, when it was first suspected
    checked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL -- machine time: when it is checked again
);

CREATE OR REPLACE FUNCTION tally_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (what, shop_id, warehouse_id, carrier, word, kind, slot, n)
    SELECT 'passed', shop_id, 0, '', CASE name WHEN 'OutForDelivery' THEN 'out' WHEN 'AttemptFailed' THEN 'failed'
           WHEN 'ExceptionRaised' THEN 'exception' ELSE 'outlet' END AS word, '', quarter(at), count(*)
    FROM after
    WHERE name IN ('OutForDelivery', 'AttemptFailed', 'ExceptionRaised')
       OR (name = 'ParcelMoved' AND body ->> 'after' = 'arrived_at_outlet')
    GROUP BY shop_id, 5, 7;
    RETURN NULL;
END
$$;
