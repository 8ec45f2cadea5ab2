-- Scans in partitions by the time of their parcels, and what is told of a parcel after its partition has left.

-- Machine and page reach scans through `scan` alone, where the policies are; a partition by its name is the owner's.
REVOKE ALL ON scan_default FROM waystream_machine, waystream_page;

-- Make the partition of the parcels with first <= id < past; false where it is there. What lay in the default
-- partition moves over. The machine owns no table, so it makes partitions by this function of the owner, and only these.
CREATE FUNCTION make_scan_partition(partition text, first bigint, past bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF partition !~ '^scan_[0-9]{4}_[0-9]{2}$' THEN
        RAISE EXCEPTION 'a scan partition has another name' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(quote_ident(partition)) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE scan_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE scan INCLUDING ALL)', partition);
    EXECUTE format('REVOKE ALL ON %I FROM waystream_machine, waystream_page', partition);
    EXECUTE format('WITH moved AS (DELETE FROM scan_default WHERE parcel_id >= %s AND parcel_id < %s RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', first, past, partition);
    EXECUTE format('ALTER TABLE scan ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', partition, first, past);
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION make_scan_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_scan_partition TO waystream_machine;

-- Partitions that have left for the lake: the scans of these parcels are no longer here, their tracks are final.
CREATE TABLE scan_detached (
    partition text PRIMARY KEY,
    first bigint NOT NULL,
    past bigint NOT NULL CHECK (first < past),
    detached_at timestamptz NOT NULL
);

-- Scans told of such a parcel after that: kept and shown, they move nothing.
CREATE TABLE afterlife ( -- a row as in scan
    parcel_id bigint NOT NULL,
    key bigint NOT NULL,
    shop_id bigint NOT NULL,
    binding_id bigint NOT NULL,
    source text NOT NULL,
    at timestamptz NOT NULL,
    raw_time text NOT NULL,
    text text NOT NULL,
    code text NOT NULL,
    coded_at timestamptz NOT NULL,
    state text NOT NULL,
    kind text NOT NULL,
    coarse boolean NOT NULL,
    location text NOT NULL,
    inbox_id bigint NOT NULL,
    withdrawn_at timestamptz,
    PRIMARY KEY (parcel_id, key)
);
CALL hold_by_shop('afterlife');
