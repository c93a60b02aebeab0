"""Vectors for what scanners tell each other (docs/gate.md: chain head, ledger request, ledger delta), made and read again from that text alone.

Shares no code with the Rust implementation; keys, certificates and records are those of gate_vectors.py. Prints the JSON of
tests/fixtures/exchange-v1.json, or writes the good requests and deltas as files, from which a fuzzer starts:

    python tests/support/exchange_vectors.py > tests/fixtures/exchange-v1.json
    python tests/support/exchange_vectors.py --seeds tests/fuzz/seeds/ledger

Before it prints, each vector goes through the reader below and has to meet its verdict, its offset and its fields.

How to read the file:
- `verdict` is `Ok` or the refusal. `offset` is there where the text makes plain which field is at fault.
- `prefixes` of a good vector are the lengths, below its own, at which it may be cut and is still good. Cut at any other it is `Malformed`.
- A head is checked against the certificate that it names. What is in a request or in a part of a delta is read, and not held against anything.
- All broken heads but those of the signature are signed again.
- `made` stands for bytes that are too many to list: `first`, then `times` times `repeated`, then `last`.
- The parts of a delta are told by their SHA-256. `null` is a field that is not there (zeros).
- A state has the places of one chain that a scanner holds, by sequence and hash, and what it says of them. `answers` has what it sends to
  one who asks with the state of that name: `all`, or the sequence above which records come.
"""
import argparse
import json
from pathlib import Path

import gate_vectors as gate
from gate_vectors import (
    ADMISSION, EVENT_ID, OTHER_EVENT, OTHER_SCANNER, OTHER_SCANNER_KEY, OVERRIDE, PLAIN, RECORD, REFUSAL, SCANNER, SCANNER_ID,
    SCANNER_KEY, SERVER, T, V, Bytes, Refused, certificate_body, changed, malformed, p256_holds, record_body, sha, signed_code, text, u,
)

HEAD = b"ticket-wallet/1/head"
HEAD_FIELDS = {"magic": 4, "chain": 16, "scanner": 8, "event": 8, "sequence": 4, "hash": 32, "time": 8, "signature": 64}
CERTIFICATE_PART, HEAD_PART, RECORD_PART = 1, 2, 3
LONGEST_CERTIFICATE, LONGEST_RECORD, LONGEST_DELTA = 1024, 106 + 202 + 8 + 1 + 200 + 64, 1 << 20


# The reader ---------------------------------------------------------------------------------------------------------------------------

def magic(b, wanted):
    at = b.at
    if b.take(4) != wanted:
        raise malformed(at)


def head_fields(b):
    """The fields of a chain head, with its signature passed over."""
    magic(b, b"TWH1")
    out = {name: b.take(HEAD_FIELDS[name]).hex() for name in ("chain", "scanner", "event")}
    out["sequence"] = b.number(4)
    at, last = b.at, b.take(32)
    if any(last) != (out["sequence"] > 0):
        raise malformed(at)
    out.update(hash=last.hex() if any(last) else None, time=b.number(8))
    b.take(64)
    return out


def read_head(data, certificate):
    if len(data) != sum(HEAD_FIELDS.values()):
        raise malformed(0 if len(data) >= 4 and data[:4] != b"TWH1" else None)
    out = head_fields(Bytes(data, 0, len(data)))
    if out["event"] != certificate["event"]:
        raise Refused("WrongEvent")
    if out["scanner"] != certificate["scanner"] or out["chain"][:16] != out["scanner"]:
        raise Refused("WrongScanner")
    if not p256_holds(bytes.fromhex(certificate["key"]), HEAD, data[:-64], data[-64:]):
        raise Refused("BadSignature")
    seconds = out["time"] // 1000
    if seconds < certificate["not_before"] or certificate["not_after"] and seconds > certificate["not_after"]:
        raise Refused("NotCertified")
    return out


