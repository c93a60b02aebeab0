-- A gate's scanners, its manifest and its ledger. Irreplaceable: scanner, gate_record. The rest is the server's copy.

-- What the scanner is registered as; the newest row counts.
CREATE TABLE scanner (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    registered  TEXT NOT NULL,            -- where, as what and by which keys, as JSON
    event       BLOB NOT NULL CHECK (length(event) = 8),
    scanner_id  BLOB NOT NULL CHECK (length(scanner_id) = 8),
    key_handle  TEXT NOT NULL,
    -- Random. NULL after a recovery: what may be missing from a chain must not be written over, so another begins.
    chain       BLOB CHECK (length(chain) = 16),
    certificate BLOB                      -- docs/gate.md, signed; NULL where the server gives none
) STRICT;

-- The manifest in use, without its signature; floors that a later one lowered.
CREATE TABLE gate_manifest (
    event  BLOB PRIMARY KEY CHECK (length(event) = 8),
    body   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE gate_floor (
    ticket     BLOB PRIMARY KEY CHECK (length(ticket) = 12),
    generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Ledger records, this scanner's and others', as they were signed. What stands beside the bytes is read from them.
CREATE TABLE gate_record (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    event    BLOB NOT NULL,
    chain    BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    hash     BLOB NOT NULL,
    ticket   BLOB,
    kind     INTEGER NOT NULL,
    verdict  INTEGER NOT NULL,
    persons  INTEGER NOT NULL,
    time_ms  INTEGER NOT NULL,
    bytes    BLOB NOT NULL,
    -- The code that was scanned, where it is not signed: what its system knows the ticket by.
    code     TEXT,
    sent     INTEGER NOT NULL DEFAULT 0 CHECK (sent IN (0, 1)),
    -- What the server holds against it.
    conflict TEXT,
    UNIQUE (chain, sequence, hash)
) STRICT;
CREATE INDEX gate_record_ticket ON gate_record (ticket) WHERE ticket NOT NULL;
CREATE INDEX gate_record_unsent ON gate_record (id) WHERE sent = 0;
