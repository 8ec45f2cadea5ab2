-- What a shop's staff is still to be told of its tickets, by each of its channels: a minute's words are one message.
CREATE TABLE staff_word (
    channel_id bigint NOT NULL REFERENCES channel,
    event_id bigint NOT NULL,
    shop_id bigint NOT NULL,
    ticket_id bigint NOT NULL,
    cause text NOT NULL,
    priority text NOT NULL,
    at timestamptz NOT NULL,
    told_at timestamptz, -- none: it waits
    PRIMARY KEY (channel_id, event_id)
);
CREATE INDEX staff_word_waiting ON staff_word (channel_id) WHERE told_at IS NULL;
CREATE INDEX staff_word_told ON staff_word (told_at) WHERE told_at IS NOT NULL;
CALL hold_by_shop('staff_word');
