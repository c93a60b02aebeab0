import TicketWallet
import XCTest

/// What hosts and event staff do at TickeTing.
final class AdmissionTests: XCTestCase {
    private let unknown = "NOSUCH-TICKET000000"

    func test_tokens_are_issued_changed_and_deleted() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let (office, festival) = (try phone.openOffice(), try await sandbox.festival())
        let (event, sections) = (festival.event, festival.sections)
        let account = try await signIn(office, sandbox)
        let writes = try await office.issueTokens(
            accountId: account, eventId: event, sections: sections, count: 2)
        XCTAssertEqual(writes.map(\.kind), [.issueToken, .issueToken])
        XCTAssertEqual(writes.map(\.state), [.done, .done])
        let page = try await office.tokens(
            accountId: account, eventId: event, query: TokenQuery(global: false))
        XCTAssertEqual(page.total, 2)
        XCTAssertFalse(page.more)
        let all = try await office.tokens(accountId: account, eventId: event)
        XCTAssertEqual(all.tokens.filter(\.global).count, 1)
        let listed = try XCTUnwrap(page.tokens.first)
        var token = try await office.token(accountId: account, eventId: event, tokenId: listed.id)
        XCTAssertEqual(token, listed)
        let code = try XCTUnwrap(token.code)
        XCTAssertTrue(try writes.contains { try self.code(of: $0) == code })
        let access = try await office.lookUpCode(accountId: account, code: code)
        XCTAssertEqual(access.eventId, event)
        XCTAssertEqual(access.sections, sections)
        let told = "\(writes) \(page) \(token) \(access)"
        XCTAssertFalse(told.contains(code) || told.contains(access.key), "records show nothing of themselves")

        let updated = try await office.updateToken(
            accountId: account, eventId: event, tokenId: token.id, sections: [sections[0]])
        XCTAssertEqual(updated.state, .done)
        token = try await office.token(accountId: account, eventId: event, tokenId: token.id)
        XCTAssertEqual(token.sections, [sections[0]])
        let deleted = try await office.deleteToken(accountId: account, eventId: event, tokenId: token.id)
        XCTAssertEqual(deleted.state, .done)
        let gone = try await failure {
            try await office.token(accountId: account, eventId: event, tokenId: listed.id)
        }
        guard case .Refused(_, 404, "unknown_resource") = gone else { return XCTFail("\(gone)") }
        let refused = try await failure {
            try await office.updateToken(
                accountId: account, eventId: event, tokenId: listed.id, sections: [])
        }
        guard case .InvalidInput("sections", _) = refused else { return XCTFail("\(refused)") }
    }

    func test_staff_redeem_tickets_by_the_key_of_a_token() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let (office, festival) = (try phone.openOffice(), try await sandbox.festival())
        let host = try await signIn(office, sandbox)
        let writes = try await office.issueTokens(
            accountId: host, eventId: festival.event, sections: festival.sections)
        XCTAssertEqual(writes.count, 1)
        let access = try await office.lookUpCode(accountId: host, code: code(of: writes[0]))
        let config = SystemConfig(
            url: festival.url, ticketing: TicketingConfig(access: .integrationKey))
        let gate = try await office.signIn(
            to: .ticketing, at: config, userName: "Gate 1", password: access.key
        ).id

        let serial = try await serial(office, gate, access.eventId)
        let order = AdmissionOrder(
            eventId: access.eventId, redeemer: "Juno", device: "D1", serials: [serial, unknown])
        let write = try await office.admit(accountId: gate, order: order)
        XCTAssertEqual(write.kind, .admit)
        XCTAssertEqual(write.state, .done)
        let answer = try admitted(by: write)
        XCTAssertEqual(answer.admissions.map(\.ticket), [serial])
        XCTAssertEqual(answer.refused, [unknown])
        let again = try await failure { try await office.admit(accountId: gate, order: order) }
        guard case .Refused(_, 400, _) = again else { return XCTFail("\(again)") }

        let page = try await office.admissions(
            accountId: gate, eventId: access.eventId, query: AdmissionQuery(device: "D1"))
        XCTAssertEqual(page.admissions.map(\.ticket), [serial])
        XCTAssertEqual(page.admissions.map(\.redeemer), ["Juno"])
        let all = try await office.admissions(accountId: gate, eventId: access.eventId)
        XCTAssertEqual(all.admissions, page.admissions)
        let since = try XCTUnwrap(page.admissions.first?.admittedAt) - 1
        let changed = try await office.eventTickets(
            accountId: gate, eventId: access.eventId, modifiedSince: since)
        XCTAssertEqual(changed.tickets.map(\.remoteId), [serial])
        XCTAssertEqual(changed.tickets.map(\.status), [.invalidated])
        XCTAssertFalse("\(order) \(write) \(page) \(changed)".contains(serial), "records show nothing of themselves")
    }

    func test_an_admission_whose_answer_was_lost_is_looked_up() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let (office, event) = (try phone.openOffice(), try await sandbox.festival().event)
        let account = try await signIn(office, sandbox)
        let serial = try await serial(office, account, event)
        // What could be read afterwards is lost too.
        try await sandbox.fault(#"{"path_contains": "/admissions", "times": 1000, "fault": "lost_reply"}"#)
        let order = AdmissionOrder(eventId: event, redeemer: "Juno", device: "D1", serials: [serial])
        let write = try await office.admit(accountId: account, order: order)
        XCTAssertEqual(write.state, .unknown)
        try await sandbox.calm()
        let found = try await office.lookUp(writeId: write.id)
        XCTAssertEqual(found.state, .done)
        XCTAssertEqual(try admitted(by: found).admissions.map(\.ticket), [serial])
        let page = try await office.admissions(accountId: account, eventId: event)
        XCTAssertEqual(page.admissions.count, 1)
    }

    /// Signs in as a host of all events.
    private func signIn(_ office: TicketBoxOffice, _ sandbox: Sandbox) async throws -> String {
        let host = try await sandbox.organiser()
        let config = SystemConfig(url: try await sandbox.festival().url)
        return try await office.signIn(
            to: .ticketing, at: config, userName: host.name, password: host.password
        ).id
    }

    /// The serial of a ticket for an event that lets somebody in.
    private func serial(_ office: TicketBoxOffice, _ account: String, _ event: String) async throws -> String {
        let page = try await office.eventTickets(accountId: account, eventId: event)
        return try XCTUnwrap(page.tickets.first { $0.status == .issued }).remoteId
    }

    private struct Admitted: Decodable {
        struct Admission: Decodable { let ticket: String }
        let admissions: [Admission]
        let refused: [String]
    }

    private func admitted(by write: OfficeWrite) throws -> Admitted {
        let json = Data(try XCTUnwrap(write.answerJson).utf8)
        return try JSONDecoder().decode(Admitted.self, from: json)
    }

    /// The code of the token that a write issued.
    private func code(of write: OfficeWrite) throws -> String {
        struct Token: Decodable { let code: String }
        struct Answer: Decodable { let tokens: [Token] }
        let json = Data(try XCTUnwrap(write.answerJson).utf8)
        return try XCTUnwrap(try JSONDecoder().decode(Answer.self, from: json).tokens.first).code
    }
}
