import TicketWallet
import XCTest

/// Several ticketing systems in one wallet, and what each of them has beside tickets.
final class SystemsTests: XCTestCase {
    func test_several_systems_in_one_wallet() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let wallet = try phone.open(sendByItself: false)
        let bam = try await wallet.signIn(at: sandbox).id
        let nord = try await wallet.signIn(to: "nord", at: sandbox)
        let west = try await wallet.signIn(to: "west", at: sandbox)
        try await wallet.sync()
        XCTAssertEqual(Set(try wallet.all().map(\.accountId)), [bam, nord, west])
        let groups = try wallet.ticketsByEvent(TicketFilter(limit: 1000))
        XCTAssertEqual(Set(groups.flatMap(\.tickets).map(\.id)), Set(try wallet.all().map(\.id)))
        XCTAssertTrue(groups.contains { $0.tickets.count > 1 })
        XCTAssertTrue(try wallet.capabilities(accountId: bam).isSuperset(of: [.signedBarcodes, .orders]))
        XCTAssertTrue(try wallet.capabilities(accountId: nord).contains(.incomingTransfers))
        XCTAssertFalse(try wallet.capabilities(accountId: west).contains(.signedBarcodes))

        let signed = try wallet.present(ticketId: wallet.showable(of: bam).id)
        XCTAssertEqual(signed.profile, .signed)
        XCTAssertEqual(signed.issuerKey.count, 32)
        let unchanging = try wallet.present(ticketId: wallet.showable(of: nord).id)
        XCTAssertEqual(unchanging.profile, .static)
        XCTAssertEqual(unchanging.issuerKey.count, 0)
        XCTAssertEqual(try wallet.present(ticketId: wallet.showable(of: nord).id).text, unchanging.text)
        let config = try await sandbox.brand("nord").sdk()
        XCTAssertFalse("\(groups) \(config)".contains("sdkKey"), "records show nothing of themselves")