def read_place(b, most=1):
    """What begins a request and a delta alike: the event, and a place where one follows; in a request also a bound."""
    out = {"event": b.take(8).hex(), "place": None}
    flags = b.number(1)
    if flags > most:
        raise malformed(b.at - 1)
    if flags & 1:
        out["place"] = {"chain": b.take(16).hex(), "sequence": b.number(4), "hash": b.take(32).hex()}
    if most > 1:
        at, out["bound"] = b.at, b.take(16).hex() if flags & 2 else None
        if flags & 2 and out["bound"] <= (out["place"] or {"chain": "00" * 16})["chain"]:
            raise malformed(at)
    return out


def read_request(data):
    b = Bytes(data, 0, len(data))
    magic(b, b"TWQ1")
    out = read_place(b, 3)
    size = b.number(2)
    if size > LONGEST_CERTIFICATE:
        raise malformed(b.at - 2)
    out.update(certificate=b.take(size).hex(), head=head_fields(b), chains=[])
    last_chain = ""
    while b.left():
        at, chain, n, digest = b.at, b.take(16).hex(), b.number(4), b.take(16)
        if chain <= last_chain and out["chains"] or out["bound"] and chain >= out["bound"]:
            raise malformed(at)
        if n == 0 and any(digest):
            raise malformed(at + 20)
        last, every = b.number(4), b.take(16)
        if last < n:
            raise malformed(at + 36)
        if last == n and every != digest:
            raise malformed(at + 40)
        last_chain = chain
        out["chains"].append({
            "chain": chain, "n": n, "digest": digest.hex(), "last": last, "all": every.hex(), "head_sequence": b.number(4),
            "head_time": b.number(8), "head_digest": b.take(16).hex()})
    return out


def read_delta(data):
    if len(data) > LONGEST_DELTA:
        raise malformed()
    b = Bytes(data, 0, len(data))
    magic(b, b"TWL1")
    out = read_place(b)
    out["parts"] = []
    longest = {CERTIFICATE_PART: LONGEST_CERTIFICATE, HEAD_PART: sum(HEAD_FIELDS.values()), RECORD_PART: LONGEST_RECORD}
    while b.left():
        kind = b.number(1)
        if kind not in longest:
            raise malformed(b.at - 1)
        size = b.number(2)
        if size > longest[kind]:
            raise malformed(b.at - 2)
        out["parts"].append({"kind": kind, "sha256": sha(b.take(size)).hex()})
    return out


def digest_of(places, up_to):
    """The digest of the hashes at the places up to a sequence."""
    hashes = [record for sequence, record in sorted(places) if sequence <= up_to]
    return sha(b"".join(hashes))[:16] if hashes else bytes(16)


def state(places):
    """The sequence up to which every place has a record, and the last one, each with the digest of what is there."""
    held = {sequence for sequence, _ in places}
    n, last = 0, max(held, default=0)
    while n + 1 in held:
        n += 1
    return n, digest_of(places, n), last, digest_of(places, last)


def answer(places, asked):
    """What one who holds these places sends to one who asks with that state."""
    n, digest, last, every = asked
    if digest_of(places, last) == every:
        return last
    return "all" if state(places)[0] >= n and digest_of(places, n) != digest else n


# The writer ---------------------------------------------------------------------------------------------------------------------------

def chain_id(name):
    return sha(b"chain " + name)[:16]


def head_body(chain=b"one", scanner=SCANNER_ID, event=EVENT_ID, sequence=3, last=sha(b"last record"), time=T * 1000 + 250, of=None):
    return b"TWH1" + (scanner if of is None else of) + chain_id(chain)[:8] + scanner + event + u(4, sequence) + last + u(8, time)


def head(key=SCANNER_KEY, **fields):
    body = head_body(**fields)
    return body + key.sign(HEAD, body)


def certificate(**fields):
    body = certificate_body(**fields)
    return body + SERVER.sign(SCANNER, body)


def record(*args, **fields):
    body = record_body(*args, **fields)
    return body + SCANNER_KEY.sign(RECORD, body)


def place(chain=b"one", sequence=2, last=sha(b"second record")):
    return chain_id(chain) + u(4, sequence) + last


