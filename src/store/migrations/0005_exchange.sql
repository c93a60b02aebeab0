-- What scanners have of each other. Irreplaceable: gate_certificate, without which nobody takes a scanner's records on.

-- Whether a record counts; the numbers are those of admission::Standing.
ALTER TABLE gate_record ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;

-- Which manifest was taken when: a decision is written only while the one that it was taken on is in use.
ALTER TABLE gate_manifest ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;

-- Certificates of others, as they were signed. A scanner that signed in twice may have two.
CREATE TABLE gate_certificate (
    scanner BLOB NOT NULL CHECK (length(scanner) = 8),
    event   BLOB NOT NULL,
    bytes   BLOB NOT NULL,
    PRIMARY KEY (scanner, bytes)
) STRICT, WITHOUT ROWID;

-- The newest head of each other chain, as it was signed.
CREATE TABLE gate_head (
    chain BLOB PRIMARY KEY CHECK (length(chain) = 16),
    event BLOB NOT NULL,
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;
