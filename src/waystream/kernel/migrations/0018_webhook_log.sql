-- Webhooks: what was given up is found without reading what was delivered; an endpoint is removed in steps.

CREATE INDEX webhook_delivery_given_up ON webhook_delivery (endpoint_id, at DESC, id DESC) WHERE state = 'given_up';

-- From then on it is as if it were not there; its deliveries go some at a time, and it goes with the last of them.
ALTER TABLE webhook_endpoint ADD COLUMN removed_at timestamptz,
    ADD CHECK (removed_at IS NULL OR (disabled_at IS NOT NULL AND secret_sealed = '' AND old_secret_sealed IS NULL));