def held_row(chain, n, digest=None, time=T * 1000, last=None, every=None):
    """What is held of a chain; `chain` is an id."""
    known_head = u(4, n) + u(8, time) + sha(b"head" + chain)[:16] if time else bytes(28)
    digest = sha(b"held" + chain)[:16] if digest is None else digest
    every = digest if every is None else every
    return chain + u(4, n) + digest + u(4, n if last is None else last) + every + known_head


ROW = len(held_row(bytes(16), 1))


def request(rows=(), after=None, flag=None, certificate=None, own=None, size=None, event=EVENT_ID, bound=None):
    certificate = CERTIFICATES["of_the_scanner"] if certificate is None else certificate
    flags = (after is not None) + 2 * (bound is not None) if flag is None else flag
    return b"TWQ1" + event + u(1, flags) + (after or b"") + (bound or b"") + u(
        2, len(certificate) if size is None else size) + certificate + (head() if own is None else own) + b"".join(rows)


def part(kind, data, size=None):
    return u(1, kind) + u(2, len(data) if size is None else size) + data


def delta(parts=(), after=None, flag=None, event=EVENT_ID):
    return b"TWL1" + event + u(1, after is not None if flag is None else flag) + (after or b"") + b"".join(parts)


CERTIFICATES = {
    "of_the_scanner": certificate(),
    "of_another_scanner": certificate(scanner=OTHER_SCANNER, key=OTHER_SCANNER_KEY.public, name="Tor 4"),
    "of_the_same_id_with_another_key": certificate(key=OTHER_SCANNER_KEY.public),
    "of_another_event": certificate(event=OTHER_EVENT),
    "for_ever": certificate(begin=0, end=0),
    "longest": certificate(name="ü" * 32, sections=list(range(255))),
}


# The vectors --------------------------------------------------------------------------------------------------------------------------

def cut_and_lengthened(put, body, sign):
    """The head with each of its fields one byte shorter, and one byte longer."""
    end = 0
    for name, size in HEAD_FIELDS.items():
        end += size
        whole = body + sign(body)
        if name == "signature":
            shorter, longer = whole[:-1], whole + b"\0"
        else:
            shorter, longer = body[:end - 1] + body[end:], body[:end] + b"\1" + body[end:]
            shorter, longer = shorter + sign(shorter), longer + sign(longer)
        put(f"{name}_cut", shorter)
        put(f"{name}_lengthened", longer)


