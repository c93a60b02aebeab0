"""Judges barcodes of format 1: a second implementation, written from the format's description alone.

Reads JSON lines from standard input, one code each:

    {"text": "TW1:...", "issuer_keys": ["<hex>"], "now": 1790000003,
     "nonces": ["<hex>"], "event": "<hex>", "sections": [7], "tolerance": 10}

All but the first three may be left out: no nonces, any event, any section, 10 seconds. Bytes that are no UTF-8 come as
"text_hex" instead of "text". Writes one line for each: {"verdict": "Valid", "fields": {...}}; the fields are empty
until both signatures hold.
"""

import hashlib
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256

ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_PRIME = 2**255 - 19
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
SMALL_ORDER_Y = {
    0,
    1,
    ED25519_PRIME - 1,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
}


class Malformed(Exception):
    """The text is no code of format 1."""


def base45(text):
    """RFC 9285, canonical texts only."""
    if len(text) % 3 == 1 or any(c not in ALPHABET for c in text):
        raise Malformed
    decoded = bytearray()
    for start in range(0, len(text), 3):
        digits = [ALPHABET.index(c) for c in text[start : start + 3]]
        value = sum(digit * 45**place for place, digit in enumerate(digits))
        length = len(digits) - 1
        if value >= 256**length:
            raise Malformed
        decoded += value.to_bytes(length, "big")
    return bytes(decoded)


def code_bytes(scanned):
    """What a scanner may put around the text goes; the rest is read strictly."""
    text = re.sub(rb"\A\]Q[0-6]", b"", scanned)
    text = re.sub(rb"\A(?:\\[0-9]{6})+", b"", text).rstrip(b"\r\n\t ")
    if not text.startswith(b"TW1:"):
        raise Malformed
    code = base45(text[4:])
    if len(code) != 202:
        raise Malformed
    return code


def parse(code):
    """The fields by their offsets, once everything that has a range is inside it."""
    number = lambda start, end: int.from_bytes(code[start:end], "big")
    r, s = number(138, 170), number(170, 202)
    in_range = 0 < r < P256_ORDER and 0 < s <= P256_ORDER // 2
    if code[0] & 0xFC != 0x10 or code[37] < 5 or not in_range:
        raise Malformed
    return {
        "event": code[5:13].hex(),
        "ticket": code[13:25].hex(),
        "section": number(25, 27),
        "generation": number(27, 29),
        "not_before": number(29, 33),
        "lease_end": number(33, 37),
        "window": code[37],
        "presented_at": number(134, 138),
    }


def is_strict_key(key):
    """Canonical, and not of small order."""
    y = int.from_bytes(key, "little") & (2**255 - 1)
    return len(key) == 32 and y < ED25519_PRIME and y not in SMALL_ORDER_Y


def issuer_signed(key, code):
    signature, message = code[70:134], b"ticket-wallet/1/credential\0" + code[:70]
    r_y = int.from_bytes(signature[:32], "little") & (2**255 - 1)
    if r_y >= ED25519_PRIME or int.from_bytes(signature[32:], "little") >= ED25519_ORDER:
        return False
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def device_signed(code, nonce):
    r, s = code[138:170], code[170:202]
    signature = utils.encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    message = b"ticket-wallet/1/proof\0" + hashlib.sha256(code[:134]).digest()
    message += code[134:138] + bytes([len(nonce)]) + nonce
    point = bytes([2 + (code[0] & 1)]) + code[38:70]
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        key.verify(signature, message, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def check_signatures(code, request):
    """The verdict of the first three rules, or None when all hold."""
    keys = [bytes.fromhex(key) for key in request["issuer_keys"]]
    if not all(map(is_strict_key, keys)):
        raise SystemExit("an issuer key is not a strict Ed25519 key")
    known = [key for key in keys if hashlib.sha256(key).digest()[:4] == code[1:5]]
    if not known:
        return "UnknownIssuer"
    if not any(issuer_signed(key, code) for key in known):
        return "BadIssuerSignature"
    nonces = [bytes.fromhex(nonce) for nonce in request.get("nonces", [])]
    if not code[0] & 2:
        nonces.append(b"")
    return None if any(device_signed(code, nonce) for nonce in nonces) else "BadDeviceSignature"


def check_fields(fields, request):
    """The verdict of the rules that come after the signatures."""
    now, tolerance = request["now"], request.get("tolerance", 10)
    event, sections = request.get("event"), request.get("sections")
    rules = [
        ("Stale", fields["presented_at"] < now - fields["window"] - tolerance),
        ("FromTheFuture", fields["presented_at"] > now + tolerance),
        ("NotYetValid", now < fields["not_before"]),
        ("LeaseExpired", now > fields["lease_end"]),
        ("WrongEvent", event is not None and fields["event"] != event),
        ("WrongSection", bool(sections) and fields["section"] not in [0, *sections]),
    ]
    return next((verdict for verdict, broken in rules if broken), "Valid")


def judge(request):
    try:
        text = request.get("text")
        code = code_bytes(bytes.fromhex(request["text_hex"]) if text is None else text.encode())
        fields = parse(code)
    except Malformed:
        return {"verdict": "Malformed", "fields": {}}
    refused = check_signatures(code, request)
    if refused:
        return {"verdict": refused, "fields": {}}
    return {"verdict": check_fields(fields, request), "fields": fields}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(judge(json.loads(line))))
