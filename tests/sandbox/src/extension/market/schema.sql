-- What the organizer allows on the market of an event, as JSON; an event without a row has the defaults.
CREATE TABLE market_event (
    tenant TEXT NOT NULL,
    event_id INTEGER NOT NULL,
    rules TEXT NOT NULL,
    PRIMARY KEY (tenant, event_id)
) STRICT;

-- Tickets that their holders offer to others. Amounts are minor units, times Unix seconds.
CREATE TABLE listing (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    ticket_id INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    seller_id INTEGER NOT NULL REFERENCES user (id),
    state TEXT NOT NULL,
    -- Why it was closed.
    reason TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    price INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- Whether its barcode was given up when it was listed; else it is when it is reserved.
    hidden INTEGER NOT NULL
) STRICT;
CREATE INDEX listing_by_ticket ON listing (tenant, ticket_id);

-- Listings that wait for their buyer's payment, or had it.
CREATE TABLE reservation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    listing_id INTEGER NOT NULL REFERENCES listing (id),
    buyer_id INTEGER NOT NULL REFERENCES user (id),
    device_key BLOB NOT NULL,
    total INTEGER NOT NULL,
    -- The last part of the payment's address.
    code TEXT NOT NULL UNIQUE,
    -- pending, paid, expired or cancelled.
    state TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