def heads():
    base = {"certificate": "of_the_scanner"}

    def ok(case, certificate="of_the_scanner", **fields):
        V.put("heads", case, head(**fields), certificate=certificate)

    begin, end = (T - 7200) * 1000, (T + 28801) * 1000 - 1
    ok("of_three_records")
    ok("of_no_record", sequence=0, last=bytes(32))
    ok("of_one_record", sequence=1, last=sha(record(REFUSAL, 13, ticket="plain-0", profile=PLAIN)))
    ok("lowest_hash", sequence=1, last=bytes(31) + b"\1")
    ok("highest_numbers", "for_ever", sequence=2**32 - 1, last=b"\xff" * 32, time=2**64 - 1)
    ok("at_time_0", "for_ever", time=0)
    ok("when_the_certificate_begins", time=begin)
    ok("in_the_last_second_of_the_certificate", time=end)
    ok("of_another_scanner", "of_another_scanner", key=OTHER_SCANNER_KEY, scanner=OTHER_SCANNER, chain=b"two")
    ok("of_another_event", "of_another_event", event=OTHER_EVENT)

    def bad(name, data, offset=None):
        V.put("heads", name, data, "Malformed", offset, **base)

    def signed(body):
        return body + SCANNER_KEY.sign(HEAD, body)

    good = head_body()
    bad("empty", b"")
    for name, other in ("magic_of_a_record", b"TWR1"), ("magic_of_another_version", b"TWH2"), ("magic_in_small_letters", b"twh1"):
        bad(name, signed(changed(good, 0, other)), 0)
    cut_and_lengthened(bad, good, lambda body: SCANNER_KEY.sign(HEAD, body))
    bad("no_signature", good)
    bad("64_bytes_too_many", signed(signed(good)))
    bad("no_record_but_a_hash", head(sequence=0), 40)
    bad("records_but_no_hash", head(last=bytes(32)), 40)
    bad("one_record_but_no_hash", head(sequence=1, last=bytes(32)), 40)

    gate.signature_breaks("heads", good, SCANNER_KEY, OTHER_SCANNER_KEY, HEAD, RECORD, 79, **base)
    signature = SCANNER_KEY.sign(HEAD, good)

    def refused(name, data, verdict="BadSignature", **more):
        V.put("heads", name, data, verdict, **{**base, **more})

    refused("signed_as_a_scanner_certificate", good + SCANNER_KEY.sign(SCANNER, good))
    refused("high_s", good + SCANNER_KEY.sign_high(HEAD, good))
    refused("r_is_0", good + bytes(32) + signature[32:])
    refused("r_is_n", good + u(32, gate.P256_N) + signature[32:])
    refused("s_is_0", good + signature[:32] + bytes(32))
    refused("s_is_n", good + signature[:32] + u(32, gate.P256_N))
    refused("s_and_r_swapped", good + signature[32:] + signature[:32])
    refused("under_a_certificate_with_another_key", head(), certificate="of_the_same_id_with_another_key")
    refused("of_another_event_than_the_certificate", head(event=OTHER_EVENT), "WrongEvent")
    refused("under_a_certificate_of_another_event", head(), "WrongEvent", certificate="of_another_event")
    refused("of_another_scanner_than_the_certificate", head(scanner=OTHER_SCANNER), "WrongScanner")
    refused("in_the_chain_of_another_scanner", head(of=OTHER_SCANNER), "WrongScanner")
    refused("under_a_certificate_of_another_scanner", head(), "WrongScanner", certificate="of_another_scanner")
    refused("before_the_certificate_begins", head(time=begin - 1), "NotCertified")
    refused("after_the_certificate_ends", head(time=end + 1), "NotCertified")
    refused("at_the_first_millisecond", head(time=1), "NotCertified")
    refused("at_the_last_millisecond", head(time=2**64 - 1), "NotCertified")
    # Of two faults the earlier.
    refused("other_event_before_other_scanner", head(event=OTHER_EVENT, scanner=OTHER_SCANNER), "WrongEvent")
    body = head_body(event=OTHER_EVENT)
    refused("other_event_before_high_s", body + SCANNER_KEY.sign_high(HEAD, body), "WrongEvent")
    refused("other_scanner_before_signature", head(key=OTHER_SCANNER_KEY, scanner=OTHER_SCANNER), "WrongScanner")
    refused("signature_before_time", head(key=OTHER_SCANNER_KEY, time=begin - 1))


