-- The manifest in parts, apart from what each scan asks of it: SQLite holds a row whole to write it, and passes over all
-- of it to read what stands behind.
CREATE TABLE gate_manifest_part (
    event  BLOB NOT NULL CHECK (length(event) = 8),
    number INTEGER NOT NULL,              -- from 0, in the order of the bytes
    bytes  BLOB NOT NULL,
    UNIQUE (event, number)
) STRICT;
INSERT INTO gate_manifest_part (event, number, bytes) SELECT event, 0, body FROM gate_manifest;
ALTER TABLE gate_manifest DROP COLUMN body;
