-- What a gate remembers beside its ledger. Irreplaceable: gate_sequence, below which no manifest may fall again.

-- The highest sequence of an event's manifests under a key.
CREATE TABLE gate_sequence (
    event    BLOB NOT NULL CHECK (length(event) = 8),
    key      TEXT NOT NULL CHECK (length(key) = 64), -- in hex
    sequence INTEGER NOT NULL,
    UNIQUE (event, key)
) STRICT;
-- Of the manifest in use, where a key vouches for it: bytes 12 to 15 (docs/gate.md, "Manifest").
INSERT INTO gate_sequence (event, key, sequence)
    WITH digit (n) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7))
    SELECT scanner.event, registered ->> 'manifest_key',
        (SELECT sum(instr('123456789ABCDEF', substr(hex(substr(bytes, 13, 4)), n + 1, 1)) << (28 - 4 * n)) FROM digit)
    FROM scanner JOIN gate_manifest_part part ON part.event = scanner.event AND number = 0
    WHERE scanner.id = (SELECT max(id) FROM scanner) AND length(registered ->> 'manifest_key') = 64
        AND length(bytes) > 16;

-- A scanner's newest refusals: what their records do not tell, for staff who override them.
CREATE TABLE gate_refusal (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    chain         BLOB NOT NULL CHECK (length(chain) = 16),
    sequence      INTEGER NOT NULL,
    is_leaving    INTEGER NOT NULL CHECK (is_leaving IN (0, 1)),
    code          BLOB CHECK (length(code) = 202), -- a signed code that holds all the same
    nonce         BLOB CHECK (length(nonce) = 8),  -- the venue nonce in it
    is_overridden INTEGER NOT NULL CHECK (is_overridden IN (0, 1)),
    UNIQUE (chain, sequence)
) STRICT;