def requests():
    def ok(name, *args, **fields):
        return V.put("requests", name, request(*args, **fields))

    def bad(name, data, offset=None):
        V.put("requests", name, data, "Malformed", offset)

    ids = sorted(chain_id(b"%d" % i) for i in range(5))
    many = [held_row(ids[0], 1), held_row(ids[1], 0, bytes(16)), held_row(ids[2], 900, time=0), held_row(ids[3], 0, bytes(16), 0),
            held_row(ids[4], 2**32 - 1, time=2**64 - 1)]
    other = sha(b"more")[:16]
    gaps = [held_row(ids[0], 0, bytes(16), last=7, every=other), held_row(ids[1], 3, last=4, every=other),
            held_row(ids[2], 5, last=2**32 - 1, every=bytes(16))]
    good = ok("of_nothing")
    ok("of_one_chain", many[:1])
    every = ok("of_many_chains", many)
    ok("of_the_lowest_and_highest_chain", [held_row(bytes(16), 1), held_row(bytes(15) + b"\1", 2), held_row(b"\xff" * 16, 3)])
    after = ok("with_a_place", after=place())
    ok("with_a_place_before_a_chain", after=place(sequence=0, last=bytes(32)))
    ok("with_a_place_before_a_chain_and_a_hash", after=place(sequence=0))
    ok("with_the_highest_place", after=b"\xff" * 52)
    ok("with_a_place_and_chains", many, after=place())
    ok("of_chains_with_gaps", gaps)
    ok("with_a_bound", bound=ids[3])
    ok("with_the_lowest_bound", bound=bytes(15) + b"\1")
    ok("with_the_highest_bound", many, bound=b"\xff" * 16)
    ok("with_a_bound_and_chains", many[:3], bound=ids[3])
    between = u(16, int.from_bytes(chain_id(b"one"), "big") + 1)
    bounded = ok("with_a_place_and_a_bound", after=place(), bound=between)
    ok("with_a_place_a_bound_and_chains", [held_row(chain_id(b"one"), 2)], after=place(), bound=between)
    ok("of_a_new_scanner", own=head(sequence=0, last=bytes(32)))
    ok("with_the_longest_certificate", many[:1], certificate=CERTIFICATES["longest"])
    ok("with_a_certificate_of_1024_bytes", certificate=bytes(1024))
    ok("with_an_empty_certificate", certificate=b"")
    ok("with_a_head_that_does_not_hold", own=head(key=OTHER_SCANNER_KEY, event=OTHER_EVENT))
    ok("with_a_head_of_high_s", own=head_body() + SCANNER_KEY.sign_high(HEAD, head_body()))
    ok("of_another_event", event=OTHER_EVENT)

    own = len(good) - 144
    bad("empty", b"")
    bad("magic_alone", b"TWQ1")
    for name, other in ("magic_of_a_delta", b"TWL1"), ("magic_of_another_version", b"TWQ2"), ("magic_in_small_letters", b"twq1"):
        bad(name, changed(good, 0, other), 0)
    for flag in 4, 5, 128, 255:
        bad(f"flag_{flag}", changed(good, 12, u(1, flag)), 12)
        bad(f"flag_{flag}_before_a_place", changed(after, 12, u(1, flag)), 12)
    bad("flag_without_a_place", request(flag=1))
    bad("place_without_its_flag", request(after=place(), flag=0))
    bad("bound_without_its_flag", request(after=place(), bound=between, flag=1))
    bad("bound_of_zeros", request(bound=bytes(16)), 13)
    bad("bound_at_the_place", request(after=place(), bound=chain_id(b"one")), 13 + 52)
    bad("bound_before_the_place", request(after=place(), bound=bytes(15) + b"\1"), 13 + 52)
    bad("bound_before_the_highest_place", request(after=b"\xff" * 52, bound=b"\xff" * 16), 13 + 52)
    bad("cut_in_its_bound", bounded[:13 + 52 + 15])
    bad("cut_in_its_place", after[:13 + 51])
    bad("cut_before_the_certificate", good[:13])
    bad("cut_in_the_length_of_the_certificate", good[:14])
    bad("cut_in_the_certificate", good[:40])
    bad("cut_before_the_head", good[:own])
    bad("cut_in_the_head", good[:-1])
    bad("cut_in_a_chain", every[:-1])
    bad("cut_to_a_chain_id", every[:16 - ROW])
    bad("one_byte_too_many", good + b"\0")
    bad("one_byte_too_many_after_chains", every + b"\0")
    bad("certificate_of_1025_bytes", request(certificate=bytes(1025)), 13)
    bad("certificate_of_1025_bytes_after_a_place", request(certificate=bytes(1025), after=place()), 13 + 52)
    bad("certificate_length_of_all_ones", request(size=2**16 - 1), 13)
    bad("certificate_one_byte_longer_than_its_length", request(size=own - 16))
    bad("head_with_the_magic_of_a_record", request(own=changed(head(), 0, b"TWR1")), own)
    bad("head_with_the_magic_of_a_record_after_a_place", request(own=changed(head(), 0, b"TWR1"), after=place()), own + 52)
    bad("head_of_no_record_but_a_hash", request(own=head(sequence=0)), own + 40)
    bad("head_of_records_but_no_hash", request(many, own=head(last=bytes(32))), own + 40)
    start = len(good)
    bad("chain_twice", request([many[0], many[0]]), start + ROW)
    bad("chain_twice_with_other_fields", request([many[0], held_row(ids[0], 7)]), start + ROW)
    bad("lowest_chain_twice", request([held_row(bytes(16), 1)] * 2), start + ROW)
    bad("chains_not_rising", request([many[2], many[0]]), start + ROW)
    bad("last_chains_not_rising", request(many[:3] + [many[4], many[3]], after=place()), start + 52 + 4 * ROW)
    bad("chain_at_the_bound", request(many[:4], bound=ids[3]), start + 16 + 3 * ROW)
    bad("chain_behind_the_bound", request(many[4:], bound=ids[3]), start + 16)
    bad("digest_of_nothing", request([many[0], held_row(ids[1], 0)]), start + ROW + 20)
    bad("last_before_n", request([many[0], held_row(ids[1], 5, last=4)]), start + ROW + 36)
    bad("no_last_but_n", request([held_row(ids[1], 1, last=0, every=bytes(16))]), start + 36)
    bad("other_digest_without_a_gap", request([many[0], held_row(ids[1], 5, every=other)]), start + ROW + 40)
    bad("digest_of_nothing_at_all", request([held_row(ids[1], 0, bytes(16), every=other)]), start + 40)


