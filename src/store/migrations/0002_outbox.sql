-- Irreplaceable: outbox, doomed_key. Times are Unix seconds of trusted time.

-- Writes on their way to the servers, in the order in which they were made.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice
    account_id      TEXT NOT NULL,
    subject         BLOB NOT NULL,        -- the ticket; order is kept for each
    payload         TEXT NOT NULL,        -- Write as JSON
    idempotency_key TEXT NOT NULL,        -- rows of one request share it
    created_at      INTEGER NOT NULL,
    dated           INTEGER NOT NULL CHECK (dated IN (0, 1)), -- whether a server stood behind created_at
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'rejected', 'unknown', 'held')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    before          TEXT,                 -- what the server held before the first attempt, as JSON
    reason          TEXT,                 -- why it was rejected
    status          INTEGER,
    server_code     TEXT
) STRICT;

CREATE INDEX outbox_subject ON outbox (subject, id);
CREATE INDEX credential_renewal ON credential (renew_after);

-- Keys to delete from the vault, which could not be asked or did not answer yet.
CREATE TABLE doomed_key (
    handle TEXT PRIMARY KEY
) STRICT;

-- The server's copy of transfers under way or ended.
CREATE TABLE transfer (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    remote_id  TEXT NOT NULL,
    ticket_id  BLOB NOT NULL,
    recipient  TEXT NOT NULL,
    state      TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (account_id, remote_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX transfer_ticket ON transfer (ticket_id);

-- Whose key it is, for a ticket that is not listed any more.
ALTER TABLE device_key ADD COLUMN account_id TEXT;
-- 1: the vault no longer has it. The credential stays until a new key has one.
ALTER TABLE device_key ADD COLUMN lost INTEGER NOT NULL DEFAULT 0 CHECK (lost IN (0, 1));
-- The key that takes its place once the server has bound it.
ALTER TABLE device_key ADD COLUMN next_handle TEXT;
UPDATE device_key SET account_id = (SELECT account_id FROM ticket WHERE ticket.id = ticket_id);

-- 1: the person wants its barcode ahead of time.
ALTER TABLE ticket ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1));

-- The change feed's place, and what a whole list needs to be known as unchanged.
ALTER TABLE cursor ADD COLUMN token TEXT;
ALTER TABLE cursor ADD COLUMN etag TEXT;
ALTER TABLE cursor ADD COLUMN completed_at INTEGER;
