-- Irreplaceable: accounts, device_key, credential. The rest is the server's copy. Times are Unix seconds.

CREATE TABLE account (
    id            TEXT PRIMARY KEY,
    system        TEXT NOT NULL,
    config        TEXT NOT NULL,          -- SystemConfig as JSON
    user_name     TEXT NOT NULL,
    access_token  TEXT,                   -- NULL: must sign in
    refresh_token TEXT,
    pulls         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE event (
    hash      BLOB PRIMARY KEY,           -- 8 bytes, as in signed codes
    remote_id TEXT NOT NULL,
    name      TEXT NOT NULL,
    venue     TEXT,
    starts_at INTEGER,
    ends_at   INTEGER,
    time_zone TEXT,
    body      TEXT NOT NULL               -- the system's record as JSON
) STRICT, WITHOUT ROWID;

-- What a list shows, and no more; clustered in the order of the list.
CREATE TABLE ticket (
    id         BLOB NOT NULL UNIQUE,      -- 12 bytes, as in signed codes
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    list_order INTEGER NOT NULL,          -- starts_at, or the far future
    title      TEXT NOT NULL,
    category   TEXT,
    format     TEXT NOT NULL,
    status     TEXT NOT NULL,
    profile    TEXT NOT NULL CHECK (profile IN ('signed', 'static', 'none')),
    starts_at  INTEGER,
    venue      TEXT,
    section    TEXT,
    seat       TEXT,
    absences   INTEGER NOT NULL DEFAULT 0, -- complete pulls in a row that did not have it; 2 is a tombstone
    pull       INTEGER NOT NULL,           -- the pull that last had it
    PRIMARY KEY (list_order, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX ticket_account ON ticket (account_id, pull);

CREATE TABLE ticket_body (
    ticket_id BLOB PRIMARY KEY REFERENCES ticket (id) ON DELETE CASCADE,
    tenant    TEXT,
    remote_id TEXT NOT NULL,
    event     BLOB REFERENCES event (hash),
    holder    TEXT,
    refusal   TEXT,                       -- the problem type with which the server last refused to bind, or NULL
    body      TEXT NOT NULL               -- the system's record as JSON
) STRICT;

-- Neither keys nor credentials go when a ticket does.
CREATE TABLE device_key (
    handle    TEXT PRIMARY KEY,           -- in the host's key vault
    ticket_id BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE credential (
    ticket_id   BLOB PRIMARY KEY,
    bytes       BLOB NOT NULL CHECK (length(bytes) = 134),
    issuer_key  BLOB NOT NULL CHECK (length(issuer_key) = 32),
    generation  INTEGER NOT NULL,
    renew_after INTEGER NOT NULL,
    handle      TEXT NOT NULL REFERENCES device_key (handle)
) STRICT;

CREATE TABLE cursor (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    resource   TEXT NOT NULL,
    pull       INTEGER NOT NULL,
    position   INTEGER NOT NULL,          -- how many items of this pull are stored
    complete   INTEGER NOT NULL CHECK (complete IN (0, 1)),
    PRIMARY KEY (account_id, resource)
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