def longest_delta():
    """As many heads as fit into 1 MiB, a place and a certificate that fills the rest; and one byte more."""
    repeated = part(HEAD_PART, head())
    first = delta(after=place())
    times = (LONGEST_DELTA - len(first) - 300) // len(repeated)
    rest = LONGEST_DELTA - len(first) - times * len(repeated)
    least = len(part(CERTIFICATE_PART, certificate(name="")))
    for name, size, verdict in ("of_1_mib", rest, "Ok"), ("of_1_mib_and_a_byte", rest + 1, "Malformed"):
        sections = (size - least - 1) // 2
        last = part(CERTIFICATE_PART, certificate(name="n" * (size - least - 2 * sections), sections=list(range(sections))))
        assert len(last) == size
        V.lists["deltas"].append({"name": name, "made": {
            "first": first.hex(), "repeated": repeated.hex(), "times": times, "last": last.hex()}, "verdict": verdict})


def deltas():
    def ok(name, *args, **fields):
        return V.put("deltas", name, delta(*args, **fields))

    def bad(name, data, offset=None):
        V.put("deltas", name, data, "Malformed", offset)

    first = record(REFUSAL, 19, profile=PLAIN)
    second = record(ADMISSION, 0, sequence=2, previous=first, ticket="plain-0", profile=PLAIN)
    other_chain = record(REFUSAL, 19, chain=b"two", profile=PLAIN)
    nonce = sha(b"nonce")[:8]
    longest = record(OVERRIDE, 18, ticket="signed-0", generation=3, presented_at=T - 1, flags=7, evidence=signed_code(
        "signed-0", 3, T - 1, nonce=nonce) + nonce + text("x" * 200))
    assert len(longest) == LONGEST_RECORD
    one, two = part(CERTIFICATE_PART, CERTIFICATES["of_the_scanner"]), part(HEAD_PART, head())
    three = part(RECORD_PART, first)
    all_kinds = [one, two, three, part(RECORD_PART, second)]

    empty = ok("empty")
    ok("empty_with_a_place", after=place())
    ok("certificate", [one])
    ok("longest_certificate", [part(CERTIFICATE_PART, CERTIFICATES["longest"])])
    ok("head", [two])
    ok("record", [three])
    ok("longest_record", [part(RECORD_PART, longest)])
    every = ok("all_kinds", all_kinds)
    more = ok("more_with_a_place", all_kinds, after=place(last=sha(second)))
    ok("of_two_chains", all_kinds + [part(HEAD_PART, head(chain=b"two", sequence=1, last=sha(other_chain))), part(RECORD_PART, other_chain)])
    ok("in_another_order_and_twice", all_kinds[::-1] + all_kinds)
    ok("of_another_event", [one], event=OTHER_EVENT)
    ok("certificate_of_1024_bytes", [part(CERTIFICATE_PART, bytes(1024))])
    ok("parts_that_do_not_hold", [part(CERTIFICATE_PART, bytes(200)), part(HEAD_PART, bytes(144)), part(RECORD_PART, bytes(581)), two])
    ok("parts_that_are_too_short", [part(CERTIFICATE_PART, b"TWS1"), part(HEAD_PART, head()[:-1]), part(RECORD_PART, b"T"), three])
    ok("parts_of_0_bytes", [part(kind, b"") for kind in (CERTIFICATE_PART, HEAD_PART, RECORD_PART)])

    bad("of_0_bytes", b"")
    bad("magic_alone", b"TWL1")
    for name, other in ("magic_of_a_request", b"TWQ1"), ("magic_of_another_version", b"TWL2"), ("magic_in_small_letters", b"twl1"):
        bad(name, changed(every, 0, other), 0)
    for flag in 2, 3, 128, 255:
        bad(f"flag_{flag}", changed(every, 12, u(1, flag)), 12)
        bad(f"flag_{flag}_before_a_place", changed(more, 12, u(1, flag)), 12)
    bad("flag_without_a_place", delta(flag=1))
    bad("place_without_its_flag", delta(after=place(), flag=0), 13)
    bad("cut_before_the_flag", empty[:12])
    bad("cut_in_its_place", more[:13 + 51])
    bad("cut_after_a_kind", empty + b"\3")
    bad("cut_in_a_length", empty + b"\3\0")
    bad("cut_in_a_part", every[:-1])
    bad("one_byte_too_many", every + b"\0")
    bad("part_longer_than_the_delta", delta([part(RECORD_PART, first, len(first) + 1)]))
    for kind in 0, 4, 127, 128, 255:
        bad(f"kind_{kind}", delta([part(kind, first)]), 13)
        bad(f"kind_{kind}_after_good_parts", delta([one, two, part(kind, b"")], after=place()), 13 + 52 + len(one + two))
    for name, kind, size in ("certificate", CERTIFICATE_PART, 1025), ("head", HEAD_PART, 145), ("record", RECORD_PART, 582):
        bad(f"{name}_of_{size}_bytes", delta([part(kind, bytes(size))]), 14)
        bad(f"{name}_of_{size}_bytes_after_good_parts", delta([one, two, part(kind, bytes(size)), three]), 14 + len(one + two))
        bad(f"{name}_length_of_all_ones", delta([part(kind, bytes(64), 2**16 - 1)]), 14)
    longest_delta()


