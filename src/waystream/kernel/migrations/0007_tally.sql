-- How many orders and parcels stand where, and what passed when: counted in the transaction that changes it.

-- The sum of `n` over equal rows counts. Whoever changes an order, a parcel or a track adds rows and touches none, so
-- that counting makes nobody wait; a sweep makes one row of equal ones.
CREATE TABLE tally (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what text NOT NULL CHECK (what IN ('order', 'stage', 'state', 'passed')),
    shop_id bigint NOT NULL,
    warehouse_id bigint NOT NULL, -- 0: not counted by warehouse
    carrier text NOT NULL, -- empty: not counted by carrier
    word text NOT NULL, -- an order's word, a parcel's stage or state, the step that was passed
    kind text NOT NULL,
    slot timestamptz NOT NULL, -- the quarter of an hour in which it passed; -infinity for what stands
    n bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX tally_what ON tally (what, slot, word);
CALL hold_by_shop('tally');

-- What stands: the counts of the tabs, and which ranges of the *_listed indexes a list has to read.
CREATE VIEW standing WITH (security_invoker = true) AS
    SELECT what, shop_id, warehouse_id, carrier, word, kind, sum(n)::bigint AS n
    FROM tally WHERE slot = '-infinity' GROUP BY what, shop_id, warehouse_id, carrier, word, kind HAVING sum(n) > 0;

CREATE FUNCTION quarter(at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT date_bin('15 minutes', at, 'epoch'::timestamptz)
$$;

-- `cells` says in which rows of the tally a row of the table counts; %s stands for the rows that changed.
CREATE PROCEDURE keep_tally(counted text, cells text) LANGUAGE plpgsql AS $$
DECLARE
    adds text := format('SELECT 1 AS n, cell.* FROM (%s) AS cell', format(cells, 'after'));
    takes text := format('SELECT -1 AS n, cell.* FROM (%s) AS cell', format(cells, 'before'));
    change record;
BEGIN
    FOR change IN SELECT * FROM (VALUES
        ('insert', 'NEW TABLE AS after', adds),
        ('update', 'OLD TABLE AS before NEW TABLE AS after', adds || ' UNION ALL ' || takes),
        ('delete', 'OLD TABLE AS before', takes)) AS changes (verb, tables, cells)
    LOOP
        EXECUTE format($f$
            CREATE FUNCTION tally_%1$s_%2$s() RETURNS trigger LANGUAGE plpgsql AS $t$
            BEGIN
                INSERT INTO tally (what, shop_id, warehouse_id, carrier, word, kind, slot, n)
                SELECT what, shop_id, warehouse_id, carrier, word, kind, slot, sum(n)
                FROM (%3$s) AS changed WHERE slot IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(n) <> 0;
                RETURN NULL;
            END
            $t$ $f$, counted, change.verb, change.cells);
        EXECUTE format(
            'CREATE TRIGGER tallied_%2$s AFTER %2$s ON %1$s REFERENCING %3$s
             FOR EACH STATEMENT EXECUTE FUNCTION tally_%1$s_%2$s()', counted, change.verb, change.tables);
    END LOOP;
END
$$;

CALL keep_tally('orders', $$
    SELECT cell.what, shop_id, cell.warehouse_id, '' AS carrier, cell.word, '' AS kind, cell.slot
    FROM %s CROSS JOIN LATERAL (VALUES
        ('order', warehouse_id, word, '-infinity'::timestamptz),
        ('passed', 0, 'received', quarter(received_at))) AS cell (what, warehouse_id, word, slot)
$$);

CALL keep_tally('parcel', $$
    SELECT cell.what, shop_id, cell.warehouse_id, cell.carrier, cell.word, '' AS kind, cell.slot
    FROM %s CROSS JOIN LATERAL (VALUES
        ('stage', warehouse_id, carrier, stage, '-infinity'::timestamptz),
        ('passed', 0, '', 'issued', quarter(issued_at)),
        ('passed', 0, '', 'printed', quarter(printed_at)),
        ('passed', warehouse_id, carrier, 'dispatched', quarter(dispatched_at)))
        AS cell (what, warehouse_id, carrier, word, slot)
$$);

CALL keep_tally('track', $$
    SELECT cell.what, shop_id, cell.warehouse_id, cell.carrier, cell.word, cell.kind, cell.slot
    FROM %s CROSS JOIN LATERAL (VALUES
        ('state', warehouse_id, carrier, state, kind, '-infinity'::timestamptz),
        ('passed', 0, '', 'collected', '', quarter(collected_at)),
        ('passed', 0, carrier, 'delivered', '', quarter(delivered_at)))
        AS cell (what, warehouse_id, carrier, word, kind, slot)
$$);

-- Steps a parcel takes and leaves again, so that its row does not keep them: from the events.
CREATE FUNCTION tally_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally (what, shop_id, warehouse_id, carrier, word, kind, slot, n)
    SELECT 'passed', shop_id, 0, '', CASE name WHEN 'OutForDelivery' THEN 'out' WHEN 'AttemptFailed' THEN 'failed'
           ELSE 'outlet' END AS word, '', quarter(at), count(*)
    FROM after
    WHERE name IN ('OutForDelivery', 'AttemptFailed')
       OR (name = 'ParcelMoved' AND body ->> 'after' = 'arrived_at_outlet')
    GROUP BY shop_id, 5, 7;
    RETURN NULL;
END
$$;
CREATE TRIGGER tallied AFTER INSERT ON event REFERENCING NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION tally_event();
