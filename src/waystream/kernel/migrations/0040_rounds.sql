-- A round: one message of a person to every buyer whose parcels an incident holds; one for each incident and shop.
CREATE TABLE notice_round (
    shop_id bigint NOT NULL REFERENCES shop,
    slowdown_id bigint NOT NULL REFERENCES slowdown,
    ticket_id bigint NOT NULL, -- where it is written down
    actor text NOT NULL,
    sealed bytea NOT NULL, -- the words, by language
    begun_at timestamptz NOT NULL,
    planned_at timestamptz, -- since then every order has its message
    ended_at timestamptz, -- since then every message has its end
    PRIMARY KEY (shop_id, slowdown_id)
);
CREATE INDEX notice_round_open ON notice_round (begun_at) WHERE ended_at IS NULL;
CALL hold_by_shop('notice_round');

-- Which incident a message belongs to: counted while it goes on.
ALTER TABLE notice ADD COLUMN slowdown_id bigint;
CREATE INDEX notice_of_round ON notice (slowdown_id, shop_id) WHERE slowdown_id IS NOT NULL;
