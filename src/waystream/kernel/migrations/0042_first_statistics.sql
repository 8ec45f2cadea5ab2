-- What the planner takes for granted until the first ANALYZE of a table: that hardly two rows belong to the same parcel,
-- order, line, number or person. Without a word it assumes 200 different ones, however many there are, and reads whole
-- tables for each order of the first import. A table that was analysed knows better and is left alone.
DO $$
DECLARE
    reference record;
BEGIN
    FOR reference IN
        SELECT own.relname, attname
        FROM pg_constraint
        JOIN pg_class own ON own.oid = conrelid
        JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
        WHERE contype = 'f' AND cardinality(conkey) = 1 AND attnotnull AND own.relkind = 'r'
          AND own.relnamespace = current_schema()::regnamespace
          AND confrelid = ANY (ARRAY['orders', 'order_line', 'parcel', 'binding', 'take', 'label', 'person']::regclass[])
          AND NOT EXISTS (SELECT FROM pg_stats
                          WHERE schemaname = current_schema() AND tablename = own.relname
                            AND pg_stats.attname = pg_attribute.attname)
    LOOP
        PERFORM pg_restore_attribute_stats(
            'schemaname', current_schema()::text, 'relname', reference.relname::text, 'attname', reference.attname::text,
            'inherited', false, 'null_frac', 0::real, 'avg_width', 8, 'n_distinct', (-1)::real);
    END LOOP;
END
$$;
