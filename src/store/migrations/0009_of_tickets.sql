-- Each tenant numbers its listings and transfers by itself: their ids name one only beside the ticket.
CREATE TABLE listing_of_ticket (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    ticket_id  BLOB NOT NULL,
    remote_id  TEXT NOT NULL,
    state      TEXT NOT NULL,             -- as the server wrote it
    reason     TEXT,                      -- why it was closed
    policy     TEXT NOT NULL CHECK (policy IN ('hidden', 'shown')),
    version    INTEGER NOT NULL,
    minor      INTEGER NOT NULL,          -- the seller's price
    currency   TEXT NOT NULL,
    breakdown  TEXT,                      -- as JSON
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (account_id, ticket_id, remote_id)
) STRICT, WITHOUT ROWID;

INSERT INTO listing_of_ticket
    SELECT account_id, ticket_id, remote_id, state, reason, policy, version, minor, currency, breakdown, created_at, expires_at
    FROM listing;
DROP TABLE listing;
ALTER TABLE listing_of_ticket RENAME TO listing;
CREATE INDEX listing_ticket ON listing (ticket_id);

CREATE TABLE transfer_of_ticket (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    ticket_id  BLOB NOT NULL,
    remote_id  TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    state      TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (account_id, ticket_id, remote_id)
) STRICT, WITHOUT ROWID;

INSERT INTO transfer_of_ticket
    SELECT account_id, ticket_id, remote_id, recipient, state, expires_at FROM transfer;
DROP TABLE transfer;
ALTER TABLE transfer_of_ticket RENAME TO transfer;
CREATE INDEX transfer_ticket ON transfer (ticket_id);
