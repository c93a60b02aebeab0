"""Vectors for docs/gate.md, made and read again from that text alone.

Shares no code with the Rust implementation. Prints the JSON of tests/fixtures/gate-v1.json:

    python tests/support/gate_vectors.py > tests/fixtures/gate-v1.json

Everything is fixed: keys come from labels, Ed25519 is deterministic, ECDSA uses RFC 6979 with low s. Before it prints, each vector goes
through the reader below and has to meet its verdict, its offset and its fields.

How to read the file:
- `verdict` is `Ok` or the refusal. `offset` is there where the text makes plain which field is at fault.
- A manifest with `held` arrives at a gate that uses that manifest. One without arrives at a gate that has none, only the event id.
- `base` of a delta is the manifest in use, to which it is applied; `held` repeats it where the verdict depends on that. `result` is a
  manifest of this file; what comes out is its bytes without the last 64.
- A record is checked against the certificate that it names.
- All broken cases but those of the signature are signed again: no order of checks makes `BadSignature` of them. Only the ones that are
  too short for a signature are not.
- `hash` of a manifest is SHA-256 without its signature, of a record with it. `lookup` has the plain codes as a scanner reads them.
- State, profile, policy and kind are the numbers of the text; `unlisted` is the profile of tickets without a row. Verdicts in records
  are names. `null` is a field that is not there (zeros).
"""
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED_P = 2**255 - 19
ED_L = 2**252 + 27742317777372353535851937790883648493
ED_D = -121665 * pow(121666, ED_P - 2, ED_P) % ED_P

MANIFEST, DELTA, SCANNER, RECORD = (b"ticket-wallet/1/" + n for n in (b"manifest", b"delta", b"scanner", b"record"))
ISSUERS, SECTIONS, DAYS, EPOCHS, TICKETS, SEATS, EVENT_KEY, REVOKED = range(1, 9)
ADMISSION, REFUSAL, EXIT, UNDO, OVERRIDE = range(1, 6)
SIGNED, BAM, PLAIN = range(3)
VERDICTS = [
    "Admit", "Malformed", "UnknownIssuer", "BadIssuerSignature", "BadDeviceSignature", "Stale", "FromTheFuture", "NotYetValid",
    "LeaseExpired", "WrongEvent", "WrongSection", "WrongProfile", "Superseded", "Revoked", "Blocked", "Listed", "Replayed",
    "NonceUnavailable", "AlreadyAdmitted", "UnknownTicket",
]


def sha(data):
    return hashlib.sha256(data).digest()


def u(size, value):
    return value.to_bytes(size, "big")


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return u(1, len(raw)) + raw


# Keys ---------------------------------------------------------------------------------------------------------------------------------

class Ed:
    def __init__(self, label):
        self.seed = sha(b"gate vectors, ed25519, " + label)
        self.private = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, label, body):
        return self.private.sign(label + b"\0" + body)

    def scalar(self):
        half = bytearray(hashlib.sha512(self.seed).digest()[:32])
        half[0] &= 248
        half[31] = half[31] & 127 | 64
        return int.from_bytes(half, "little")

    def sign_with_big_s(self, label, body):
        """The right signature with L added to S: the same equation, not canonical."""
        good = self.sign(label, body)
        s = int.from_bytes(good[32:], "little") + ED_L
        return good[:32] + s.to_bytes(32, "little")

    def sign_with_odd_r(self, label, body):
        """R is the neutral element, written as y = p + 1: the equation holds, the encoding is not canonical."""
        r = (ED_P + 1).to_bytes(32, "little")
        k = int.from_bytes(hashlib.sha512(r + self.public + label + b"\0" + body).digest(), "little") % ED_L
        return r + (k * self.scalar() % ED_L).to_bytes(32, "little")


