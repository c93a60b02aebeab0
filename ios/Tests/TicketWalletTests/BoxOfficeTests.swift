import TicketWallet
import XCTest

/// What organisers do.
final class BoxOfficeTests: XCTestCase {
    private let item = ReservationItem(ticketConfigId: 1, quantity: 2, sectorId: 1)

    func test_tickets_are_reserved_and_issued() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let office = try phone.openOffice()
        let order = try await reservation(phone, sandbox)
        let account = try await signIn(office, sandbox)
        XCTAssertEqual(try office.accounts().map(\.id), [account])
        let reserved = try await office.reserve(accountId: account, order: order)
        XCTAssertEqual(reserved.kind, .reserve)
        XCTAssertEqual(reserved.state, .done)
        let ids = try tickets(of: reserved)
        XCTAssertEqual(ids.count, 2)
        let listed = try await office.reserved(accountId: account, eventId: 1)
        XCTAssertTrue(Set(listed.map(\.remoteId)).isSuperset(of: ids))
        let issue = try await office.issue(accountId: account, ticketIds: ids)
        XCTAssertEqual(issue.state, .done)
        let issued = try await office.waitUntilIssued(accountId: account, ticketIds: ids)
        XCTAssertEqual(issued.map(\.status), [.issued, .issued])
        let states = try await office.ticketStates(accountId: account, ticketIds: ids)
        XCTAssertEqual(states, issued)
        XCTAssertEqual(try office.writes(accountId: account).map(\.kind), [.issue, .reserve])
        XCTAssertFalse("\(order) \(reserved) \(issued)".contains(order.ownerEnrollmentId))
        try await office.signOut(accountId: account)
        XCTAssertEqual(try office.accounts(), [])
    }

    func test_tickets_are_freed_and_sent() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let office = try phone.openOffice()
        let order = try await reservation(phone, sandbox)
        let account = try await signIn(office, sandbox)
        let ids = try tickets(of: try await office.reserve(accountId: account, order: order))
        let freed = try await office.free(accountId: account, ticketIds: ids)
        XCTAssertEqual(freed.state, .done)
        let states = try await office.ticketStates(accountId: account, ticketIds: ids)
        XCTAssertEqual(states.map(\.status), [.available, .available])
        let group = GroupOrder(
            eventId: 1, format: "PDF", items: [item], note: "Ahoi 🎫", ownerEmails: [sandbox.users[1].name])
        let sent = try await office.sendGroup(accountId: account, order: group)
        XCTAssertEqual(sent.state, .done)
        let nothing = Reservation(
            eventId: 1, ownerEnrollmentId: order.ownerEnrollmentId, format: "SECURE", items: [])
        let refused = try await failure { try await office.reserve(accountId: account, order: nothing) }
        guard case .InvalidInput("items", _) = refused else { return XCTFail("\(refused)") }
    }

    func test_a_write_whose_answer_was_lost_is_looked_up() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let order = try await reservation(phone, sandbox)
        let account = try await signIn(phone.openOffice(), sandbox)
        let office = try phone.openOffice()
        let ids = try tickets(of: try await office.reserve(accountId: account, order: order))
        // The answer is lost, and what could be read afterwards is not to be had.
        try await sandbox.fault(#"{"path_contains": "/ticket/free", "times": 1, "fault": "lost_reply"}"#)
        let busy = #"{"unavailable": {"retry_after": "1"}}"#
        try await sandbox.fault(#"{"path_contains": "/ticket/\#(ids[0])", "times": 1000, "fault": \#(busy)}"#)
        let write = try await office.free(accountId: account, ticketIds: ids)
        XCTAssertEqual(write.state, .unknown)
        XCTAssertEqual(try office.writes(accountId: account, limit: 1), [write])
        try await sandbox.calm()
        let found = try await office.lookUp(writeId: write.id)
        XCTAssertEqual(found.state, .done)
        try office.forget(writeId: write.id)
        XCTAssertEqual(try office.writes(accountId: account).map(\.kind), [.reserve])
    }

    func test_waiting_for_an_issue_is_called_off() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let office = try phone.openOffice()
        let order = try await reservation(phone, sandbox)
        let account = try await signIn(office, sandbox)
        let ids = try tickets(of: try await office.reserve(accountId: account, order: order))
        let short = try await office.waitUntilIssued(accountId: account, ticketIds: ids, forSeconds: 0)
        XCTAssertEqual(short.map(\.status), [.reserved, .reserved])
        let waiting = Task {
            try await office.waitUntilIssued(accountId: account, ticketIds: ids, forSeconds: 3600)
        }
        try await Task.sleep(nanoseconds: 100_000_000)
        waiting.cancel()
        let error = try await failure { try await waiting.value }
        XCTAssertEqual(error.code, "cancelled")
        let states = try await office.ticketStates(accountId: account, ticketIds: ids)
        XCTAssertEqual(states.count, 2)
    }

    func test_a_partners_tickets() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let office = try phone.openOffice()
        let brand = try await sandbox.brand("nord")
        let server = try brand.client("partner")
        let account = try await office.signIn(
            to: .unidy, at: brand.oauth("partner", .clientCredentials), userName: server.clientId,
            password: try XCTUnwrap(server.clientSecret)
        ).id
        let categories = try await office.categories(accountId: account)
        XCTAssertFalse(categories.isEmpty)
        let pages = try await office.pages(accountId: account)
        XCTAssertTrue(pages.allSatisfy { $0.hasPrefix(brand.url) })
        let page = try await office.partnerTickets(accountId: account)
        XCTAssertTrue(page.more)
        let query = UnidyTicketQuery(page: 1, limit: 5, state: "active", orderBy: .startsAt, descending: true)
        let active = try await office.findPartnerTickets(accountId: account, query: query).tickets
        XCTAssertTrue(!active.isEmpty && active.count <= 5 && active.allSatisfy { $0.unidy?.state == "active" })
        let starts = active.compactMap { $0.unidy?.startsAt }
        XCTAssertEqual(starts, starts.sorted(by: >))
        let known = try record(of: XCTUnwrap(page.tickets.first))
        let fields = [
            "ticket_category_id": known["ticket_category_id"], "user_id": known["user_id"],
            "title": "Łódź 🎫", "reference": "K-1", "starts_at": "2099-01-01T18:00:00+01:00",
        ]
        let json = String(decoding: try JSONEncoder().encode(fields.compactMapValues { $0 as? String }), as: UTF8.self)
        let made = try await office.createTicket(accountId: account, fieldsJson: json)
        XCTAssertEqual(made.state, .done)
        let id = try XCTUnwrap(tickets(of: made).first)
        var ticket = try await office.partnerTicket(accountId: account, ticketId: id)
        XCTAssertEqual(try record(of: ticket)["title"] as? String, "Łódź 🎫")
        let changed = try await office.updateTicket(
            accountId: account, ticketId: id, fieldsJson: #"{"title":"Neu"}"#)
        XCTAssertEqual(changed.state, .done)
        ticket = try await office.partnerTicket(accountId: account, ticketId: id)
        XCTAssertEqual(try record(of: ticket)["title"] as? String, "Neu")
        let deleted = try await office.deleteTicket(accountId: account, ticketId: id)
        XCTAssertEqual(deleted.state, .done)
        let gone = try await failure { try await office.partnerTicket(accountId: account, ticketId: id) }
        guard case .Refused(_, 404, _) = gone else { return XCTFail("\(gone)") }
        let refused = try await failure { try await office.createTicket(accountId: account, fieldsJson: "[]") }
        guard case .InvalidInput("fields_json", _) = refused else { return XCTFail("\(refused)") }
    }

    /// Signs in as the organiser of the first tenant.
    private func signIn(_ office: TicketBoxOffice, _ sandbox: Sandbox) async throws -> String {
        let organiser = try await sandbox.organiser()
        let config = SystemConfig(
            url: sandbox.url, defaultTenant: "nordhafen", bam: BamConfig(organizerId: 101))
        return try await office.signIn(at: config, userName: organiser.name, password: organiser.password).id
    }

    /// A reservation for the first user.
    private func reservation(_ phone: Phone, _ sandbox: Sandbox) async throws -> Reservation {
        let wallet = try phone.open(sendByItself: false)
        let certificate = try await wallet.enroll(accountId: wallet.signIn(at: sandbox).id)
        return Reservation(
            eventId: 1, ownerEnrollmentId: certificate.enrollmentId, format: "SECURE", items: [item])
    }

    private func tickets(of write: OfficeWrite) throws -> [String] {
        struct Ticket: Decodable { let id: String }
        struct Answer: Decodable { let tickets: [Ticket] }
        let json = Data(try XCTUnwrap(write.answerJson).utf8)
        return try JSONDecoder().decode(Answer.self, from: json).tickets.map(\.id)
    }

    private func record(of ticket: OfficeTicket) throws -> [String: Any] {
        let json = try JSONSerialization.jsonObject(with: Data(ticket.bodyJson.utf8))
        return try XCTUnwrap(json as? [String: Any])
    }
}
