import Foundation
import TicketWallet
import XCTest

/// Staff at a gate let in whom a wallet of the same sandbox brings along.
final class GateTests: XCTestCase {
    func test_a_gate_signs_in_and_is_prepared() async throws {
        let door = try await Door()
        let gate = door.gate
        XCTAssertEqual(try gate.status().readiness, .notSignedIn)
        let unprepared = try await failure { try await door.scan(door.frame()) }
        guard case .InvalidInput("gate", _) = unprepared else { return XCTFail("\(unprepared)") }
        let unknown = try await failure { try await gate.signIn(signIn: door.signIn(code: "NOTACODE")) }
        guard case .NotFound = unknown else { return XCTFail("\(unknown)") }
        let signIn = door.signIn()
        XCTAssertFalse("\(signIn)".contains(door.code.code), "a record shows nothing of itself")
        let status = try await gate.signIn(signIn: signIn)
        XCTAssertTrue([.ready, .readyWithOldData].contains(status.readiness))
        XCTAssertEqual(status.name, "North door")
        XCTAssertEqual(status.event, door.ticket.eventHash)
        XCTAssertEqual(status.unsent, 0)
        XCTAssertGreaterThan(status.tickets, 0)
        let prepared = try await gate.prepare()
        XCTAssertEqual(prepared.manifestSequence, status.manifestSequence)
        XCTAssertEqual(status.certification, .valid(until: nil))
    }

