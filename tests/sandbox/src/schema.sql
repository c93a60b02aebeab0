CREATE TABLE user (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    -- NULL for guests and services.
    enrollment_id TEXT UNIQUE,
    -- As tokens tell it: registered, anon, guest or validator; service for those that no person signs in as.
    kind TEXT NOT NULL DEFAULT 'registered',
    -- The tenant whose organizer the user works for, or whose event it validates, if any.
    works_for TEXT
) STRICT;

CREATE TABLE session (
    refresh_token TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user (id),
    -- The tenant that the user signed in for as its organizer.
    organizer TEXT
) STRICT;

-- What a user's wallet signs with; the private key is the user's alone. Times are Unix seconds.
CREATE TABLE certificate (
    user_id INTEGER PRIMARY KEY REFERENCES user (id),
    public_key BLOB NOT NULL,
    pem TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- Nonces that wait for a wallet's signature.
CREATE TABLE challenge (
    nonce TEXT PRIMARY KEY,
    client_nonce TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user (id)
) STRICT;

-- What devices at an event's gates sign in and sign with, as PEM.
CREATE TABLE validator (
    token TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    event_id INTEGER NOT NULL,
    enrollment_id TEXT NOT NULL,
    certificate TEXT NOT NULL,
    private_key TEXT NOT NULL
) STRICT;

-- Transactions of the ledger that wait for a signature over their digest.
CREATE TABLE ledger_pending (
    digest TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    public_key BLOB NOT NULL,
    function TEXT NOT NULL,
    -- The enrollment of whoever signs.
    signer TEXT NOT NULL,
    argument TEXT NOT NULL,
    endorsed INTEGER NOT NULL
) STRICT;

CREATE TABLE organizer (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL
) STRICT;

-- Bodies are JSON as B.A.M sends it, every relation filled in; a reply keeps those that were asked for.
CREATE TABLE ticket_config (
    tenant TEXT NOT NULL,
    id INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE sector (
    tenant TEXT NOT NULL,
    id INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    code INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE timeslot (
    tenant TEXT NOT NULL,
    id INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE ticket (
    tenant TEXT NOT NULL,
    id INTEGER NOT NULL,
    -- NULL for tickets that are available again.
    owner_id INTEGER REFERENCES user (id),
    ticket_config_id INTEGER NOT NULL,
    sector_id INTEGER,
    timeslot_id INTEGER,
    seq_num INTEGER NOT NULL,
    status TEXT NOT NULL,
    kyc_status TEXT NOT NULL,
    seat_id TEXT,
    format TEXT NOT NULL,
    blockchain_id TEXT NOT NULL,
    -- NULL for tickets that nobody ordered.
    order_item_id INTEGER,
    holder TEXT NOT NULL,
    -- What the holder answered, as JSON, and when; NULL without an answer.
    holder_response TEXT,
    holder_updated_at TEXT,
    updated_at TEXT NOT NULL,
    -- Whether the organizer reserved it and it is not issued yet.
    by_organizer INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, blockchain_id)
) STRICT;
CREATE INDEX ticket_by_owner ON ticket (owner_id, id);
CREATE INDEX ticket_by_order_item ON ticket (tenant, order_item_id);

CREATE TABLE ticket_order (
    tenant TEXT NOT NULL,
    id INTEGER NOT NULL,
    owner_id INTEGER NOT NULL REFERENCES user (id),
    format TEXT NOT NULL,
    status TEXT NOT NULL,
    refunded REAL NOT NULL DEFAULT 0,
    hold_token TEXT,
    payment_id TEXT,
    payment_created_at TEXT,
    -- JSON as it was sent, with its id; NULL without a contact.
    contact TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE order_item (
    tenant TEXT NOT NULL,
    id INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    -- Of one ticket.
    price REAL NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, order_id) REFERENCES ticket_order (tenant, id)
) STRICT;
CREATE INDEX order_item_by_order ON order_item (tenant, order_id);

-- Tickets that their owners offer to others.
CREATE TABLE offer (
    tenant TEXT NOT NULL,
    id INTEGER NOT NULL,
    ticket_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    price REAL NOT NULL,
    -- Unix milliseconds.
    valid_until INTEGER NOT NULL,
    -- The enrollment of the only one who may buy it, if there is one.
    buyer_id TEXT,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, ticket_id) REFERENCES ticket (tenant, id) ON DELETE CASCADE
) STRICT;

-- Organizers' rules for offers, JSON as B.A.M sends it.
CREATE TABLE market_ruleset (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- Tickets that are being issued, and what they will be then. One of polls_left and due_at (Unix seconds) counts.
CREATE TABLE issuing (
    tenant TEXT NOT NULL,
    ticket_id INTEGER NOT NULL,
    ends TEXT NOT NULL,
    polls_left INTEGER,
    due_at INTEGER,
    PRIMARY KEY (tenant, ticket_id),
    FOREIGN KEY (tenant, ticket_id) REFERENCES ticket (tenant, id) ON DELETE CASCADE
) STRICT;

-- Which device a ticket is bound to, and the credential that says so. Times are Unix seconds.
CREATE TABLE binding (
    tenant TEXT NOT NULL,
    ticket_id INTEGER NOT NULL,
    device_key BLOB NOT NULL,
    credential BLOB NOT NULL,
    generation INTEGER NOT NULL,
    moves_left INTEGER NOT NULL,
    renew_after INTEGER NOT NULL,
    surrendered INTEGER NOT NULL,
    PRIMARY KEY (tenant, ticket_id),
    FOREIGN KEY (tenant, ticket_id) REFERENCES ticket (tenant, id) ON DELETE CASCADE
) STRICT;

-- Replies to writes, by idempotency key: what a repetition gets again.
CREATE TABLE reply (
    user_id INTEGER NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (user_id, idempotency_key)
) STRICT;

-- Every write that was applied, in order.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    idempotency_key TEXT,
    detail TEXT NOT NULL
) STRICT;

-- The latest change of each ticket as each of its owners saw it, in order. A row whose ticket the owner does not have
-- (any more) is a removal.
CREATE TABLE change (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    ticket_id INTEGER NOT NULL,
    UNIQUE (owner_id, tenant, ticket_id)
) STRICT;
CREATE TRIGGER ticket_added AFTER INSERT ON ticket WHEN new.owner_id IS NOT NULL BEGIN
    INSERT OR REPLACE INTO change (owner_id, tenant, ticket_id) VALUES (new.owner_id, new.tenant, new.id);
END;
CREATE TRIGGER ticket_removed AFTER DELETE ON ticket WHEN old.owner_id IS NOT NULL BEGIN
    INSERT OR REPLACE INTO change (owner_id, tenant, ticket_id) VALUES (old.owner_id, old.tenant, old.id);
END;
CREATE TRIGGER ticket_changed AFTER UPDATE ON ticket BEGIN
    INSERT OR REPLACE INTO change (owner_id, tenant, ticket_id)
        SELECT old.owner_id, old.tenant, old.id WHERE old.owner_id IS NOT NULL;
    INSERT OR REPLACE INTO change (owner_id, tenant, ticket_id)
        SELECT new.owner_id, new.tenant, new.id WHERE new.owner_id IS NOT NULL;
END;
CREATE TRIGGER ticket_config_changed AFTER UPDATE ON ticket_config BEGIN
    INSERT OR REPLACE INTO change (owner_id, tenant, ticket_id)
        SELECT owner_id, tenant, id FROM ticket
        WHERE tenant = new.tenant AND ticket_config_id = new.id AND owner_id IS NOT NULL ORDER BY id;
END;

-- Transfers. A pending one whose time is over has expired. Times are Unix seconds.
CREATE TABLE transfer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    ticket_id INTEGER NOT NULL,
    sender_id INTEGER NOT NULL REFERENCES user (id),
    recipient TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX transfer_by_ticket ON transfer (tenant, ticket_id);