def states():
    def at(sequence, label=b""):
        return sequence, sha(b"record %d " % sequence + label)

    def straight(*sequences):
        return [at(sequence) for sequence in sequences]

    fork = [at(2, b"other")]
    held = {
        "nothing": [],
        "the_first": straight(1),
        "two": straight(1, 2),
        "five": straight(1, 2, 3, 4, 5),
        "forty": straight(*range(1, 41)),
        "without_the_first": straight(2, 3, 4),
        "the_highest_alone": straight(2**32 - 1),
        "gap_at_3": straight(1, 2, 4, 5),
        "gaps_at_2_and_4": straight(1, 3, 5),
        "another_first": [at(1, b"other")],
        "fork_at_1": straight(1, 2) + [at(1, b"other")],
        "fork_at_2": straight(1, 2, 3, 4, 5) + fork,
        "fork_at_the_end": straight(1, 2) + fork,
        "three_at_2": straight(1, 2, 3) + fork + [at(2, b"third")],
        "other_branch_at_2": straight(1, 3, 4, 5) + fork,
        "fork_before_a_gap": straight(1, 2, 4) + fork,
        "fork_behind_a_gap": straight(1, 2, 4, 5) + [at(4, b"other")],
    }
    for name, places in held.items():
        n, digest, last, every = state(places)
        answers = {other: answer(places, state(theirs)) for other, theirs in held.items()}
        V.lists["states"].append({
            "name": name, "places": [[sequence, record.hex()] for sequence, record in sorted(places)], "n": n, "digest": digest.hex(),
            "last": last, "all": every.hex(), "answers": answers})


# Checks -------------------------------------------------------------------------------------------------------------------------------