    func test_a_certificate_that_is_over_is_told_until_the_next_sign_in() async throws {
        let door = try await Door()
        XCTAssertEqual(try door.gate.status().certification, .notNeeded)
        let over = Int64(Date().timeIntervalSince1970) - 60
        try await door.rules(#"{"certified_until": \#(over)}"#)
        let expired = try await door.gate.signIn(signIn: door.signIn())
        XCTAssertEqual(expired.certification, .expired(at: over))
        XCTAssertEqual(try door.gate.status().certification, .expired(at: over))
        let admitted = try door.scan(await door.frame())
        XCTAssertEqual(admitted.verdict, .admit, "nobody waits at the door for it")
        try await door.rules(#"{"certified_until": 0}"#)
        let renewed = try await door.gate.signIn(signIn: door.signIn(leaveUnsent: true))
        XCTAssertEqual(renewed.certification, .valid(until: nil))
    }

    func test_each_policy_lets_in_as_often_as_it_says() async throws {
        let door = try await Door()
        let gate = door.gate
        _ = try await gate.signIn(signIn: door.signIn())
        func now(_ rules: String) async throws {
            try await door.rules(rules)
            _ = try await gate.prepare()
        }
        /// The verdicts on a group of each of these sizes.
        func enter(_ sizes: UInt16...) async throws -> [Verdict] {
            var verdicts: [Verdict] = []
            for persons in sizes {
                verdicts.append(try gate.scan(scanned: await door.frame(), persons: persons).verdict)
            }
            return verdicts
        }
        func exit(_ persons: UInt16) async throws {
            let said = try gate.exit(scanned: await door.frame(), persons: persons)
            XCTAssertEqual(said.verdict, .admit)
        }

        try await now(#"{"policy": "days", "entries": 2}"#)
        var verdicts = try await enter(1)
        XCTAssertEqual(verdicts, [.admit])
        let sameDay = try door.scan(await door.frame())
        XCTAssertEqual(sameDay.verdict, .alreadyAdmitted)
        XCTAssertEqual(sameDay.allowed, .days(count: 2))

        try await now(#"{"policy": "entries", "entries": 5}"#)
        verdicts = try await enter(3, 2)
        XCTAssertEqual(verdicts, [.admit, .alreadyAdmitted])
        let last = try door.scan(await door.frame())
        XCTAssertEqual(last.verdict, .admit)
        XCTAssertEqual(last.entered, 4)
        XCTAssertEqual(last.allowed, .persons(count: 5))
        verdicts = try await enter(1)
        XCTAssertEqual(verdicts, [.alreadyAdmitted])

        try await now(#"{"policy": "re_entry"}"#)
        verdicts = try await enter(1)
        XCTAssertEqual(verdicts, [.alreadyAdmitted])
        try await exit(5)
        verdicts = try await enter(3, 1)
        XCTAssertEqual(verdicts, [.admit, .alreadyAdmitted])
        try await exit(2)
        verdicts = try await enter(3, 2, 1)
        XCTAssertEqual(verdicts, [.alreadyAdmitted, .admit, .alreadyAdmitted], "as many as have left")
        let full = try door.scan(await door.frame())
        XCTAssertEqual(full.allowed, .afterExit)
        let counted = try gate.statistics()
        XCTAssertEqual([counted.entered, counted.left], [10, 7])
    }

    func test_a_venue_nonce_is_asked_for_where_the_event_says_so() async throws {
        let door = try await Door()
        try await door.rules(#"{"nonce_required": true}"#)
        _ = try await door.gate.signIn(signIn: door.signIn())
        let without = try door.scan(await door.frame())
        XCTAssertEqual(without.verdict, .badDeviceSignature)
        let nonce = try await door.sandbox.nonce(door.code.tenant, door.event())
        let other = Data(nonce.map { $0 &+ 1 })
        let said = try [other, nonce].map { nonce in
            let frame = try door.wallet.present(ticketId: door.ticket.id, venueNonce: nonce)
            return try door.scan(Data(frame.text.utf8)).verdict
        }
        XCTAssertEqual(said, [.badDeviceSignature, .admit])
        let report = try await door.gate.sync()
        XCTAssertEqual([report.sent, report.conflicts, report.unsent], [3, 0, 0])
    }

    func test_a_gate_of_ticketing_redeems_the_tickets_that_it_let_in() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let (gate, office) = (try phone.openGate(), try phone.openOffice())
        let festival = try await sandbox.festival()
        let host = try await sandbox.organiser()
        let account = try await office.signIn(
            to: .ticketing, at: SystemConfig(url: festival.url), userName: host.name, password: host.password
        ).id
        let tickets = try await office.eventTickets(accountId: account, eventId: festival.event).tickets
        let serial = try XCTUnwrap(tickets.first { $0.status == .issued }).remoteId
        let config = SystemConfig(
            url: festival.url, ticketing: TicketingConfig(appKey: festival.integrationKey))
        let signIn = GateSignIn(
            service: .ticketing, config: config, admissionCode: festival.code, name: "Door 1")
        XCTAssertFalse([festival.code, festival.integrationKey].contains { "\(signIn)".contains($0) })
        let status = try await gate.signIn(signIn: signIn)
        XCTAssertGreaterThan(status.tickets, 0)
        XCTAssertEqual(status.certification, .notNeeded)
        let scan = { (text: String) in try gate.scan(scanned: Data(text.utf8), persons: 1) }
        let admitted = try scan(serial)
        XCTAssertEqual(admitted.verdict, .admit)
        XCTAssertEqual(admitted.profile, .plain)
        XCTAssertFalse(admitted.certainty.isProved, "nothing in a serial proves that it is no copy")
        XCTAssertEqual(try scan("a wristband").verdict, .unknownTicket)
        let again = try scan(serial)
        XCTAssertEqual(again.verdict, .alreadyAdmitted)
        XCTAssertEqual(again.earlier?.recordId, admitted.recordId)
        let report = try await gate.sync()
        XCTAssertEqual([report.sent, report.conflicts, report.unsent], [3, 0, 0])
        let redeemed = try await office.admissions(accountId: account, eventId: festival.event).admissions
        XCTAssertEqual(redeemed.map(\.ticket), [serial])
        XCTAssertEqual(redeemed.map(\.redeemer), ["Door 1"])
        XCTAssertEqual(redeemed.map(\.device), [status.scanner])
    }

    func test_a_validators_token_signs_in_to_bam_itself() async throws {
        let door = try await Door()
        let event = try XCTUnwrap(door.wallet.ticket(id: door.ticket.id).event).remoteId
        let token = try await door.sandbox.validatorToken(door.code.tenant, event)
        let signIn = GateSignIn(
            service: .bam, config: SystemConfig(url: door.sandbox.url), admissionCode: token, name: "South door")
        let status = try await door.gate.signIn(signIn: signIn)
        XCTAssertEqual(status.name, "South door")
        XCTAssertEqual(status.event, door.ticket.eventHash)
        let signed = try door.scan(await door.frame())
        XCTAssertEqual(signed.verdict, .unknownIssuer, "format 1 is not what B.A.M signs")
        XCTAssertEqual(try door.scan(Data("a wristband".utf8)).verdict, .unknownTicket)
        let report = try await door.gate.sync()
        XCTAssertEqual([report.sent, report.conflicts, report.unsent], [2, 0, 0])
    }

    func test_a_ticket_is_admitted_once_undone_overridden_and_handed_over() async throws {
        let door = try await Door()
        let (gate, ticket) = (door.gate, door.ticket.id)
        _ = try await gate.signIn(signIn: door.signIn())
        let shown = try await door.frame()
        let first = try door.scan(shown)
        XCTAssertEqual(first.verdict, .admit)
        XCTAssertEqual(first.profile, .signed)
        XCTAssertEqual(first.ticket, ticket)
        XCTAssertEqual(first.allowed, .once)
        XCTAssertTrue(first.certainty.isProved)
        XCTAssertTrue(try door.scan(shown).isRepeated, "a camera's double read")
        XCTAssertEqual(try door.scan(Data("a wristband".utf8)).verdict, .unknownTicket)
        XCTAssertEqual(try door.scan(shown).verdict, .replayed)

        let undone = try gate.undo(recordId: first.recordId)
        XCTAssertEqual(undone.kind, .undo)
        XCTAssertEqual(undone.ticket, ticket)
        let twice = try await failure { try gate.undo(recordId: first.recordId) }
        guard case .InvalidInput("record_id", _) = twice else { return XCTFail("\(twice)") }
        XCTAssertEqual(try gate.statistics().entered, 0)

        let second = try door.scan(await door.frame())
        XCTAssertEqual(second.verdict, .admit)
        let third = try door.scan(await door.frame())
        XCTAssertEqual(third.verdict, .alreadyAdmitted)
        XCTAssertEqual(third.earlier?.recordId, second.recordId)
        XCTAssertEqual(third.earlier?.isHere, true)
        let reason = "came out to park the car"
        let overridden = try gate.overrideRefusal(recordId: third.recordId, reason: reason)
        XCTAssertEqual(overridden.kind, .override)
        XCTAssertEqual(overridden.overrideReason, reason)
        let exit = try gate.exit(scanned: await door.frame(), persons: 1)
        XCTAssertEqual(exit.verdict, .admit)

        let counted = try gate.statistics()
        XCTAssertEqual([counted.entered, counted.left, counted.overridden, counted.undone], [2, 1, 1, 1])
        XCTAssertEqual(Set(counted.refusals.map(\.verdict)), [.unknownTicket, .replayed, .alreadyAdmitted])
        XCTAssertEqual(counted.refusals.map(\.count), [1, 1, 1])
        let kinds: [Kind] = [.exit, .override, .refusal, .admission, .undo, .refusal, .refusal, .admission]
        XCTAssertEqual(try gate.records(limit: 50).map(\.kind), kinds)
        try await handOver(at: door)
    }

    /// The server has nothing before, and everything after.
    private func handOver(at door: Door) async throws {
        let before = try await door.sandbox.gateRecords()
        XCTAssertEqual(before.count, 0)
        XCTAssertEqual(try door.gate.status().unsent, 8)
        let report = try await door.gate.sync()
        XCTAssertEqual([report.sent, report.conflicts, report.unsent], [8, 0, 0])
        XCTAssertTrue(try door.gate.records(limit: 50).allSatisfy { $0.isSent && $0.conflict == nil })
        let all = try await door.sandbox.gateRecords()
        XCTAssertEqual(all.count, 8)
        let admissions = all.filter { $0.kind == "Admission" }
        XCTAssertEqual(admissions.map(\.ticket), [door.ticket.id, door.ticket.id])
        XCTAssertEqual(admissions.map(\.verdict), ["Admit", "Admit"])
        XCTAssertEqual(admissions.map(\.gate), ["North door", "North door"])
    }

    func test_a_revoked_ticket_and_a_manifest_of_another_key_are_refused() async throws {
        let door = try await Door()
        let before = try await door.gate.signIn(signIn: door.signIn()).manifestSequence
        try await door.sandbox.badManifest("other_key")
        let refused = try await failure { try await door.gate.prepare() }
        guard case .ManifestRefused(.badSignature, _) = refused else { return XCTFail("\(refused)") }
        XCTAssertEqual(refused.code, "manifest_refused")
        XCTAssertEqual(try door.gate.status().manifestSequence, before, "the one in use stays")
        try await door.sandbox.goodManifest()

        let remote = try door.wallet.ticket(id: door.ticket.id).remoteId
        try await door.sandbox.gateState(door.code.tenant, remote, "revoked")
        let after = try await door.gate.prepare().manifestSequence
        XCTAssertGreaterThan(try XCTUnwrap(after), try XCTUnwrap(before))
        let said = try door.scan(await door.frame())
        XCTAssertEqual(said.verdict, .revoked)
        XCTAssertEqual(said.ticket, door.ticket.id)
        XCTAssertEqual(try door.gate.statistics().entered, 0)
    }

    func test_two_gates_that_met_name_the_double_entry_and_let_in_no_third_time() async throws {
        let door = try await Door()
        let (gate, east) = (door.gate, try await door.another("East door"))
        let first = try door.scan(await door.frame())
        let second = try east.scan(scanned: await door.frame(), persons: 1)
        XCTAssertEqual([first.verdict, second.verdict], [.admit, .admit])
        XCTAssertEqual(second.certainty.peers, 0)
        XCTAssertNil(second.certainty.newestPeerAgeS)
        let there = try XCTUnwrap(bring(from: gate, to: east).first)
        XCTAssertEqual([there.added, there.repeated, there.admissions, there.discounted], [1, 0, 1, 0])
        XCTAssertEqual(there.refused, [])
        XCTAssertFalse("\(there)".contains(door.ticket.id), "a record shows nothing of itself")
        let back = try XCTUnwrap(bring(from: east, to: gate).first)
        for doubles in [there.doubleEntries, back.doubleEntries] {
            XCTAssertEqual(doubles.map(\.ticket), [door.ticket.id])
            let entries = try XCTUnwrap(doubles.first).entries
            // Clocks of two gates differ by up to a second: either entry may be the later one.
            XCTAssertEqual(Set(entries.map(\.door)), ["North door", "East door"])
            XCTAssertEqual(Set(entries.map(\.recordId)), [first.recordId, second.recordId])
            XCTAssertEqual(entries.map(\.isExtra), [false, true])
        }
        for either in [gate, east] {
            let third = try either.scan(scanned: await door.frame(), persons: 1)
            XCTAssertEqual(third.verdict, .alreadyAdmitted)
            XCTAssertEqual(third.certainty.peers, 1)
            let newest = try XCTUnwrap(third.certainty.newestPeerAgeS)
            XCTAssertLessThanOrEqual(newest, try XCTUnwrap(third.certainty.oldestPeerAgeS))
        }
        let report = try gate.report()
        XCTAssertEqual([report.entered, report.left, report.records, report.unprovable], [2, 0, 3, 0])
        XCTAssertEqual(report.doubleEntries, back.doubleEntries)
        XCTAssertEqual([report.forks.count, report.discounted.count, report.missing.count], [0, 0, 0])
        XCTAssertEqual(Set(report.scanners.map(\.door)), ["North door", "East door"])
        XCTAssertEqual(report.scanners.filter(\.isHere).map(\.door), ["North door"])
    }

    func test_a_file_carries_a_ledger_and_what_is_none_is_refused() async throws {
        let door = try await Door()
        let (gate, east) = (door.gate, try await door.another("East door"))
        let first = try door.scan(await door.frame())
        XCTAssertEqual(try door.scan(Data("a wristband".utf8)).verdict, .unknownTicket)
        let file = door.phone.folder.appendingPathComponent("ledger.bin").path
        XCTAssertEqual(try gate.exportLedger(path: file), 2)
        let merged = try east.mergeFile(path: file)
        XCTAssertEqual([merged.added, merged.repeated], [2, 0])
        let again = try east.mergeFile(path: file)
        XCTAssertEqual([again.added, again.repeated], [0, 2])
        let second = try east.scan(scanned: await door.frame(), persons: 1)
        XCTAssertEqual(second.verdict, .alreadyAdmitted)
        XCTAssertEqual(second.earlier?.recordId, first.recordId)
        XCTAssertEqual(second.earlier?.isHere, false)

        let rubbish = Data("rubbish".utf8)
        let delta = try await failure { try gate.merge(delta: rubbish) }
        guard case .InvalidInput("delta", _) = delta else { return XCTFail("\(delta)") }
        let request = try await failure { try gate.ledgerDelta(request: rubbish, maxBytes: 4096) }
        guard case .InvalidInput("request", _) = request else { return XCTFail("\(request)") }
        let path = try await failure { try gate.mergeFile(path: file + "-nowhere") }
        guard case .InvalidInput("path", _) = path else { return XCTFail("\(path)") }
    }

    /// Brings what a gate wrote to another one, in small pieces; what each merge did.
    private func bring(from: Gate, to: Gate) throws -> [MergeReport] {
        var merged: [MergeReport] = []
        var request: Data? = try to.ledgerRequest()
        while let asked = request {
            let delta = try from.ledgerDelta(request: asked, maxBytes: 4096)
            let report = try to.merge(delta: delta.bytes)
            XCTAssertEqual(delta.more, report.nextRequest != nil)
            merged.append(report)
            request = report.nextRequest
        }
        return merged
    }
}

/// A gate that is not signed in yet, and a wallet with a ticket for its event.
private struct Door {
    let sandbox: Sandbox
    let phone: Phone
    let wallet: TicketWallet
    let ticket: TicketSummary
    let code: AdmissionCode
    let gate: Gate

    init() async throws {
        sandbox = try Sandbox()
        phone = try Phone()
        wallet = try await phone.synced(with: sandbox)
        ticket = try wallet.showable()
        let event = try XCTUnwrap(wallet.ticket(id: ticket.id).event)
        code = try await sandbox.admissionCode(event.remoteId)
        gate = try phone.openGate()
    }

    func signIn(
        code other: String? = nil, name: String = "North door", leaveUnsent: Bool = false
    ) -> GateSignIn {
        GateSignIn(
            service: .extension, config: SystemConfig(url: sandbox.gates(code)),
            admissionCode: other ?? code.code, name: name, leaveUnsent: leaveUnsent)
    }

    /// What the event is called in its system.
    func event() throws -> String {
        try XCTUnwrap(wallet.ticket(id: ticket.id).event).remoteId
    }

    /// Changes what the event's gates go by.
    func rules(_ json: String) async throws {
        try await sandbox.gateRules(code.tenant, event(), json)
    }

    /// Signs in here, and another gate too; there is no network from then on.
    func another(_ name: String) async throws -> Gate {
        let other = try phone.openGate(in: name)
        _ = try await other.signIn(signIn: signIn(name: name))
        _ = try await gate.signIn(signIn: signIn())
        try await sandbox.fault(#"{"path_contains": "", "times": 1000, "fault": "reset"}"#)
        return other
    }

    /// The bytes of a frame later than those before, which a gate tells apart by the second.
    func frame() async throws -> Data {
        try await Task.sleep(nanoseconds: 1_100_000_000)
        return Data(try wallet.present(ticketId: ticket.id).text.utf8)
    }

    func scan(_ scanned: Data) throws -> GateVerdict {
        try gate.scan(scanned: scanned, persons: 1)
    }
}
