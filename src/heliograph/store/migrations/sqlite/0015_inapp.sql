-- Users of apps in real time, by lane: the number of the last message kept for them, of the last one that any of their
-- devices has acknowledged, and of the last one that was put on a wire.
CREATE TABLE inapp_users (
    lane TEXT NOT NULL,
    userid TEXT NOT NULL,
    seq INTEGER NOT NULL,
    acked INTEGER NOT NULL,
    handed INTEGER NOT NULL,
    PRIMARY KEY (lane, userid)
) STRICT, WITHOUT ROWID;

-- What each device has acknowledged, and when it was last here.
CREATE TABLE inapp_devices (
    lane TEXT NOT NULL,
    userid TEXT NOT NULL,
    device TEXT NOT NULL,
    acked INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (lane, userid, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX inapp_devices_seen ON inapp_devices (seen);

-- Messages for users of apps until they expire; `body` is the JSON object that the app gets.
CREATE TABLE inapp_kept (
    lane TEXT NOT NULL,
    userid TEXT NOT NULL,
    seq INTEGER NOT NULL,
    request INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    at INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (lane, userid, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX inapp_kept_message ON inapp_kept (request, ordinal);
CREATE INDEX inapp_kept_expires ON inapp_kept (expires);

-- Which node holds a connection of a device, while `inapp_nodes` says that it lives.
CREATE TABLE inapp_presence (
    lane TEXT NOT NULL,
    userid TEXT NOT NULL,
    device TEXT NOT NULL,
    node TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (lane, userid, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE inapp_nodes (
    node TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