class P256:
    def __init__(self, label):
        self.number = int.from_bytes(sha(b"gate vectors, p-256, " + label), "big")
        assert 0 < self.number < P256_N
        self.private = ec.derive_private_key(self.number, ec.SECP256R1())
        self.public = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def raw(self):
        return u(32, self.number)

    def sign(self, label, body, high=False):
        der = self.private.sign(label + b"\0" + body, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        low = min(s, P256_N - s)
        return u(32, r) + u(32, P256_N - low if high else low)

    def sign_high(self, label, body):
        return self.sign(label, body, high=True)


def check_rfc6979():
    """RFC 6979, A.2.5, P-256 with SHA-256, message "sample"."""
    key = ec.derive_private_key(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721, ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(b"sample", ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    assert r == 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
    assert s == 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


def ed_x(y):
    """An x for this y on edwards25519, or None."""
    square = (y * y - 1) * pow(ED_D * y * y + 1, ED_P - 2, ED_P) % ED_P
    x = pow(square, (ED_P + 3) // 8, ED_P)
    if x * x % ED_P != square:
        x = x * pow(2, (ED_P - 1) // 4, ED_P) % ED_P
    return x if x * x % ED_P == square else None


def ed_add(a, b):
    (x1, y1), (x2, y2) = a, b
    t = ED_D * x1 * x2 * y1 * y2 % ED_P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + t, ED_P - 2, ED_P) % ED_P,
        (y1 * y2 + x1 * x2) * pow(1 - t, ED_P - 2, ED_P) % ED_P,
    )


def ed_small(point):
    for _ in range(3):
        point = ed_add(point, point)
    return point == (0, 1)


def good_ed_key(raw):
    number = int.from_bytes(raw, "little")
    y, sign = number % 2**255, number >> 255
    if y >= ED_P:
        return False
    x = ed_x(y)
    if x is None or (x == 0 and sign):
        return False
    return not ed_small((x, y))


def odd_ed_keys():
    """Not canonical (but a point of full order), of small order, and no point at all."""
    odd = next(y for y in range(2, 19) if ed_x(y) is not None and not ed_small((ed_x(y), y)))
    none = next(y for y in range(2, 99) if ed_x(y) is None)
    return (odd + ED_P).to_bytes(32, "little"), (1).to_bytes(32, "little"), none.to_bytes(32, "little")


def good_point(raw):
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        return False
    return len(raw) == 65 and raw[0] == 4


def ed_holds(key, label, body, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, label + b"\0" + body)
    except InvalidSignature:
        return False
    return True


def p256_holds(key, label, body, signature):
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < P256_N and 0 < s <= P256_N // 2):
        return False
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        public.verify(encode_dss_signature(r, s), label + b"\0" + body, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


# The reader ---------------------------------------------------------------------------------------------------------------------------

class Refused(Exception):
    def __init__(self, verdict, offset=None):
        super().__init__(verdict, offset)
        self.verdict, self.offset = verdict, offset


def malformed(offset=None):
    return Refused("Malformed", offset)


class Bytes:
    """Takes fields from `data`, up to `end`."""

    def __init__(self, data, at, end):
        self.data, self.at, self.end = data, at, end

    def take(self, size):
        if self.at + size > self.end:
            raise malformed(self.at)
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def text(self, least=0, most=255):
        start = self.at
        size = self.number(1)
        if not least <= size <= most:
            raise malformed(start)
        raw = self.take(size)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise malformed(start) from None

    def left(self):
        return self.end - self.at


def read_head(b):
    head = {"event": b.take(8).hex()}
    for name in "sequence", "as_of", "closes_at":
        head[name] = b.number(4)
    if head["sequence"] == 0:
        raise malformed(b.at - 12)
    head["policy"] = b.number(1)
    if head["policy"] > 3:
        raise malformed(b.at - 1)
    head["entries"] = b.number(1)
    if head["entries"] == 0:
        raise malformed(b.at - 1)
    flags = b.number(1)
    if flags > 3:
        raise malformed(b.at - 1)
    head["nonce_required"] = flags & 1 == 1
    head["unlisted"] = flags >> 1
    return head


def split_tables(b):
    tables = {}
    last = 0
    while b.left():
        kind = b.number(1)
        if kind <= last or REVOKED < kind < 128:
            raise malformed(b.at - 1)
        last = kind
        where = b.at
        size = b.number(4)
        if size > b.left():
            raise malformed(where)
        tables[kind] = (b.at, b.take(size))
    return tables


def read_tables(data, tables):
    def rows(kind):
        if kind in tables:
            start, raw = tables[kind]
            b = Bytes(data, start, start + len(raw))
            while b.left():
                yield b, b.at

    def rising(key, last, at):
        if last is not None and key <= last:
            raise malformed(at)
        return key

    out = {"issuers": [], "sections": [], "days": [], "epochs": [], "tickets": [], "seats": [], "event_key": None, "revoked": []}
    for b, at in rows(ISSUERS):
        key = b.take(32)
        if not good_ed_key(key):
            raise malformed(at)
        out["issuers"].append({"key": key.hex(), "known_from": b.number(4), "known_until": b.number(4)})
    for b, at in rows(SECTIONS):
        out["sections"].append({"code": b.number(2), "name": b.text()})
    for kind, name in (DAYS, "days"), (EPOCHS, "epochs"):
        last = None
        for b, at in rows(kind):
            row = {"begin": b.number(4), "end": b.number(4)}
            if kind == EPOCHS:
                row["nonce"] = b.take(8).hex()
            last_end = rising(row["begin"], last, at)
            if row["end"] < last_end:
                raise malformed(at + 4)
            last = row["end"]
            out[name].append(row)
    last, codes = None, set()
    for b, at in rows(TICKETS):
        ticket = b.take(12)
        last = rising(ticket, last, at)
        floor, section, bits, entries, code = b.number(2), b.number(2), b.number(1), b.number(1), b.take(12)
        if bits >> 4 or bits >> 2 == 3:
            raise malformed(at + 16)
        if (floor == 0) == (bits >> 2 == SIGNED):
            raise malformed(at + 12)
        if not any(code) and bits >> 2 != SIGNED:
            raise malformed(at + 18)
        if any(code):
            if code in codes:
                raise malformed(at + 18)
            codes.add(code)
        out["tickets"].append({
            "id": ticket.hex(), "floor": floor, "section": section, "state": bits & 3, "profile": bits >> 2, "entries": entries,
            "code": code.hex() if any(code) else None,
        })
    last = None
    for b, at in rows(SEATS):
        ticket = b.take(12)
        last = rising(ticket, last, at)
        out["seats"].append({"ticket": ticket.hex(), "seat": b.text()})
    for b, at in rows(EVENT_KEY):
        if out["event_key"] is not None:
            raise malformed(at)
        key = b.take(65)
        if not good_point(key):
            raise malformed(at)
        out["event_key"] = key.hex()
    last = None
    for b, at in rows(REVOKED):
        scanner, chain = b.take(8), b.take(16)
        last = rising((scanner, chain), last, at)
        out["revoked"].append({"scanner": scanner.hex(), "chain": chain.hex(), "sequence": b.number(4), "hash": b.take(32).hex()})
    return out


def body_of(data, least, signature_first=True):
    """What stands before the signature. Bytes that end where the signature should begin are unsigned."""
    if signature_first and 64 <= len(data) <= least:
        raise Refused("BadSignature")
    if len(data) < least + 64:
        raise malformed()
    return data[:-64], data[-64:]


def magic(b, wanted):
    if b.take(4) != wanted:
        raise malformed(0)


def read_manifest_body(body):
    b = Bytes(body, 0, len(body))
    magic(b, b"TWM1")
    out = read_head(b)
    out.update(read_tables(body, split_tables(b)))
    out["hash"] = sha(body).hex()
    return out


def newer(head, body_hash, held):
    """Event and sequence, against the manifest in use."""
    if head["event"] != held["event"]:
        raise Refused("WrongEvent")
    if head["sequence"] < held["sequence"]:
        raise Refused("Rollback")
    if head["sequence"] == held["sequence"] and body_hash != held["hash"]:
        raise Refused("Forked")


def read_manifest(data, key, event, held=None):
    body, signature = body_of(data, 27)
    out = read_manifest_body(body)
    if not ed_holds(key, MANIFEST, body, signature):
        raise Refused("BadSignature")
    if out["event"] != event:
        raise Refused("WrongEvent")
    if held is not None:
        newer(out, out["hash"], read_manifest_body(held[:-64]))
    return out


def merged(kind, old, new):
    """Rows of tickets or seats, by id: the new ones over the old ones."""
    rows = {}
    for raw in old, new:
        b = Bytes(raw, 0, len(raw))
        while b.left():
            start = b.at
            ticket = b.take(12)
            b.take(18) if kind == TICKETS else b.text()
            rows[ticket] = raw[start:b.at]
    return b"".join(rows[ticket] for ticket in sorted(rows))


def read_delta(data, key, held):
    """What comes out: a manifest without a signature."""
    body, signature = body_of(data, 91)
    b = Bytes(body, 0, len(body))
    magic(b, b"TWD1")
    base, result = b.take(32), b.take(32)
    head = read_head(b)
    tables = split_tables(b)
    read_tables(body, tables)
    if not ed_holds(key, DELTA, body, signature):
        raise Refused("BadSignature")
    held_body = held[:-64]
    held_out = read_manifest_body(held_body)
    if head["event"] != held_out["event"]:
        raise Refused("WrongEvent")
    if base != sha(held_body):
        raise Refused("WrongBase")
    newer(head, result.hex(), held_out)
    old = {kind: raw for kind, (_, raw) in split_tables(Bytes(held_body, 27, len(held_body))).items()}
    for kind, (_, raw) in tables.items():
        old[kind] = merged(kind, old.get(kind, b""), raw) if kind in (TICKETS, SEATS) else raw
    out = b"TWM1" + body[68:91] + b"".join(table(kind, old[kind]) for kind in sorted(old))
    if sha(out) != result:
        raise Refused("WrongResult")
    try:
        read_manifest_body(out)
    except Refused:
        raise malformed() from None
    return out


def read_certificate(data, key, event):
    body, signature = body_of(data, 95)
    b = Bytes(body, 0, len(body))
    magic(b, b"TWS1")
    out = {"event": b.take(8).hex(), "scanner": b.take(8).hex()}
    point = b.take(65)
    if not good_point(point):
        raise malformed(20)
    out.update(key=point.hex(), not_before=b.number(4), not_after=b.number(4), name=b.text(1, 64), sections=[])
    for _ in range(b.number(1)):
        at = b.at
        code = b.number(2)
        if out["sections"] and code <= out["sections"][-1]:
            raise malformed(at)
        out["sections"].append(code)
    if b.left():
        raise malformed(b.at)
    if not ed_holds(key, SCANNER, body, signature):
        raise Refused("BadSignature")
    if out["event"] != event:
        raise Refused("WrongEvent")
    return out


def read_record(data, certificate):
    body, signature = body_of(data, 106, signature_first=False)
    b = Bytes(body, 0, len(body))
    magic(b, b"TWR1")
    out = {"chain": b.take(16).hex(), "scanner": b.take(8).hex(), "sequence": b.number(4)}
    if out["sequence"] == 0:
        raise malformed(28)
    previous = b.take(32)
    if any(previous) != (out["sequence"] != 1):
        raise malformed(32)
    out.update(previous=previous.hex() if any(previous) else None, event=b.take(8).hex())
    ticket = b.take(12)
    out["ticket"] = ticket.hex() if any(ticket) else None
    for name, size in ("generation", 2), ("persons", 2), ("time", 8), ("presented_at", 4), ("kind", 1), ("verdict", 1), ("profile", 1):
        out[name] = b.number(size)
    kind, verdict = out["kind"], out["verdict"]
    if out["persons"] == 0:
        raise malformed(86)
    if not ADMISSION <= kind <= OVERRIDE:
        raise malformed(100)
    if verdict >= len(VERDICTS):
        raise malformed(101)
    if out["profile"] > PLAIN:
        raise malformed(102)
    flags = b.number(1)
    if flags > 7 or flags & 6 == 4:
        raise malformed(103)
    out["verdict"] = VERDICTS[verdict]
    out["clock_confirmed"] = flags & 1 == 1
    if kind in (ADMISSION, EXIT, UNDO):
        if out["ticket"] is None:
            raise malformed(72)
        if verdict:
            raise malformed(101)
    elif not verdict:
        raise malformed(101)
    if (out["generation"] > 0) != (out["ticket"] is not None and out["profile"] == SIGNED):
        raise malformed(84)
    if kind == ADMISSION and out["profile"] == SIGNED and not flags & 2:
        raise malformed(103)
    n = b.number(2)
    if n != b.left() or (kind in (REFUSAL, EXIT) and n):
        raise malformed(104)
    if flags & 2 and (kind not in (ADMISSION, OVERRIDE) or out["profile"] != SIGNED):
        raise malformed(103)
    out["code"] = b.take(202).hex() if flags & 2 else None
    out["nonce"] = b.take(8).hex() if flags & 4 else None
    out["undoes"] = b.number(4) if kind == UNDO else None
    if kind == UNDO and not 0 < out["undoes"] < out["sequence"]:
        raise malformed(b.at - 4)
    out["reason"] = b.text(1, 200) if kind == OVERRIDE else None
    if b.left():
        raise malformed(b.at)
    if out["scanner"] != certificate["scanner"] or out["chain"][:16] != out["scanner"]:
        raise Refused("WrongScanner")
    if not p256_holds(bytes.fromhex(certificate["key"]), RECORD, body, signature):
        raise Refused("BadSignature")
    if out["event"] != certificate["event"]:
        raise Refused("WrongEvent")
    early = certificate["not_before"] and out["time"] < certificate["not_before"] * 1000
    late = certificate["not_after"] and out["time"] // 1000 > certificate["not_after"]
    if early or late:
        raise Refused("NotCertified")
    out["hash"] = sha(data).hex()
    return out


# The writer ---------------------------------------------------------------------------------------------------------------------------

PROVIDER, EVENT = "bam:api.example.org/org1", "derby-2026"
T = 1_790_000_000


def name_id(name, size):
    return sha(PROVIDER.encode() + b"\x1f" + name.encode())[:size]


EVENT_ID, OTHER_EVENT = name_id(EVENT, 8), name_id("another-2026", 8)
SERVER, OTHER_SERVER = Ed(b"manifest key"), Ed(b"another manifest key")
ISSUER, SECOND_ISSUER = Ed(b"issuer"), Ed(b"second issuer")
SCANNER_KEY, OTHER_SCANNER_KEY = P256(b"scanner"), P256(b"another scanner")
DEVICE, BAM_EVENT, BAM_EVENT_2 = P256(b"device"), P256(b"event key of B.A.M"), P256(b"second event key of B.A.M")
SCANNER_ID, OTHER_SCANNER = sha(b"scanner id")[:8], sha(b"another scanner id")[:8]
OFF_CURVE = SCANNER_KEY.public[:-1] + u(1, SCANNER_KEY.public[-1] ^ 1)
COMPRESSED_TAG = b"\x02" + SCANNER_KEY.public[1:]
NO_UTF8 = [b"Tor \xff", b"Tor \xc0\xaf", b"Tor \xed\xa0\x80", b"Tor \xe2\x82"]  # no start byte, overlong, surrogate, cut off


def ticket_id(name):
    return name_id(name, 12)


def code_hash(code):
    return sha(EVENT_ID + code.encode())[:12]


def table(kind, rows):
    return u(1, kind) + u(4, len(rows)) + rows


def head(sequence=7, as_of=T - 3600, closes_at=T + 600, policy=2, entries=3, flags=0, event=EVENT_ID):
    return event + u(4, sequence) + u(4, as_of) + u(4, closes_at) + u(1, policy) + u(1, entries) + u(1, flags)


def issuer(key, since=0, until=0):
    return key + u(4, since) + u(4, until)


def section(code, name):
    return u(2, code) + text(name)


def span(begin, end, nonce=b""):
    return u(4, begin) + u(4, end) + nonce


def ticket(name, floor=0, section=0, state=0, profile=SIGNED, entries=0, code=None, bits=0):
    return ticket_id(name) + u(2, floor) + u(2, section) + u(1, state | profile << 2 | bits) + u(1, entries) + (
        bytes(12) if code is None else code_hash(code))


def bam_text(name):
    """What the code of a ticket of profile 1 signs, a number made from its name."""
    return f"E4711TC1T{int.from_bytes(sha(name.encode())[:4])}"


def by_id(*rows):
    return b"".join(sorted(rows, key=lambda row: row[:12]))


def seat(name, value):
    return ticket_id(name) + text(value)


def revoked(scanner, chain, sequence, label):
    return scanner + chain + u(4, sequence) + sha(label)


def manifest_body(top, tables):
    """`tables`: kind → rows, in the order given."""
    return b"TWM1" + top + b"".join(table(kind, rows) for kind, rows in tables.items())


def delta_body(base, result, top, tables):
    return b"TWD1" + sha(base) + sha(result) + top + b"".join(table(kind, rows) for kind, rows in tables.items())


def certificate_body(event=EVENT_ID, scanner=SCANNER_ID, key=None, begin=T - 7200, end=T + 28800, name="Tor 3", sections=(), count=None):
    return b"TWS1" + event + scanner + (SCANNER_KEY.public if key is None else key) + u(4, begin) + u(4, end) + text(name) + u(
        1, len(sections) if count is None else count) + b"".join(u(2, code) for code in sections)


def record_body(kind, verdict, chain=b"one", sequence=1, previous=None, ticket=None, generation=0, persons=1, time=T * 1000 + 250,
                presented_at=0, profile=SIGNED, flags=1, evidence=b"", n=None, event=EVENT_ID, scanner=SCANNER_ID, of=None):
    return b"TWR1" + (SCANNER_ID if of is None else of) + sha(b"chain " + chain)[:8] + scanner + u(4, sequence) + (sha(previous) if previous else bytes(32)) + event + (
        bytes(12) if ticket is None else ticket_id(ticket)) + u(2, generation) + u(2, persons) + u(8, time) + u(4, presented_at) + u(
        1, kind) + u(1, verdict) + u(1, profile) + u(1, flags) + u(2, len(evidence) if n is None else n) + evidence


def signed_code(name, generation, presented_at, section=0, nonce=None, window=30):
    """The 202 bytes of docs/barcode.md."""
    first = 0x10 | (DEVICE.public[64] & 1) | (2 if nonce else 0)
    credential = u(1, first) + sha(ISSUER.public)[:4] + EVENT_ID + ticket_id(name) + u(2, section) + u(2, generation) + u(
        4, T - 86400) + u(4, T + 86400) + u(1, window) + DEVICE.public[1:33]
    assert len(credential) == 70
    credential += ISSUER.sign(b"ticket-wallet/1/credential", credential)
    when = u(4, presented_at)
    proof = DEVICE.sign(b"ticket-wallet/1/proof", sha(credential) + when + text(nonce or b""))
    code = credential + when + proof
    assert len(code) == 202
    return code


# The vectors --------------------------------------------------------------------------------------------------------------------------

class Vectors:
    def __init__(self):
        self.lists = {"manifests": [], "deltas": [], "certificates": [], "records": []}

    def put(self, where, name, data, verdict="Ok", offset=None, **more):
        assert all(entry["name"] != name for entry in self.lists[where]), name
        entry = {"name": name}
        for key in "base", "certificate", "held":
            if key in more:
                entry[key] = more.pop(key)
        entry.update(bytes=data.hex(), verdict=verdict)
        if offset is not None:
            entry["offset"] = offset
        entry.update(more)
        self.lists[where].append(entry)
        return data

    def raw(self, where, name):
        return bytes.fromhex(next(entry["bytes"] for entry in self.lists[where] if entry["name"] == name))


V = Vectors()


def changed(body, offset, new):
    assert body[offset:offset + len(new)] != new
    return body[:offset] + new + body[offset + len(new):]


def common_breaks(where, body, least, wrong_magic, sign, **more):
    """Refusals that every format has; `sign` signs the broken body again."""
    def bad(name, data, offset=None):
        V.put(where, name, data, "Malformed", offset, **more)

    bad("empty", b"")
    bad("magic_alone", body[:4])
    bad("shorter_than_a_signature", body[:63])
    bad("one_byte_too_short_for_its_head", body[:least - 1] + sign(body[:least - 1]))
    unsigned = "BadSignature" if where != "records" and least >= 64 else "Malformed"
    V.put(where, "no_signature", body[:least], unsigned, **more)
    for name, other in wrong_magic:
        broken = other + body[4:]
        bad(name, broken + sign(broken), 0)


def signature_breaks(where, body, key, other, label, other_label, free, **more):
    """`free`: the offset of a byte that may have any value."""
    good = key.sign(label, body)

    def bad(name, data):
        V.put(where, name, data, "BadSignature", **more)

    bad("signed_by_another_key", body + other.sign(label, body))
    bad("signed_over_another_label", body + key.sign(other_label, body))
    bad("signed_without_label", body + (key.private.sign(body) if isinstance(key, Ed) else key.sign(body[:0], body)))
    bad("a_bit_changed_after_signing", changed(body, free, u(1, body[free] ^ 1)) + good)
    bad("a_bit_of_r_changed", body + changed(good, 3, u(1, good[3] ^ 1)))
    bad("a_bit_of_s_changed", body + changed(good, 40, u(1, good[40] ^ 1)))
    bad("signature_of_zeros", body + bytes(64))


def ed_breaks(where, body, label, **more):
    V.put(where, "s_is_not_below_l", body + SERVER.sign_with_big_s(label, body), "BadSignature", **more)
    V.put(where, "r_is_not_canonical", body + SERVER.sign_with_odd_r(label, body), "BadSignature", **more)


def sign_manifest(body):
    return body + SERVER.sign(MANIFEST, body)


PLAIN_CODES = {"plain-0": "4006381333931", "plain-1": "ABC-1234", "plain-2": "Süd·7 Код", "plain-3": "https://example.org/t?c=00017"}
EPOCH_NONCES = [sha(b"nonce %d" % i)[:8] for i in range(4)]


def every_table():
    tickets = []
    for state in range(4):
        tickets.append(ticket(f"signed-{state}", [1, 2, 3, 65535][state], state, state, SIGNED, state))
        tickets.append(ticket(f"bam-{state}", 0, 3 - state, state, BAM, [0, 1, 255, 0][state], bam_text(f"bam-{state}")))
        tickets.append(ticket(f"plain-{state}", 0, 0, state, PLAIN, 0, PLAIN_CODES[f"plain-{state}"]))
    return {
        ISSUERS: issuer(ISSUER.public) + issuer(SECOND_ISSUER.public, T - 86400, T + 86400),
        SECTIONS: section(1, "Nord") + section(2, "Südkurve") + section(3, "Haupttribüne, Logen 1–8"),
        DAYS: span(T - 7200, T + 7200) + span(T + 7201, T + 10000) + span(T + 86400, T + 86400),
        EPOCHS: span(T - 600, T - 1, EPOCH_NONCES[0]) + span(T, T + 599, EPOCH_NONCES[1]) + span(T + 900, T + 1499, EPOCH_NONCES[2]),
        TICKETS: by_id(*tickets),
        SEATS: by_id(seat("signed-0", "Block 12, Reihe 3, Platz 7"), seat("bam-0", "Ä 1"), seat("plain-0", "x" * 255)),
        EVENT_KEY: BAM_EVENT.public,
        REVOKED: b"".join(sorted([
            revoked(OTHER_SCANNER, bytes(16), 12, b"a"), revoked(OTHER_SCANNER, bytes(15) + b"\1", 1, b"b"),
            revoked(sha(b"third scanner")[:8], sha(b"its chain")[:16], 2**32 - 1, b"c")])),
    }


def manifests():
    tables = every_table()
    every = manifest_body(head(), tables)

    def ok(name, body, lookup=None, **more):
        data = sign_manifest(body)
        V.put("manifests", name, data, lookup={code: ticket_id(t).hex() for t, code in (lookup or {}).items()}, **more)
        return body

    minimal = ok("minimal", manifest_body(head(1, T - 90000, 0, 0, 1), {}))
    ok("every_table", every, PLAIN_CODES)
    with_optional = ok("optional_table_at_the_end", manifest_body(head(8), {**tables, 200: b"an addition"}), PLAIN_CODES)
    ok("optional_tables_128_and_255", manifest_body(head(1), {128: b"", 255: b"\0"}))
    ok("policy_once", manifest_body(head(1, policy=0, entries=1), {SECTIONS: tables[SECTIONS]}))
    ok("policy_again_after_exit", manifest_body(head(2, policy=1, entries=1), {kind: tables[kind] for kind in (SECTIONS, TICKETS)}), PLAIN_CODES)
    ok("policy_entries", manifest_body(head(3, policy=2, entries=255), {}))
    ok("policy_days_and_nonce_required", manifest_body(
        head(4, policy=3, entries=2, flags=1), {DAYS: tables[DAYS], EPOCHS: tables[EPOCHS]}))
    ok("unlisted_tickets_by_bams_code", manifest_body(head(5, flags=2), {EVENT_KEY: tables[EVENT_KEY]}))
    ok("unlisted_tickets_by_bams_code_and_nonce_required", manifest_body(head(6, flags=3), {TICKETS: tables[TICKETS]}), PLAIN_CODES)
    ok("highest_numbers", manifest_body(head(2**32 - 1, 2**32 - 1, 2**32 - 1, 2, 255), {}))
    ok("the_same_again", every, PLAIN_CODES, held="every_table")
    ok("the_next", with_optional, PLAIN_CODES, held="every_table")
    ok("a_later_one_with_a_gap", manifest_body(head(4_000), {}), held="every_table")

    # What a delta makes of others; made by hand here, not with the merge of the reader.
    tickets = {}
    for at in range(0, len(tables[TICKETS]), 30):
        row = tables[TICKETS][at:at + 30]
        tickets[row[:12]] = row
    new = [
        ticket("signed-0", 2, 0, 0, SIGNED, 0), ticket("bam-0", 0, 3, 1, BAM, 0, bam_text("bam-0")),
        ticket("new-signed", 5, 2, 2, code=bam_text("new-signed")), ticket("new-bam", profile=BAM, code=bam_text("new-bam")),
        ticket("plain-0", 0, 0, 0, PLAIN, 0, PLAIN_CODES["plain-1"]), ticket("plain-1", 0, 0, 0, PLAIN, 0, PLAIN_CODES["plain-0"]),
        ticket("new-plain", 0, 1, 0, PLAIN, 9, "new 1"),
    ]
    new_seats = [seat("signed-0", "Platz 8"), seat("new-plain", "Stehplatz"), seat("signed-1", "R")]
    for row in new:
        tickets[row[:12]] = row
    swapped = {**PLAIN_CODES, "plain-0": PLAIN_CODES["plain-1"], "plain-1": PLAIN_CODES["plain-0"], "new-plain": "new 1"}
    seats = by_id(*new_seats, seat("bam-0", "Ä 1"), seat("plain-0", "x" * 255))
    after_tickets = ok("after_tickets_and_seats", manifest_body(
        head(8, T - 3000), {**tables, TICKETS: by_id(*tickets.values()), SEATS: seats}), swapped)
    replaced = {
        ISSUERS: issuer(SECOND_ISSUER.public, 0, T), SECTIONS: tables[SECTIONS] + section(7, "Gäste"), DAYS: span(T, T + 100),
        EPOCHS: span(T + 1500, T + 2099, EPOCH_NONCES[3]), EVENT_KEY: BAM_EVENT_2.public,
        REVOKED: revoked(SCANNER_ID, sha(b"chain one")[:16], 3, b"d"),
    }
    after_replaced = ok("after_replaced_tables", manifest_body(
        head(9, T - 2900, 0, 3, 1, 1), {**tables, **replaced, 200: b"another addition"}), PLAIN_CODES)
    after_head = ok("after_head_change", manifest_body(head(20, T - 2800, T, 0, 1, 1), tables), PLAIN_CODES)
    after_unlisted = ok("after_unlisted_change", manifest_body(head(21, flags=2), tables), PLAIN_CODES)
    after_minimal = ok("after_minimal", manifest_body(head(2), tables), PLAIN_CODES)
    after_optional = ok("after_optional_table", manifest_body(head(9), {**tables, 150: b"early", 200: b"an addition"}), PLAIN_CODES)
    after_one = ok("after_one_seat", manifest_body(head(8), {**tables, SEATS: by_id(
        seat("bam-0", "Ä 2"), seat("signed-0", "Block 12, Reihe 3, Platz 7"), seat("plain-0", "x" * 255))}), PLAIN_CODES)

    # Refused.
    def bad(name, body, offset=None, **more):
        V.put("manifests", name, sign_manifest(body), "Malformed", offset, **more)

    common_breaks("manifests", every, 27, [("magic_of_a_delta", b"TWD1"), ("magic_of_another_version", b"TWM2"), (
        "magic_in_small_letters", b"twm1")], lambda body: SERVER.sign(MANIFEST, body))
    bad("cut_after_a_kind", minimal + b"\1")
    bad("cut_in_a_table_length", minimal + b"\1\0\0")
    bad("cut_in_a_row", every[:-1])
    bad("cut_in_tickets", every[:27 + 5 + 80 + 200])
    bad("one_byte_too_many", every + b"\0")
    bad("64_bytes_too_many", every + SERVER.sign(MANIFEST, every))
    bad("sequence_0", changed(every, 12, bytes(4)), 12)
    bad("policy_4", changed(every, 24, b"\4"), 24)
    bad("policy_255", changed(every, 24, b"\xff"), 24)
    bad("entries_0", changed(every, 25, b"\0"), 25)
    for bit in range(3, 8):
        bad(f"head_bit_{bit}", changed(every, 26, u(1, 1 << bit)), 26)
    bad("unlisted_profile_2", changed(every, 26, u(1, 2 << 1)), 26)
    bad("unlisted_profile_3", changed(every, 26, u(1, 3 << 1 | 1)), 26)
    small = {DAYS: tables[DAYS], SECTIONS: tables[SECTIONS]}
    bad("kinds_out_of_order", manifest_body(head(), small), 27 + 5 + 24)
    twice = table(SECTIONS, section(1, "A"))
    bad("kind_twice", b"TWM1" + head() + twice + table(SECTIONS, section(2, "B")), 27 + len(twice))
    bad("optional_kind_twice", b"TWM1" + head() + table(200, b"a") * 2, 27 + 6)
    bad("optional_kinds_out_of_order", manifest_body(head(), {201: b"", 200: b""}), 27 + 5)
    bad("known_kind_after_an_optional_one", manifest_body(head(), {200: b"", 1: tables[ISSUERS]}), 27 + 5)
    for kind in 0, 9, 127:
        bad(f"kind_{kind}", manifest_body(head(), {kind: b""}), 27)
    bad("table_longer_than_the_manifest", b"TWM1" + head() + b"\3" + u(4, 9) + span(T, T + 1), 28)
    bad("table_length_of_all_ones", b"TWM1" + head() + b"\xc8" + b"\xff" * 4 + b"abc", 28)
    bad("table_length_reaches_into_the_signature", b"TWM1" + head() + b"\xc8" + u(4, 67) + b"abc", 28)

    def one(kind, rows):
        return manifest_body(head(), {kind: rows})

    for kind, rows in tables.items():
        bad(f"table_{kind}_ends_in_a_row", one(kind, rows[:-1]))
        bad(f"table_{kind}_with_one_byte_left_over", one(kind, rows + b"\0"))
    odd, small_order, no_point = odd_ed_keys()
    for name, key in ("not_canonical", odd), ("of_small_order", small_order), ("not_a_point", no_point):
        bad(f"issuer_key_{name}", one(ISSUERS, issuer(ISSUER.public) + issuer(key)), 32 + 40)
    bad("section_name_runs_over_its_table", one(SECTIONS, u(2, 1) + b"\5Nord"))
    for i, raw in enumerate(NO_UTF8):
        bad(f"section_name_not_utf8_{i}", one(SECTIONS, section(1, raw)))
        bad(f"seat_not_utf8_{i}", one(SEATS, seat("a", raw)))
    bad("seat_runs_over_its_table", one(SEATS, ticket_id("a") + b"\3ab"))
    bad("day_ends_before_it_begins", one(DAYS, span(T, T - 1)))
    bad("days_out_of_order", one(DAYS, span(T + 1000, T + 1999) + span(T, T + 999)), 32 + 8)
    bad("days_overlap", one(DAYS, span(T, T + 1000) + span(T + 500, T + 2000)), 32 + 8)
    bad("days_share_a_second", one(DAYS, span(T, T + 1000) + span(T + 1000, T + 2000)), 32 + 8)
    bad("day_twice", one(DAYS, span(T, T + 1000) * 2), 32 + 8)
    n0, n1, n2, _ = EPOCH_NONCES
    bad("epoch_ends_before_it_begins", one(EPOCHS, span(T, T - 100, n0)))
    bad("epochs_out_of_order", one(EPOCHS, span(T + 1000, T + 1999, n0) + span(T, T + 999, n1)), 32 + 16)
    bad("epochs_overlap", one(EPOCHS, span(T, T + 1000, n0) + span(T + 500, T + 2000, n1)), 32 + 16)
    first, second = sorted([ticket("a", 1), ticket("b", 1)])
    bad("tickets_not_rising", one(TICKETS, second + first), 32 + 30)
    bad("ticket_twice", one(TICKETS, first + first), 32 + 30)
    bad("ticket_twice_with_other_fields", one(TICKETS, first + first[:12] + second[12:17] + b"\1" + bytes(12)), 32 + 30)
    for bit in range(4, 8):
        bad(f"ticket_bit_{bit}", one(TICKETS, ticket("a", bits=1 << bit)), 32 + 16)
    bad("ticket_profile_3", one(TICKETS, ticket("a", profile=3)), 32 + 16)
    bad("plain_ticket_with_a_generation_floor", one(TICKETS, ticket("a", 1, profile=PLAIN, code="x")), 32 + 12)
    bad("bam_ticket_with_a_generation_floor", one(TICKETS, ticket("a", 1, profile=BAM, code="x")), 32 + 12)
    bad("bam_ticket_without_a_code", one(TICKETS, ticket("a", profile=BAM)), 32 + 18)
    bad("plain_ticket_without_a_code", one(TICKETS, ticket("a", profile=PLAIN)), 32 + 18)
    bad("signed_ticket_without_a_generation_floor", one(TICKETS, ticket("a", code="x")), 32 + 12)
    bad("two_tickets_with_one_code", one(TICKETS, by_id(
        ticket("a", profile=PLAIN, code="x"), ticket("b", profile=PLAIN, code="y"), ticket("c", profile=PLAIN, code="x"))))
    first, second = sorted([seat("a", "1"), seat("b", "2")])
    bad("seats_not_rising", one(SEATS, second + first), 32 + 14)
    bad("seat_twice", one(SEATS, first + first), 32 + 14)
    bad("event_key_off_the_curve", one(EVENT_KEY, OFF_CURVE), 32)
    bad("event_key_with_another_tag", one(EVENT_KEY, COMPRESSED_TAG), 32)
    bad("event_key_hybrid", one(EVENT_KEY, u(1, 6 | SCANNER_KEY.public[64] & 1) + SCANNER_KEY.public[1:]), 32)
    bad("event_key_of_zeros", one(EVENT_KEY, b"\4" + bytes(64)), 32)
    bad("event_key_compressed", one(EVENT_KEY, u(1, 2 | SCANNER_KEY.public[64] & 1) + SCANNER_KEY.public[1:33]))
    bad("two_event_keys", one(EVENT_KEY, BAM_EVENT.public + BAM_EVENT_2.public))
    low, high = sorted([SCANNER_ID, OTHER_SCANNER])
    chain_a, chain_b = b"\1" * 16, b"\2" * 16
    bad("revoked_scanners_not_rising", one(REVOKED, revoked(high, chain_a, 1, b"a") + revoked(low, chain_b, 1, b"b")), 32 + 60)
    bad("revoked_chains_not_rising", one(REVOKED, revoked(low, chain_b, 1, b"a") + revoked(low, chain_a, 1, b"b")), 32 + 60)
    bad("revoked_chain_twice", one(REVOKED, revoked(low, chain_a, 1, b"a") + revoked(low, chain_a, 2, b"b")), 32 + 60)

    signature_breaks("manifests", every, SERVER, OTHER_SERVER, MANIFEST, DELTA, 19)
    ed_breaks("manifests", every, MANIFEST)
    other = manifest_body(head(9, event=OTHER_EVENT), {})
    V.put("manifests", "of_another_event", sign_manifest(other), "WrongEvent")
    V.put("manifests", "of_another_event_while_one_is_in_use", sign_manifest(other), "WrongEvent", held="every_table")
    V.put("manifests", "of_another_event_and_older", sign_manifest(manifest_body(head(6, event=OTHER_EVENT), {})), "WrongEvent", held="every_table")
    V.put("manifests", "older", sign_manifest(manifest_body(head(6), tables)), "Rollback", held="every_table")
    V.put("manifests", "oldest", sign_manifest(minimal), "Rollback", held="every_table")
    V.put("manifests", "same_sequence_other_time", sign_manifest(manifest_body(head(as_of=T - 3599), tables)), "Forked", held="every_table")
    V.put("manifests", "same_sequence_other_tables", sign_manifest(manifest_body(head(), {})), "Forked", held="every_table")
    V.put("manifests", "same_sequence_one_optional_table_more", sign_manifest(
        manifest_body(head(), {**tables, 200: b""})), "Forked", held="every_table")
    return tables, every, minimal, with_optional, new, new_seats, replaced, {
        "tickets": after_tickets, "replaced": after_replaced, "head": after_head, "unlisted": after_unlisted,
        "minimal": after_minimal, "optional": after_optional,
        "seat": after_one}


def deltas(tables, every, minimal, with_optional, new, new_seats, replaced, after):
    def sign(body):
        return body + SERVER.sign(DELTA, body)

    def ok(name, base, base_name, result, result_name, changes):
        body = delta_body(base, result, result[4:27], changes)
        V.put("deltas", name, sign(body), base=base_name, result=result_name)
        return body

    good = ok("changed_and_new_tickets_and_seats", every, "every_table", after["tickets"], "after_tickets_and_seats", {
        TICKETS: by_id(*new), SEATS: by_id(*new_seats)})
    ok("one_seat", every, "every_table", after["seat"], "after_one_seat", {SEATS: seat("bam-0", "Ä 2")})
    ok("replaced_tables", with_optional, "optional_table_at_the_end", after["replaced"], "after_replaced_tables", {
        **{kind: replaced[kind] for kind in sorted(replaced)}, 200: b"another addition"})
    ok("head_change_only", every, "every_table", after["head"], "after_head_change", {})
    ok("unlisted_change_only", every, "every_table", after["unlisted"], "after_unlisted_change", {})
    ok("every_table_is_new", minimal, "minimal", after["minimal"], "after_minimal", tables)
    ok("optional_table_goes_between", with_optional, "optional_table_at_the_end", after["optional"], "after_optional_table", {150: b"early"})

    base = {"base": "every_table"}

    def bad(name, body, offset=None):
        V.put("deltas", name, sign(body), "Malformed", offset, **base)

    def one(*kinds, top=head(8)):
        """A delta whose tables are at fault: the hash of the result is that of every table and the head."""
        return b"TWD1" + sha(every) + sha(b"TWM1" + top + every[27:]) + top + b"".join(table(kind, rows) for kind, rows in kinds)

    common_breaks("deltas", good, 91, [("magic_of_a_manifest", b"TWM1"), ("magic_of_another_version", b"TWD2")],
                  lambda body: SERVER.sign(DELTA, body), **base)
    bad("cut_after_a_kind", one() + b"\5")
    bad("cut_in_a_table_length", one() + b"\5\0\0\0")
    bad("cut_in_a_row", good[:-1])
    bad("one_byte_too_many", good + b"\0")
    bad("sequence_0", one(top=head(0)), 76)
    bad("policy_4", one(top=head(8, policy=4)), 88)
    bad("entries_0", one(top=head(8, entries=0)), 89)
    for bit in 2, 3, 7:
        bad(f"head_bit_{bit}", one(top=head(8, flags=1 << bit)), 90)
    bad("kinds_out_of_order", one((SEATS, seat("a", "1")), (TICKETS, ticket("a"))), 91 + 5 + 14)
    bad("kind_twice", one((TICKETS, ticket("a")), (TICKETS, ticket("b"))), 91 + 35)
    for kind in 0, 9, 127:
        bad(f"kind_{kind}", one((kind, b"")), 91)
    bad("table_longer_than_the_delta", one() + b"\5" + u(4, 31) + ticket("a"), 92)
    bad("table_length_of_all_ones", one() + b"\5" + b"\xff" * 4 + ticket("a"), 92)
    first, second = sorted([ticket("a", 1), ticket("b", 1)])
    bad("tickets_not_rising", one((TICKETS, second + first)), 96 + 30)
    bad("ticket_twice", one((TICKETS, first + first)), 96 + 30)
    bad("tickets_end_in_a_row", one((TICKETS, first + second[:29])))
    bad("ticket_bit_4", one((TICKETS, ticket("a", bits=16))), 96 + 16)
    bad("ticket_profile_3", one((TICKETS, ticket("a", profile=3))), 96 + 16)
    bad("plain_ticket_with_a_generation_floor", one((TICKETS, ticket("a", 1, profile=PLAIN, code="x"))), 96 + 12)
    bad("two_tickets_with_one_code", one((TICKETS, by_id(ticket("a", profile=PLAIN, code="x"), ticket("b", profile=PLAIN, code="x")))))
    first, second = sorted([seat("a", "1"), seat("b", "2")])
    bad("seats_not_rising", one((SEATS, second + first)), 96 + 14)
    bad("seat_twice", one((SEATS, first + first)), 96 + 14)
    bad("seat_not_utf8", one((SEATS, seat("a", NO_UTF8[0]))))
    bad("section_name_not_utf8", one((SECTIONS, section(1, NO_UTF8[1]))))
    bad("days_overlap", one((DAYS, span(T, T + 10) + span(T + 10, T + 20))), 96 + 8)
    bad("epochs_overlap", one((EPOCHS, span(T, T + 10, EPOCH_NONCES[0]) + span(T + 5, T + 20, EPOCH_NONCES[1]))), 96 + 16)
    bad("issuer_key_not_canonical", one((ISSUERS, issuer(odd_ed_keys()[0]))), 96)
    bad("event_key_off_the_curve", one((EVENT_KEY, OFF_CURVE)), 96)
    bad("two_event_keys", one((EVENT_KEY, BAM_EVENT.public + BAM_EVENT_2.public)))
    row = revoked(SCANNER_ID, b"\1" * 16, 1, b"a")
    bad("revoked_chain_twice", one((REVOKED, row + row)), 96 + 60)
    # Right alone and with the right hash, but what comes out has two tickets with one code.
    late = ticket("zz", profile=PLAIN, code=PLAIN_CODES["plain-0"])
    rows = [tables[TICKETS][at:at + 30] for at in range(0, len(tables[TICKETS]), 30)]
    result = manifest_body(head(8), {**tables, TICKETS: by_id(late, *rows)})
    bad("two_tickets_with_one_code_in_what_comes_out", delta_body(every, result, head(8), {TICKETS: late}))

    signature_breaks("deltas", good, SERVER, OTHER_SERVER, DELTA, MANIFEST, 83, **base)
    ed_breaks("deltas", good, DELTA, **base)
    held = {"base": "every_table", "held": "every_table"}
    for name, at_hand in ("from_an_older_base", "minimal"), ("from_another_base", "optional_table_at_the_end"):
        # Sequence 20, so that it is later than each of them.
        body = delta_body(every, after["head"], after["head"][4:27], {})
        V.put("deltas", name, sign(body), "WrongBase", base=at_hand, held=at_hand)
    signed_base = sign_manifest(every)
    V.put("deltas", "base_hash_with_the_signature", sign(
        delta_body(signed_base, after["tickets"], head(8, T - 3000), {TICKETS: by_id(*new), SEATS: by_id(*new_seats)})), "WrongBase", **held)
    V.put("deltas", "base_hash_of_zeros", sign(changed(good, 4, bytes(32))), "WrongBase", **held)
    V.put("deltas", "result_hash_of_another", sign(changed(good, 36, sha(after["head"]))), "WrongResult", **held)
    V.put("deltas", "result_hash_with_the_signature", sign(changed(good, 36, sha(sign_manifest(after["tickets"])))), "WrongResult", **held)
    V.put("deltas", "result_with_another_head", sign(changed(good, 80, u(4, T - 2999))), "WrongResult", **held)
    V.put("deltas", "result_without_one_of_the_tickets", sign(delta_body(
        every, after["tickets"], head(8, T - 3000), {TICKETS: by_id(*new[:-1]), SEATS: by_id(*new_seats)})), "WrongResult", **held)
    V.put("deltas", "older", sign(delta_body(every, manifest_body(head(6), tables), head(6), {})), "Rollback", **held)
    V.put("deltas", "same_sequence_other_time", sign(
        delta_body(every, manifest_body(head(as_of=T), tables), head(as_of=T), {})), "Forked", **held)
    other = head(8, event=OTHER_EVENT)
    V.put("deltas", "of_another_event", sign(delta_body(every, manifest_body(other, tables), other, {})), "WrongEvent", **held)


def certificates():
    def sign(body):
        return body + SERVER.sign(SCANNER, body)

    def ok(case, **fields):
        V.put("certificates", case, sign(certificate_body(**fields)))

    ok("without_sections")
    ok("with_sections", name="Südtor, Drehkreuz 2", sections=[1, 2, 700, 65535])
    ok("with_255_sections", sections=list(range(1, 256)))
    ok("shortest_name", name="3")
    ok("longest_name", name="ü" * 32)
    ok("no_times", begin=0, end=0)
    ok("of_another_scanner", scanner=OTHER_SCANNER, key=OTHER_SCANNER_KEY.public)

    good = certificate_body(sections=[1, 2])

    def bad(name, body, offset=None):
        V.put("certificates", name, sign(body), "Malformed", offset)

    common_breaks("certificates", good, 95, [("magic_of_a_record", b"TWR1"), ("magic_of_another_version", b"TWS2")],
                  lambda body: SERVER.sign(SCANNER, body))
    bad("cut_in_its_name", certificate_body(name="n" * 64)[:93 + 40])
    bad("cut_before_the_number_of_sections", certificate_body()[:-1])
    bad("cut_in_a_section", good[:-1])
    bad("fewer_sections_than_counted", certificate_body(sections=[1, 2], count=3))
    bad("more_sections_than_counted", certificate_body(sections=[1, 2], count=1))
    bad("one_byte_too_many", good + b"\0")
    bad("64_bytes_too_many", good + SERVER.sign(SCANNER, good))
    bad("name_of_0_bytes", certificate_body(name=""), 93)
    bad("name_of_65_bytes", certificate_body(name="n" * 65), 93)
    bad("name_of_255_bytes", certificate_body(name="n" * 255), 93)
    for i, raw in enumerate(NO_UTF8):
        bad(f"name_not_utf8_{i}", certificate_body(name=raw))
    bad("sections_not_rising", certificate_body(sections=[2, 1]), 93 + 6 + 1 + 2)
    bad("section_twice", certificate_body(sections=[1, 2, 2]), 93 + 6 + 1 + 4)
    bad("key_off_the_curve", certificate_body(key=OFF_CURVE), 20)
    bad("key_with_another_tag", certificate_body(key=COMPRESSED_TAG), 20)
    bad("key_hybrid", certificate_body(key=u(1, 6 | SCANNER_KEY.public[64] & 1) + SCANNER_KEY.public[1:]), 20)
    bad("key_of_zeros", certificate_body(key=bytes(65)), 20)
    signature_breaks("certificates", good, SERVER, OTHER_SERVER, SCANNER, MANIFEST, 15)
    ed_breaks("certificates", good, SCANNER)
    V.put("certificates", "of_another_event", sign(certificate_body(event=OTHER_EVENT)), "WrongEvent")


def records():
    def sign(body):
        return body + SCANNER_KEY.sign(RECORD, body)

    def ok(name, *args, certificate="without_sections", **fields):
        return V.put("records", name, sign(record_body(*args, **fields)), certificate=certificate)

    nonce = EPOCH_NONCES[1]  # of the manifest with every table, at T
    code = signed_code("signed-0", 3, T - 2)
    code_nonce = signed_code("signed-0", 3, T - 1, nonce=nonce)
    named = {"ticket": "signed-0", "generation": 3, "presented_at": T - 2}
    named_nonce = {**named, "presented_at": T - 1}
    admitted = {**named, "flags": 3, "evidence": code}
    plain = {"ticket": "plain-0", "profile": PLAIN}
    bam = {"ticket": "bam-0", "profile": BAM}

    first = ok("admission_signed", ADMISSION, 0, **admitted)
    ok("admission_signed_with_nonce", ADMISSION, 0, **named_nonce, flags=7, evidence=code_nonce + nonce)
    ok("admission_signed_clock_not_confirmed", ADMISSION, 0, **named, flags=2, evidence=code)
    ok("admission_plain", ADMISSION, 0, **plain, persons=1, flags=0)
    ok("admission_bam", ADMISSION, 0, **bam, persons=4)
    ok("admission_highest_numbers", ADMISSION, 0, **{**bam, "persons": 65535, "sequence": 2**32 - 1, "previous": first})
    ok("admission_with_sections", ADMISSION, 0, **plain, certificate="with_sections")
    ok("admission_without_certified_times", ADMISSION, 0, **plain, time=1, certificate="no_times")
    ok("admission_when_the_certificate_begins", ADMISSION, 0, **plain, time=(T - 7200) * 1000)
    ok("admission_shortly_before_the_certificate_ends", ADMISSION, 0, **plain, time=(T + 28800) * 1000 - 1)
    for number, name in enumerate(VERDICTS):
        if number in (1, 2, 3, 4, 17):  # nothing of the code is known
            ok(f"refusal_{name}", REFUSAL, number)
        elif name == "UnknownTicket":
            ok(f"refusal_{name}", REFUSAL, number, profile=PLAIN)
        elif name == "WrongProfile":
            ok(f"refusal_{name}", REFUSAL, number, **plain)
        elif number:
            ok(f"refusal_{name}", REFUSAL, number, **named)
    ok("refusal_of_a_bam_ticket", REFUSAL, 13, **bam)
    ok("exit_signed", EXIT, 0, sequence=2, previous=first, **named)
    ok("exit_plain", EXIT, 0, sequence=2, previous=first, **plain, persons=2)
    ok("undo", UNDO, 0, sequence=2, previous=first, **named, evidence=u(4, 1))
    ok("undo_of_a_plain_ticket", UNDO, 0, sequence=900, previous=first, **plain, evidence=u(4, 899))
    ok("override_signed", OVERRIDE, 18, **named, flags=3, evidence=code + text("Kam mit Begleitung zurück"))
    ok("override_signed_with_nonce", OVERRIDE, 10, **named_nonce, flags=7, evidence=code_nonce + nonce + text("x" * 200))
    ok("override_signed_without_the_code", OVERRIDE, 12, **named, evidence=text("Handy getauscht"))
    ok("override_plain", OVERRIDE, 14, **plain, evidence=text("Geklärt"))
    ok("override_unnamed", OVERRIDE, 19, profile=PLAIN, evidence=text("?"))
    ok("override_unnamed_signed_profile", OVERRIDE, 1, evidence=text("Bildschirm gebrochen; Ausweis geprüft"))
    one = ok("chain_1", ADMISSION, 0, chain=b"three", **admitted)
    two = ok("chain_2", REFUSAL, 18, chain=b"three", sequence=2, previous=one, **named, time=T * 1000 + 5250)
    ok("chain_3", UNDO, 0, chain=b"three", sequence=3, previous=two, **named, time=T * 1000 + 60_000, evidence=u(4, 1))

    base = {"certificate": "without_sections"}

    def bad(name, body, offset=None):
        V.put("records", name, sign(body), "Malformed", offset, **base)

    def rec(*args, **fields):
        return record_body(*args, **fields)

    good = rec(ADMISSION, 0, **admitted)
    easy = rec(ADMISSION, 0, **plain)
    undo = {**plain, "sequence": 2, "previous": first}
    common_breaks("records", easy, 106, [("magic_of_a_certificate", b"TWS1"), ("magic_of_another_version", b"TWR2")],
                  lambda body: SCANNER_KEY.sign(RECORD, body), **base)
    bad("cut_in_the_code", good[:200])
    bad("cut_by_one_byte", good[:-1])
    bad("one_byte_too_many", good + b"\0")
    bad("one_byte_too_many_without_evidence", easy + b"\0")
    bad("64_bytes_too_many", good + SCANNER_KEY.sign(RECORD, good))
    bad("sequence_0", changed(easy, 28, bytes(4)), 28)
    bad("hash_before_in_the_first", changed(easy, 32, sha(b"x")), 32)
    bad("no_hash_before_in_the_second", changed(rec(EXIT, 0, **undo), 32, bytes(32)), 32)
    bad("persons_0", changed(easy, 86, bytes(2)), 86)
    for kind in 0, 6, 255:
        bad(f"kind_{kind}", changed(easy, 100, u(1, kind)), 100)
    for verdict in 20, 255:
        bad(f"verdict_{verdict}", rec(REFUSAL, verdict, **plain), 101)
    for profile in 3, 4, 8:
        bad(f"profile_{profile}", rec(REFUSAL, 13, ticket="plain-0", profile=profile), 102)
    for bit in range(3, 8):
        bad(f"bit_{bit}", changed(easy, 103, u(1, 1 << bit)), 103)
    bad("nonce_without_the_code", rec(ADMISSION, 0, **plain, flags=5, evidence=nonce), 103)
    bad("nonce_without_the_code_in_an_override", rec(OVERRIDE, 18, **plain, flags=4, evidence=nonce + text("x")), 103)
    bad("n_too_small", rec(ADMISSION, 0, **admitted, n=201))
    bad("n_too_large", rec(ADMISSION, 0, **admitted, n=203))
    bad("n_without_evidence", rec(ADMISSION, 0, **plain, n=1))
    bad("n_of_all_ones", rec(ADMISSION, 0, **plain, n=65535))
    bad("code_of_201_bytes", rec(ADMISSION, 0, **{**admitted, "evidence": code[:-1]}))
    bad("code_of_203_bytes", rec(ADMISSION, 0, **{**admitted, "evidence": code + b"\0"}))
    bad("nonce_of_7_bytes", rec(ADMISSION, 0, **named_nonce, flags=7, evidence=code_nonce + nonce[:7]))
    bad("nonce_of_9_bytes", rec(ADMISSION, 0, **named_nonce, flags=7, evidence=code_nonce + nonce + b"\0"))
    bad("nonce_without_its_bit", rec(ADMISSION, 0, **named_nonce, flags=3, evidence=code_nonce + nonce))
    bad("nonce_bit_without_nonce", rec(ADMISSION, 0, **admitted | {"flags": 7}))
    bad("admission_signed_without_the_code", rec(ADMISSION, 0, **named))
    bad("admission_signed_with_the_code_without_its_bit", rec(ADMISSION, 0, **named, evidence=code))
    bad("admission_plain_with_evidence", rec(ADMISSION, 0, **plain, evidence=b"4006381333931"))
    bad("admission_with_a_reason", rec(ADMISSION, 0, **{**admitted, "evidence": code + text("x")}))
    bad("refusal_with_the_code", rec(REFUSAL, 18, **admitted))
    bad("refusal_with_the_code_and_nonce", rec(REFUSAL, 18, **named_nonce, flags=7, evidence=code_nonce + nonce))
    bad("refusal_with_the_bit_of_the_code", rec(REFUSAL, 18, **named, flags=3))
    bad("refusal_with_a_reason", rec(REFUSAL, 18, **plain, evidence=text("x")))
    bad("exit_with_the_code", rec(EXIT, 0, sequence=2, previous=first, **admitted))
    bad("exit_with_a_sequence", rec(EXIT, 0, **undo, evidence=u(4, 1)))
    bad("undo_without_a_sequence", rec(UNDO, 0, **undo))
    bad("undo_with_the_code", rec(UNDO, 0, sequence=2, previous=first, **named, flags=3, evidence=code + u(4, 1)), 103)
    bad("undo_of_3_bytes", rec(UNDO, 0, **undo, evidence=bytes(2) + b"\1"))
    bad("undo_of_5_bytes", rec(UNDO, 0, **undo, evidence=u(4, 1) + b"\0"))
    bad("undo_of_sequence_0", rec(UNDO, 0, **undo, evidence=u(4, 0)))
    bad("undo_of_itself", rec(UNDO, 0, **undo, evidence=u(4, 2)))
    bad("undo_of_a_later_one", rec(UNDO, 0, **undo, evidence=u(4, 3)))
    bad("undo_with_the_code_behind_the_sequence", rec(UNDO, 0, sequence=2, previous=first, **named, evidence=u(4, 1) + code))
    bad("override_without_a_reason", rec(OVERRIDE, 18, **plain))
    bad("override_with_the_code_without_a_reason", rec(OVERRIDE, 18, **admitted))
    bad("reason_of_0_bytes", rec(OVERRIDE, 18, **plain, evidence=text("")), 106)
    bad("reason_of_0_bytes_after_the_code", rec(OVERRIDE, 18, **{**admitted, "evidence": code + text("")}), 106 + 202)
    bad("reason_of_201_bytes", rec(OVERRIDE, 18, **plain, evidence=text("x" * 201)), 106)
    for i, raw in enumerate(NO_UTF8):
        bad(f"reason_not_utf8_{i}", rec(OVERRIDE, 18, **plain, evidence=text(raw)))
    bad("reason_runs_over_the_evidence", rec(OVERRIDE, 18, **plain, evidence=b"\3ab"))
    bad("reason_with_one_byte_left_over", rec(OVERRIDE, 18, **plain, evidence=b"\1ab"))
    for name, kind, more in ("admission", ADMISSION, {}), ("exit", EXIT, {}), ("undo", UNDO, {"evidence": u(4, 1)}):
        fields = {**undo, **more} if kind != ADMISSION else plain
        bad(f"{name}_without_a_ticket", rec(kind, 0, **{**fields, "ticket": None}))
        bad(f"{name}_with_a_refusing_verdict", rec(kind, 18, **fields))
    bad("admission_signed_without_a_ticket", rec(ADMISSION, 0, flags=3, evidence=code, presented_at=T - 2))
    bad("refusal_with_admit", rec(REFUSAL, 0, **plain))
    bad("override_with_admit", rec(OVERRIDE, 0, **plain, evidence=text("x")))
    bad("plain_ticket_with_a_generation", rec(ADMISSION, 0, **plain, generation=1), 84)
    bad("bam_ticket_with_a_generation", rec(ADMISSION, 0, **bam, generation=1), 84)
    bad("generation_without_a_ticket", rec(REFUSAL, 1, generation=1), 84)
    bad("generation_without_a_ticket_in_an_override", rec(OVERRIDE, 1, generation=1, evidence=text("x")), 84)

    signature_breaks("records", good, SCANNER_KEY, OTHER_SCANNER_KEY, RECORD, SCANNER, 99, **base)
    V.put("records", "high_s", good + SCANNER_KEY.sign_high(RECORD, good), "BadSignature", **base)
    signature = SCANNER_KEY.sign(RECORD, good)
    V.put("records", "r_is_0", good + bytes(32) + signature[32:], "BadSignature", **base)
    V.put("records", "r_is_n", good + u(32, P256_N) + signature[32:], "BadSignature", **base)
    V.put("records", "s_is_0", good + signature[:32] + bytes(32), "BadSignature", **base)
    V.put("records", "s_and_r_swapped", good + signature[32:] + signature[:32], "BadSignature", **base)
    V.put("records", "of_another_scanner", sign(rec(ADMISSION, 0, **plain, scanner=OTHER_SCANNER)), "WrongScanner", **base)
    V.put("records", "in_the_chain_of_another_scanner", sign(rec(ADMISSION, 0, **plain, of=OTHER_SCANNER)), "WrongScanner", **base)
    V.put("records", "of_this_scanner_under_anothers_certificate", sign(easy), "WrongScanner", certificate="of_another_scanner")
    V.put("records", "of_another_event", sign(rec(ADMISSION, 0, **plain, event=OTHER_EVENT)), "WrongEvent", **base)
    V.put("records", "before_the_certificate_begins", sign(rec(ADMISSION, 0, **plain, time=(T - 7200) * 1000 - 1)), "NotCertified", **base)
    V.put("records", "after_the_certificate_ends", sign(rec(ADMISSION, 0, **plain, time=(T + 28801) * 1000)), "NotCertified", **base)
    V.put("records", "long_after_the_certificate_ends", sign(rec(REFUSAL, 13, **plain, time=2**63)), "NotCertified", **base)
    V.put("records", "at_the_first_millisecond", sign(rec(REFUSAL, 13, **plain, time=1)), "NotCertified", **base)


# Checks -------------------------------------------------------------------------------------------------------------------------------

def check_code(record):
    """The code in the evidence holds, with the nonce and without."""
    code = bytes.fromhex(record["code"])
    nonce = bytes.fromhex(record["nonce"] or "")
    assert ed_holds(ISSUER.public, b"ticket-wallet/1/credential", code[:70], code[70:134])
    point = u(1, 2 | code[0] & 1) + code[38:70]
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point).public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert p256_holds(key, b"ticket-wallet/1/proof", sha(code[:134]) + code[134:138] + text(nonce), code[138:])
    assert (code[0] & 2 == 2) == bool(nonce) and code[0] >> 4 == 1 and code[0] & 12 == 0
    assert (code[5:13].hex(), code[13:25].hex()) == (record["event"], record["ticket"])
    assert int.from_bytes(code[27:29], "big") == record["generation"]
    assert int.from_bytes(code[134:138], "big") == record["presented_at"]


def check(entry, read):
    try:
        out = read(bytes.fromhex(entry["bytes"]))
    except Refused as refusal:
        found = (refusal.verdict, refusal.offset)
        assert entry["verdict"] == refusal.verdict, (entry["name"], entry["verdict"], found)
        assert entry.get("offset", refusal.offset) == refusal.offset, (entry["name"], entry["offset"], found)
        return None
    assert entry["verdict"] == "Ok", (entry["name"], entry["verdict"])
    return out


def main():
    check_rfc6979()
    deltas(*manifests())
    certificates()
    records()
    key, event = SERVER.public, EVENT_ID.hex()
    for entry in V.lists["manifests"]:
        held = V.raw("manifests", entry["held"]) if "held" in entry else None
        out = check(entry, lambda data: read_manifest(data, key, event, held))
        if out:
            out["lookup"] = entry.pop("lookup")
            codes = {row["code"]: row["id"] for row in out["tickets"] if row["code"]}
            looked_up = {code_hash(code).hex(): found for code, found in out["lookup"].items()}
            plain = {row["code"] for row in out["tickets"] if row["profile"] == PLAIN}
            assert looked_up == {code: codes[code] for code in plain}, entry["name"]
            entry["expect"] = out
    for entry in V.lists["deltas"]:
        out = check(entry, lambda data: read_delta(data, key, V.raw("manifests", entry["base"])))
        assert out is None or out == V.raw("manifests", entry["result"])[:-64], entry["name"]
    known = {}
    for entry in V.lists["certificates"]:
        out = check(entry, lambda data: read_certificate(data, key, event))
        if out:
            known[entry["name"]] = entry["expect"] = out
    for entry in V.lists["records"]:
        out = check(entry, lambda data: read_record(data, known[entry["certificate"]]))
        if out:
            if out["code"]:
                check_code(out)
            entry["expect"] = out
    print(json.dumps({
        "manifest_seed": SERVER.seed.hex(), "manifest_key": SERVER.public.hex(),
        "scanner_private_key": SCANNER_KEY.raw().hex(), "scanner_key": SCANNER_KEY.public.hex(),
        "issuer_seed": ISSUER.seed.hex(), "issuer_key": ISSUER.public.hex(), "device_private_key": DEVICE.raw().hex(),
        "event": EVENT, "provider": PROVIDER, "event_id": event, **V.lists,
    }, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