        try await wallet.signOut(accountId: nord)
        XCTAssertEqual(Set(try wallet.all().map(\.accountId)), [bam, west])
    }

    func test_tickets_of_ticketing_and_of_texpo() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let (wallet, user) = (try phone.open(sendByItself: false), sandbox.user)
        let shown = SystemConfig(
            url: try await sandbox.festival().url, ticketing: TicketingConfig(codes: .serial))
        let festival = try await wallet.signIn(
            to: .ticketing, at: shown, userName: user.name, password: user.password)
        let expo = try await wallet.signIn(
            to: .texpo, at: sandbox.expo().config, userName: user.name, password: user.password)
        XCTAssertEqual([festival, expo].map(\.system), [.ticketing, .texpo])
        try await wallet.sync()
        XCTAssertTrue(try wallet.capabilities(accountId: festival.id).contains(.admissions))
        XCTAssertTrue(try wallet.capabilities(accountId: expo.id).contains(.manageCatalogue))
        let issued = try XCTUnwrap(wallet.all(of: festival.id).first { $0.status == .issued }).id
        XCTAssertEqual(try wallet.present(ticketId: issued).text, try wallet.ticket(id: issued).remoteId)
        let bought = try XCTUnwrap(wallet.all(of: expo.id).first).id
        let files = try await wallet.fetchDocuments(ticketId: bought)
        XCTAssertEqual(files.map(\.mediaType), ["application/pdf"])
    }

    func test_tickets_are_handed_over_and_ordered_by_section() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let (wallet, user, other) = (try phone.open(sendByItself: false), sandbox.user, sandbox.users[1])
        let festival = try await sandbox.festival()
        let config = SystemConfig(url: festival.url)
        let two = [SectionCount(section: festival.sections[0], quantity: 2)]
        let to = try await wallet.signIn(
            to: .ticketing, at: config, userName: other.name, password: other.password).id
        let from = try await wallet.signIn(
            to: .ticketing, at: config, userName: user.name, password: user.password).id
        XCTAssertTrue(try wallet.capabilities(accountId: from).contains(.sectionTransfers))
        let sent = try await wallet.startTransfer(accountId: from, recipient: other.name, tickets: two)
        XCTAssertEqual(sent.kind, .startTransfer)
        XCTAssertEqual(sent.state, .done)
        let incoming = try await wallet.sectionTransfers(accountId: to, incoming: true, page: 1)
        let transfer = try XCTUnwrap(incoming.transfers.first)
        XCTAssertEqual(transfer.tickets, two)
        XCTAssertFalse("\(incoming)".contains(transfer.uri), "records show nothing of themselves")
        let claimed = try await wallet.claimTransfer(accountId: to, uri: transfer.uri)
        XCTAssertEqual(claimed.state, .done)
        let over = try await failure {
            _ = try await wallet.takeTransferBack(accountId: from, uri: transfer.uri)
        }
        XCTAssertEqual(over.code, "refused")

        let ordered = try await wallet.placeOrder(accountId: from, items: two)
        XCTAssertEqual(ordered.state, .done)
        let order = try await wallet.sectionOrders(accountId: from, page: 1).orders[0]
        XCTAssertEqual(order.status, "Placed")
        let cancelled = try await wallet.cancelOrder(accountId: from, number: order.number)
        XCTAssertEqual(cancelled.state, .done)
        XCTAssertEqual(try wallet.writes(accountId: from, limit: 10).count, 4)
        let known = try await wallet.lookUpWrite(id: ordered.id)
        XCTAssertEqual(known.state, .done)
        try wallet.forgetWrite(id: ordered.id)
        XCTAssertEqual(try wallet.writes(accountId: from, limit: 10).count, 3)
    }

    func test_a_sign_in_in_the_browser_outlives_the_app() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let config = try await sandbox.brand("nord").oauth("app", .authorizationCode)
        try await sandbox.consent(sandbox.user.name)
        let begun = try await phone.open().beginSignIn(at: config)
        let back = try await sandbox.browse(begun.url)
        XCTAssertTrue(back.contains(begun.state))

        let wallet = try phone.open(sendByItself: false)
        let done = try await wallet.completeSignIn(redirect: back)
        XCTAssertEqual(done.account.userName, sandbox.user.name)
        XCTAssertEqual(done.warnings, [])
        try await wallet.sync()
        XCTAssertFalse(try wallet.tickets().isEmpty)
        let again = try await failure { try await wallet.completeSignIn(redirect: back) }
        guard case .InvalidInput("redirect", _) = again else { return XCTFail("\(again)") }
        try await sandbox.consent(nil)
        let refused = try await failure {
            let url = try await wallet.beginSignIn(at: config).url
            return try await wallet.completeSignIn(redirect: sandbox.browse(url))
        }
        guard case .Cancelled = refused else { return XCTFail("\(refused)") }
    }

    func test_a_code_that_comes_by_mail_signs_in() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let wallet = try phone.open()
        let config = try await sandbox.brand("west").sdk()
        let asked = try await wallet.requestCode(at: config, userName: sandbox.user.name)
        let wrong = try await failure { try await wallet.signIn(asked, code: "no code") }
        guard case .Refused = wrong else { return XCTFail("\(wrong)") }
        let account = try await wallet.signIn(asked, code: sandbox.lastMail())
        XCTAssertEqual(try wallet.accounts(), [account])
        try await wallet.sync(accountId: account.id)
        XCTAssertFalse(try wallet.tickets().isEmpty)
    }

    func test_files_of_a_ticket_are_kept() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let wallet = try phone.open()
        let account = try await wallet.signIn(to: "nord", at: sandbox)
        try await wallet.sync()
        let id = try exportable(wallet)
        XCTAssertEqual(try wallet.documents(accountId: account), [])
        let files = try await wallet.fetchDocuments(ticketId: id)
        XCTAssertEqual(files.map(\.mediaType), ["application/pdf", "application/vnd.apple.pkpass"])
        sandbox.stop()
        XCTAssertEqual(try wallet.documents(accountId: account, subject: "ticket/\(id)"), files)
        let pdf = try wallet.document(id: files[0].id)
        XCTAssertTrue(pdf.starts(with: Data("%PDF-".utf8)))
        XCTAssertEqual(UInt64(pdf.count), files[0].size)
    }

    func test_fetching_files_is_called_off() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let wallet = try phone.open(sendByItself: false)
        let account = try await wallet.signIn(to: "nord", at: sandbox)
        try await wallet.sync()
        let id = try exportable(wallet)
        try await sandbox.fault(#"{"path_contains": "export_link", "times": 1, "fault": {"latency_ms": 15000}}"#)
        let fetching = Task { try await wallet.fetchDocuments(ticketId: id) }
        let isAsked = try await eventually { try await sandbox.requests().contains { $0.hasSuffix("export_link") } }
        XCTAssertTrue(isAsked)
        fetching.cancel()
        let error = try await failure { try await fetching.value }
        XCTAssertEqual(error.code, "cancelled")
        XCTAssertEqual(try wallet.documents(accountId: account), [])
        let late = Task {
            try? await Task.sleep(nanoseconds: 3_600_000_000_000)
            return try await wallet.fetchDocuments(ticketId: id)
        }
        late.cancel()
        let unbegun = try await failure { try await late.value }
        XCTAssertEqual(unbegun.code, "cancelled")
        let isKept = try await eventually { try wallet.documents(accountId: account).count == 2 }
        XCTAssertTrue(isKept, "what comes is kept")
    }

    func test_a_ticket_is_handed_over() async throws {
        let (sandbox, one, other) = (try Sandbox(), try Phone(), try Phone())
        let (from, to) = (try one.open(sendByItself: false), try other.open(sendByItself: false))
        let sender = try await from.signIn(to: "nord", at: sandbox, user: 0)
        let recipient = try await to.signIn(to: "nord", at: sandbox, user: 1)
        try await from.sync()
        try await to.sync()
        let id = try from.showable(of: sender).id
        func offer() async throws -> String {
            try from.transfer(ticketId: id, to: sandbox.users[1].name)
            try await from.sync()
            let incoming = try await to.incomingTransfers(accountId: recipient)
            XCTAssertEqual(incoming.count, 1)
            return try XCTUnwrap(incoming.first).token
        }
        let asked = try await from.unidyTickets(
            accountId: sender, query: UnidyTicketQuery(limit: 250, state: "active"))
        let remote = try from.ticket(id: id).remoteId
        XCTAssertTrue(asked.tickets.contains { $0.remoteId == remote && $0.unidy?.state == "active" })
        let fields = try from.all().compactMap { try from.ticket(id: $0.id).unidy }
        let documented = try XCTUnwrap(fields.first { $0.title == "24-25 Heimspiel" })
        XCTAssertEqual(documented.price, Money(minor: 6_400, currency: "EUR"))
        let vat = documented.amounts.first { $0.pointer.hasSuffix("isoVatAmount") }
        XCTAssertEqual(vat?.amount, Money(minor: 1_000, currency: "EUR"))
        XCTAssertNil(documented.paymentState)
        let declined = try await to.declineTransfer(accountId: recipient, token: offer())
        XCTAssertEqual(declined, .declined)
        try await from.sync()
        XCTAssertEqual(try from.transfers().map(\.state), [.ended])
        _ = try from.present(ticketId: id)
        let accepted = try await to.acceptTransfer(accountId: recipient, token: offer())
        XCTAssertEqual(accepted, .accepted)
        try await to.sync()
        try await from.sync()
        _ = try to.present(ticketId: id)
        XCTAssertFalse(try from.all().contains { $0.id == id })
        let refused = try await failure {
            try await to.acceptTransfer(accountId: recipient, token: sandbox.lastMail())
        }
        guard case .Refused(_, _, "transfer_not_pending") = refused else { return XCTFail("\(refused)") }
    }

    func test_orders_offers_questions_and_certificates() async throws {
        let (sandbox, phone, tenant) = (try Sandbox(), try Phone(), "nordhafen")
        let wallet = try await phone.openQuietly(with: sandbox)
        let account = try XCTUnwrap(wallet.accounts().first).id
        let orders = try await wallet.orders(accountId: account, tenant: tenant)
        let order = try XCTUnwrap(orders.first { $0.format == "PDF" })
        let again = try await wallet.order(accountId: account, orderId: order.remoteId, tenant: tenant)
        XCTAssertEqual(again, order)
        let newest = ServerTicketQuery(
            format: .pdf, withEnrollmentId: true, sortBy: "updated_at", direction: .descending)
        let listed = try await wallet.serverTickets(accountId: account, query: newest)
        XCTAssertEqual(UInt64(listed.records.count), listed.total)
        XCTAssertTrue(listed.records.allSatisfy { $0.contains(#""format":"PDF""#) && $0.contains("enrollment_id") })
        XCTAssertFalse("\(listed)".contains("PDF"))
        let file = try await wallet.fetchOrderDocument(accountId: account, orderId: order.remoteId, tenant: tenant)
        XCTAssertEqual(try wallet.documents(accountId: account, subject: "order/\(order.remoteId)"), [file])
        XCTAssertEqual(UInt64(try wallet.document(id: file.id).count), file.size)
        let mail = try await wallet.emailOrder(accountId: account, orderId: order.remoteId, tenant: tenant)
        XCTAssertEqual(mail, .taken)
        _ = try await wallet.ownOffers(accountId: account, tenant: tenant)

        let details = try wallet.all().map { try wallet.ticket(id: $0.id) }
        let ticket = try XCTUnwrap(details.first { order.ticketIds.contains($0.remoteId) })
        for size in ["S", "M"] {
            try wallet.saveTicketHolder(ticketId: ticket.summary.id, responseJson: #"{"size":"\#(size)"}"#)
            let report = try await wallet.sync()
            XCTAssertEqual(report.sent, 1)
        }
        let form = try await wallet.holderQuestions(ticketId: ticket.summary.id)
        XCTAssertEqual(form?.responseJson?.contains(#""M""#), true)
        let record = try await wallet.ticket(ledgerId: ledgerId(of: ticket), accountId: account, tenant: tenant)
        XCTAssertTrue(record.contains(#""id":\#(ticket.remoteId)"#), record)

        XCTAssertNil(try wallet.certificate(accountId: account))
        let certificate = try await wallet.enroll(accountId: account)
        XCTAssertTrue(certificate.certificatePem.hasPrefix("-----BEGIN CERTIFICATE-----"))
        XCTAssertEqual(try wallet.certificate(accountId: account), certificate)
        let due = try await wallet.certificateIsDue(accountId: account)
        XCTAssertEqual(due, false)
        let unidy = try await wallet.signIn(to: "nord", at: sandbox)
        let refused = try await failure { try await wallet.orders(accountId: unidy) }
        guard case .InvalidInput("account_id", _) = refused else { return XCTFail("\(refused)") }
    }

    func test_pins_that_nobody_would_check_are_refused() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let pins = ["A", "E"].map { CertificatePin(sha256: String(repeating: $0, count: 43) + "=") }
        func refusal(_ config: SystemConfig, _ transport: (any HttpTransport)?) async throws -> String {
            let wallet = try phone.open(transport: transport)
            let refused = try await failure {
                let user = sandbox.user
                return try await wallet.signIn(at: config, userName: user.name, password: user.password)
            }
            guard case .InvalidInput("pins", let reason) = refused else { return "\(refused)" }
            return reason
        }
        let plain = try await refusal(SystemConfig(url: sandbox.url, pins: pins), nil)
        XCTAssertTrue(plain.contains("https"), plain)
        let secure = SystemConfig(url: "https://localhost:1", pins: pins)
        let careless = try await refusal(secure, Careless())
        XCTAssertTrue(careless.contains("HttpTransport"), careless)
        let alone = try await refusal(SystemConfig(url: secure.url, pins: [pins[0]]), nil)
        XCTAssertTrue(alone.contains("two"), alone)
    }

    /// The ledger's name for a B.A.M ticket, made of three numbers.
    private func ledgerId(of ticket: TicketDetail) throws -> String {
        struct Event: Decodable { let id: Int }
        struct Configuration: Decodable { let id: Int, event: Event }
        struct Record: Decodable { let seqNum: Int, ticketConfig: Configuration }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let record = try decoder.decode(Record.self, from: Data(ticket.bodyJson.utf8))
        let configuration = record.ticketConfig
        return "E\(configuration.event.id)TC\(configuration.id)T\(record.seqNum)"
    }

    /// A ticket that its system hands out as files.
    private func exportable(_ wallet: TicketWallet) throws -> String {
        let found = try wallet.all().first {
            try wallet.ticket(id: $0.id).bodyJson.contains(#""exportable_to_wallet":true"#)
        }
        return try XCTUnwrap(found).id
    }
}

/// Checks no pins, and is never to send anything.
private final class Careless: HttpTransport {
    func checksPins() -> Bool {
        false
    }

    func send(request: HttpRequest) throws -> HttpResponse {
        throw HttpTransportError.Failed(reason: "nothing is to be sent")
    }
}
