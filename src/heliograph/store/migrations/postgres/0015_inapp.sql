-- Users of apps in real time, by lane: the number of the last message kept for them, of the last one that any of their
-- devices has acknowledged, and of the last one that was put on a wire.
CREATE TABLE inapp_users (
    seq bigint NOT NULL,
    acked bigint NOT NULL,
    handed bigint NOT NULL,
    lane text NOT NULL,
    userid text NOT NULL,
    PRIMARY KEY (lane, userid)
);

-- What each device has acknowledged, and when it was last here.
CREATE TABLE inapp_devices (
    acked bigint NOT NULL,
    seen bigint NOT NULL,
    lane text NOT NULL,
    userid text NOT NULL,
    device text NOT NULL,
    PRIMARY KEY (lane, userid, device)
);
CREATE INDEX inapp_devices_seen ON inapp_devices (seen);

-- Messages for users of apps until they expire; `body` is the JSON object that the app gets.
CREATE TABLE inapp_kept (
    seq bigint NOT NULL,
    request bigint NOT NULL,
    at bigint NOT NULL,
    expires bigint NOT NULL,
    ordinal integer NOT NULL,
    lane text NOT NULL,
    userid text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (lane, userid, seq)
);
CREATE UNIQUE INDEX inapp_kept_message ON inapp_kept (request, ordinal);
CREATE INDEX inapp_kept_expires ON inapp_kept (expires);

-- Which node holds a connection of a device, while `inapp_nodes` says that it lives.
CREATE TABLE inapp_presence (
    since bigint NOT NULL,
    lane text NOT NULL,
    userid text NOT NULL,
    device text NOT NULL,
    node text NOT NULL,
    PRIMARY KEY (lane, userid, device)
);
CREATE TABLE inapp_nodes (
    until bigint NOT NULL,
    node text PRIMARY KEY
);
