-- Who may do what: shops, staff, sessions, API keys. Passwords and tokens are stored as hashes only.

CREATE TABLE shop (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    platform text NOT NULL DEFAULT '',
    -- which kinds of delivery complete an order at once; the rest wait for the buyer or `confirm_days`
    trusted_kinds text[] NOT NULL DEFAULT '{in_person,by_proxy,locker,unspecified}',
    confirm_days int NOT NULL DEFAULT 7 CHECK (confirm_days BETWEEN 0 AND 60),
    created_at timestamptz NOT NULL
);
-- A caller who may not see a shop is not told that it exists.
ALTER TABLE shop ENABLE ROW LEVEL SECURITY;
CREATE POLICY machine ON shop TO waystream_machine USING (true) WITH CHECK (true);
CREATE POLICY page ON shop TO waystream_page
    USING ((SELECT sees_every_shop()) OR id = ANY ((SELECT seen_shops())::bigint[]))
    WITH CHECK ((SELECT sees_every_shop()) OR id = ANY ((SELECT seen_shops())::bigint[]));

CREATE TABLE staff (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'warehouse', 'care', 'finance', 'analyst')),
    every_shop boolean NOT NULL DEFAULT false,
    language text NOT NULL DEFAULT 'zh' CHECK (language IN ('zh', 'en')),
    must_change boolean NOT NULL DEFAULT false,
    failed_signins int NOT NULL DEFAULT 0,
    locked_until timestamptz,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX staff_login ON staff (lower(login));

CREATE TABLE staff_shop (
    staff_id bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
    shop_id bigint NOT NULL REFERENCES shop,
    PRIMARY KEY (staff_id, shop_id)
);

CREATE TABLE session (
    token_hash bytea PRIMARY KEY,
    staff_id bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_staff ON session (staff_id);
CREATE INDEX session_expiry ON session (expires_at);

CREATE TABLE api_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    prefix text NOT NULL UNIQUE,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    every_shop boolean NOT NULL DEFAULT false,
    created_by bigint REFERENCES staff,
    created_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz
);

CREATE TABLE api_key_shop (
    api_key_id bigint NOT NULL REFERENCES api_key ON DELETE CASCADE,
    shop_id bigint NOT NULL REFERENCES shop,
    PRIMARY KEY (api_key_id, shop_id)
);
