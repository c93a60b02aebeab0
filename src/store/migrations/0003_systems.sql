-- Irreplaceable: enrollment, office_write. The rest is the server's copy. Times are Unix seconds.

-- The server's id of the session, where renewing it takes one.
ALTER TABLE account ADD COLUMN session_id TEXT;

ALTER TABLE ticket ADD COLUMN ends_at INTEGER;
-- From when on its system counts it as no longer valid; NULL where it keeps no such rule.
ALTER TABLE ticket ADD COLUMN expires_at INTEGER;
-- The event's hash, by which a list is grouped.
ALTER TABLE ticket ADD COLUMN event BLOB;
UPDATE ticket SET event = (SELECT event FROM ticket_body WHERE ticket_id = ticket.id);
UPDATE ticket SET ends_at = (SELECT ends_at FROM event WHERE hash = ticket.event);

-- Codes that never change, as their systems gave them.
CREATE TABLE static_code (
    ticket_id BLOB PRIMARY KEY REFERENCES ticket (id) ON DELETE CASCADE,
    text      TEXT NOT NULL,
    symbology TEXT NOT NULL,
    source    TEXT NOT NULL,              -- where in the system's answers it stood
    verified  INTEGER NOT NULL DEFAULT 0 CHECK (verified IN (0, 1)) -- 1: signed by the event's key
) STRICT;

-- A person's certificate at a system, and the private key that came with it, sealed by the key vault.
CREATE TABLE enrollment (
    account_id    TEXT PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    enrollment_id TEXT NOT NULL,
    certificate   TEXT NOT NULL,          -- X.509, PEM
    sealed_key    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Files of tickets and orders.
CREATE TABLE document (
    id         INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    subject    TEXT NOT NULL,             -- `ticket/` or `order/` and the id
    media_type TEXT NOT NULL,
    fetched_at INTEGER NOT NULL,
    bytes      BLOB NOT NULL,
    UNIQUE (account_id, subject, media_type)
) STRICT;

-- Sign-ins that went to the browser and have not come back.
CREATE TABLE pending_sign_in (
    state      TEXT PRIMARY KEY,
    account    TEXT NOT NULL,             -- what is being signed in to, as JSON
    request    TEXT NOT NULL,             -- what the answer is checked against, as JSON
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Writes of an organiser: kept before their first byte leaves, with their outcome.
CREATE TABLE office_write (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    kind       TEXT NOT NULL,
    payload    TEXT NOT NULL,             -- as JSON
    created_at INTEGER NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('sent', 'done', 'rejected', 'unknown')),
    answer     TEXT,                      -- as JSON
    status     INTEGER,
    server_code TEXT
) STRICT;
