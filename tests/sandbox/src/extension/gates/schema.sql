-- What the box office has said about an event's gates; an event without a row has the defaults. Times are Unix seconds.
CREATE TABLE gate_event (
    tenant TEXT NOT NULL,
    event_id INTEGER NOT NULL,
    policy TEXT NOT NULL DEFAULT 'single',
    entries INTEGER NOT NULL DEFAULT 1,
    nonce_required INTEGER NOT NULL DEFAULT 0,
    -- NULL: when the event starts.
    closes_at INTEGER,
    -- 0: for ever.
    certified_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, event_id)
) STRICT;

-- What it has said about tickets.
CREATE TABLE gate_ticket (
    tenant TEXT NOT NULL,
    ticket_id INTEGER NOT NULL,
    state TEXT,
    generation INTEGER,
    PRIMARY KEY (tenant, ticket_id)
) STRICT;

-- Scanners that have signed in.
CREATE TABLE gate_scanner (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    event_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    id BLOB NOT NULL UNIQUE,
    key BLOB NOT NULL,
    name TEXT NOT NULL,
    session TEXT NOT NULL UNIQUE,
    certificate BLOB NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, event_id, code, key)
) STRICT;

-- The last good record of each chain of a revoked scanner; 0 and zeros where none is.
CREATE TABLE gate_revocation (
    scanner BLOB NOT NULL,
    chain BLOB NOT NULL,
    last_good INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (scanner, chain)
) STRICT;

-- Manifests that were made; all are kept, so that there is a delta from each.
CREATE TABLE gate_manifest (
    tenant TEXT NOT NULL,
    event_id INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    as_of INTEGER NOT NULL,
    -- What is in it but for sequence and time.
    content BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, event_id, sequence)
) STRICT;

-- Tickets that a manifest has had, as it last had them: one that is gone is revoked.
CREATE TABLE gate_listed (
    tenant TEXT NOT NULL,
    event_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    signed INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    section INTEGER NOT NULL,
    seat TEXT,
    code TEXT,
    PRIMARY KEY (tenant, event_id, name)
) STRICT;

-- Records whose signature holds. Two of one place are a fork, and both are kept.
CREATE TABLE gate_record (
    tenant TEXT NOT NULL,
    event_id INTEGER NOT NULL,
    chain BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    scanner BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, event_id, chain, sequence, hash)
) STRICT;