def check_states():
    """What the text says of a few states, in numbers that are not computed; and that a digest is what it is said to be."""
    found = {entry["name"]: entry for entry in V.lists["states"]}
    assert [found[name]["n"] for name in ("nothing", "five", "without_the_first", "gap_at_3", "fork_behind_a_gap")] == [0, 5, 0, 2, 2]
    assert found["nothing"]["digest"] == found["without_the_first"]["digest"] == "00" * 16
    first, second = (sha(b"record %d " % i) for i in (1, 2))
    assert found["two"]["digest"] == found["gap_at_3"]["digest"] == sha(first + second)[:16].hex()
    low, high = sorted([second, sha(b"record 2 other")])
    assert found["fork_at_the_end"]["digest"] == sha(first + low + high)[:16].hex()
    assert [found[name]["last"] for name in ("nothing", "five", "without_the_first", "gap_at_3", "the_highest_alone")] == [
        0, 5, 4, 5, 2**32 - 1]
    assert found["gap_at_3"]["all"] == sha(b"".join(sha(b"record %d " % i) for i in (1, 2, 4, 5)))[:16].hex()
    for entry in found.values():
        assert entry["answers"][entry["name"]] == entry["last"]
        assert entry["last"] > entry["n"] or entry["all"] == entry["digest"]
    answers = found["fork_at_2"]["answers"]
    assert (answers["five"], answers["two"], answers["the_first"], answers["forty"], answers["nothing"]) == ("all", "all", 1, 40, 0)
    answers = found["five"]["answers"]
    assert (answers["gap_at_3"], answers["without_the_first"], answers["the_highest_alone"]) == (2, 0, 0)
    assert found["forty"]["answers"]["five"] == 5 and found["gap_at_3"]["answers"]["two"] == 2


def whole(entry):
    made = entry.get("made")
    if made is None:
        return bytes.fromhex(entry["bytes"])
    return bytes.fromhex(made["first"]) + bytes.fromhex(made["repeated"]) * made["times"] + bytes.fromhex(made["last"])


def good_prefixes(data, read):
    def good(length):
        try:
            read(data[:length])
        except Refused as refusal:
            assert refusal.verdict == "Malformed"
            return False
        return True

    return [length for length in range(len(data)) if good(length)]


def check_all(where, reader):
    for entry in V.lists[where]:
        read = reader(entry)
        data = whole(entry)
        out = gate.check({**entry, "bytes": data.hex()}, read)
        if out is None:
            continue
        if "made" in entry:
            out["parts"] = len(out["parts"])
        else:
            entry["prefixes"] = good_prefixes(data, read)
        entry["expect"] = out


def write_seeds(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for kind in "requests", "deltas":
        for name in SEEDS[kind]:
            (folder / f"{kind[:-1]}-{name}").write_bytes(V.raw(kind, name))


SEEDS = {
    "requests": ["of_nothing", "of_many_chains", "with_a_place_before_a_chain", "with_a_place_and_chains", "of_chains_with_gaps", "with_a_place_a_bound_and_chains", "of_a_new_scanner",
                 "with_the_longest_certificate", "with_an_empty_certificate"],
    "deltas": ["empty", "empty_with_a_place", "certificate", "head", "record", "longest_record", "all_kinds", "more_with_a_place",
               "of_two_chains", "in_another_order_and_twice", "parts_that_do_not_hold", "parts_of_0_bytes"],
}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seeds", type=Path, metavar="DIR", help="write good requests and deltas there instead")
    folder = arguments.parse_args().seeds
    V.lists = {"heads": [], "requests": [], "deltas": [], "states": []}
    gate.check_rfc6979()
    for make in heads, requests, deltas, states:
        make()
    known = {name: gate.read_certificate(data, SERVER.public, certificate_event(data)) for name, data in CERTIFICATES.items()}
    check_all("heads", lambda entry: lambda data: read_head(data, known[entry["certificate"]]))
    check_all("requests", lambda _: read_request)
    check_all("deltas", lambda _: read_delta)
    check_states()
    if folder:
        write_seeds(folder)
        return
    print(json.dumps({
        "manifest_key": SERVER.public.hex(), "certificates": {name: data.hex() for name, data in CERTIFICATES.items()}, **V.lists,
    }, indent=1, ensure_ascii=False))


def certificate_event(data):
    return data[4:12].hex()


if __name__ == "__main__":
    main()
