-- Kept pushes by the day they came, so that forgetting a day drops its table instead of deleting its rows.

-- Every accepted push by its digest: the same bytes again are answered yes and stop here. Kept as long as the bytes.
CREATE TABLE inbox_digest (
    digest bytea PRIMARY KEY,
    id bigint NOT NULL
);

ALTER TABLE inbox RENAME TO inbox_whole;

-- Its raw bytes, sealed under the key of their day. The time-ordered id says the day, so the one index finds both a push
-- and a stretch of time. No foreign keys: accounts and keys of days are never deleted, and asking for both cost each
-- push more than writing it down.
CREATE TABLE inbox (
    id bigint NOT NULL, -- time-ordered
    digest bytea NOT NULL,
    aggregator_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    size int NOT NULL,
    key_id bigint NOT NULL,
    sealed bytea STORAGE EXTERNAL NOT NULL, -- sealed bytes do not compress
    CONSTRAINT inbox_by_id PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE TABLE inbox_default PARTITION OF inbox DEFAULT;

INSERT INTO inbox_digest (digest, id) SELECT digest, id FROM inbox_whole;
INSERT INTO inbox (id, digest, aggregator_id, received_at, size, key_id, sealed)
SELECT id, digest, aggregator_id, received_at, size, key_id, sealed FROM inbox_whole;
DROP TABLE inbox_whole;

-- The machine owns no table: it makes and drops days by these functions of the owner, and nothing else. Neither waits
-- long for a lock, because every push would wait behind it.
CREATE FUNCTION make_inbox_day(partition text, first bigint, past bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
BEGIN
    IF partition !~ '^inbox_[0-9]{4}_[0-9]{2}_[0-9]{2}$' THEN
        RAISE EXCEPTION 'a day of the inbox has another name' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(quote_ident(partition)) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE inbox_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE inbox INCLUDING ALL)', partition);
    EXECUTE format('WITH moved AS (DELETE FROM inbox_default WHERE id >= %s AND id < %s RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', first, past, partition);
    EXECUTE format('ALTER TABLE inbox ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', partition, first, past);
    RETURN true;
END
$$;

CREATE FUNCTION drop_inbox_day(partition text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
BEGIN
    IF partition !~ '^inbox_[0-9]{4}_[0-9]{2}_[0-9]{2}$' THEN
        RAISE EXCEPTION 'a day of the inbox has another name' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('DROP TABLE %I', partition);
END
$$;

REVOKE EXECUTE ON FUNCTION make_inbox_day, drop_inbox_day FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_inbox_day, drop_inbox_day TO waystream_machine;
