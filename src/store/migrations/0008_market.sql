-- The server's copy of the accounts' own listings. Times are Unix seconds.
CREATE TABLE listing (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    remote_id  TEXT NOT NULL,
    ticket_id  BLOB NOT NULL,
    state      TEXT NOT NULL,             -- as the server wrote it
    reason     TEXT,                      -- why it was closed
    policy     TEXT NOT NULL CHECK (policy IN ('hidden', 'shown')),
    version    INTEGER NOT NULL,
    minor      INTEGER NOT NULL,          -- the seller's price
    currency   TEXT NOT NULL,
    breakdown  TEXT,                      -- as JSON
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (account_id, remote_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX listing_ticket ON listing (ticket_id);
