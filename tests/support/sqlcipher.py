"""Opens databases with the original SQLCipher library, to compare with the wallet's own cryptography.

    sqlcipher.py read  DB KEYHEX SQL...   prints the last rows as a JSON list of lists; blobs as {"hex": "..."}
    sqlcipher.py write DB KEYHEX SQL...   makes or changes DB with these statements

KEYHEX is a raw key: 64 hex digits, or 96 with the salt behind the key; with --passphrase it is any text, from which
the key is derived.
"""

import argparse
import json
import re
from pathlib import Path

from sqlcipher3 import dbapi2

ALGORITHMS = ["SHA1", "SHA256", "SHA512"]


def raw_key(text):
    if not re.fullmatch(r"(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{96})", text):
        raise SystemExit("a raw key has 64 hex digits, or 96 with its salt")
    return text


def connect(options):
    """The key first; the settings after it are taken up when the first page is read or written."""
    mode = "rwc" if options.command == "write" else "rw"
    address = f"{Path(options.db).absolute().as_uri()}?mode={mode}"
    connection = dbapi2.connect(address, isolation_level=None, uri=True)
    if options.passphrase:
        connection.execute("PRAGMA key = '{}'".format(options.key.replace("'", "''")))
    else:
        connection.execute(f"PRAGMA key = \"x'{raw_key(options.key)}'\"")
    settings = {
        "cipher_hmac_algorithm": options.hmac and f"HMAC_{options.hmac}",
        "cipher_kdf_algorithm": options.kdf and f"PBKDF2_HMAC_{options.kdf}",
        "cipher_plaintext_header_size": options.plaintext_header,
    }
    for name, value in settings.items():
        if value is not None:
            connection.execute(f"PRAGMA {name} = {value}")
    return connection


def as_json(value):
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["read", "write"])
    parser.add_argument("db")
    parser.add_argument("key", metavar="KEYHEX")
    parser.add_argument("sql", nargs="+")
    parser.add_argument("--passphrase", action="store_true", help="KEYHEX is a passphrase")
    parser.add_argument("--hmac", choices=ALGORITHMS, help="cipher_hmac_algorithm")
    parser.add_argument("--kdf", choices=ALGORITHMS, help="cipher_kdf_algorithm")
    parser.add_argument("--plaintext-header", type=int, metavar="BYTES", help="cipher_plaintext_header_size")
    return parser.parse_args()


def main(options):
    rows = []
    try:
        connection = connect(options)
        for statement in options.sql:
            rows = connection.execute(statement).fetchall()
        connection.close()
    except dbapi2.DatabaseError as error:
        raise SystemExit(f"SQLCipher: {error}")
    if options.command == "read":
        print(json.dumps([[as_json(value) for value in row] for row in rows]))


if __name__ == "__main__":
    main(options())
