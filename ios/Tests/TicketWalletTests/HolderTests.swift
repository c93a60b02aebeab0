import TicketWallet
import XCTest

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What a holder does, whole.
final class HolderTests: XCTestCase {
    func test_sign_in_sync_list_present_and_verify() async throws {
        let sandbox = try Sandbox()
        let phone = try Phone()
        let wallet = try phone.open()
        XCTAssertEqual(try wallet.accounts(), [])
        let account = try await wallet.signIn(at: sandbox)
        XCTAssertEqual(try wallet.accounts(), [account])
        let report = try await wallet.sync(accountId: account.id)
        XCTAssertEqual(report.received, 12)
        XCTAssertEqual(report.added, 12)
        XCTAssertGreaterThan(report.bound, 0)
        XCTAssertTrue(try wallet.now().uncertainty.confirmed)
        sandbox.stop()

        XCTAssertEqual(try wallet.tickets().count, 12)
        let second = try wallet.tickets(TicketFilter(accountId: account.id, limit: 1, offset: 1))
        XCTAssertEqual(second, [try wallet.tickets()[1]])
        let ticket = try wallet.showable()
        let detail = try wallet.ticket(id: ticket.id)
        XCTAssertEqual(detail.summary, ticket)
        XCTAssertEqual(detail.generation, 1)

        let frame = try wallet.present(ticketId: ticket.id)
        XCTAssertEqual(frame.validUntil, frame.presentedAt + 30)
        let check = try verdict(on: frame)
        XCTAssertEqual(check.verdict, .valid)
        XCTAssertEqual(check.fields?.ticket, ticket.id)
        let nonce = Data(repeating: 7, count: 8)
        let withNonce = try wallet.present(ticketId: ticket.id, venueNonce: nonce)
        XCTAssertEqual(try verdict(on: withNonce, nonces: [nonce]).verdict, .valid)
        XCTAssertEqual(try verdict(on: withNonce).verdict, .badDeviceSignature)
        XCTAssertFalse("\(frame) \(ticket) \(detail)".contains(ticket.id), "records show nothing of themselves")
    }

    func test_large_byte_arrays_unicode_and_emoji() async throws {
        let large = Data((0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let phone = try Phone()
        let sealed = try phone.vault.seal(plaintext: large, associatedData: large)
        XCTAssertEqual(try phone.vault.unseal(sealed: sealed, associatedData: large), large)
        let key = try phone.vault.createKey(handle: Self.text)
        XCTAssertEqual(try phone.vault.publicKey(handle: Self.text), key)

        let issuer = try Issuer(seed: Data(repeating: 1, count: 32))
        let gate = try Gate(config: GateConfig(issuers: [KnownIssuer(publicKey: issuer.publicKey())]))
        XCTAssertEqual(try gate.check(scanned: large, now: 0, nonces: []).verdict, .malformed)

        let request = CredentialRequest(
            provider: "bam:api.example.org/org1", eventId: Self.text, ticketId: "🎫", section: 1, generation: 1,
            notBefore: 0, leaseEnd: 10, windowS: 30, nonceRequired: false, deviceKey: key)
        XCTAssertEqual(try issuer.credential(request: request).count, 134)

        let sandbox = try Sandbox()
        let plain = try await Phone().synced(with: sandbox)
        let title = try XCTUnwrap(plain.tickets().first?.title)
        let relay = Relay(replacing: title, by: Self.text, padding: 8 << 20)
        let wallet = try phone.open(transport: relay)
        try await wallet.signIn(at: sandbox)
        let report = try await wallet.sync()
        XCTAssertEqual(report.received, 12)
        XCTAssertTrue(try wallet.tickets().contains { $0.title == Self.text })
        let refused = try await failure {
            try await wallet.signIn(at: SystemConfig(url: sandbox.url), userName: Self.text, password: "🔑")
        }
        guard case .Refused(_, 401, _) = refused else { return XCTFail("\(refused)") }
    }

    func test_the_readme_example() async throws {
        let sandbox = try Sandbox()
        let phone = try Phone()
        var shown: [String: CodeVerdict] = [:]
        try await showTickets(
            phone.vault, in: phone.folder.appendingPathComponent("wallet"), from: sandbox.url,
            user: sandbox.user.name, password: sandbox.user.password
        ) { ticket, frame in
            shown[ticket.id] = try? verdict(on: frame).verdict
        }
        XCTAssertFalse(shown.isEmpty)
        XCTAssertTrue(shown.values.allSatisfy { $0 == .valid })
    }

    private static let text = "Zürich 東京 العربية e\u{301} 🎫👩‍👩‍👧‍👦🏳️‍🌈"
}

/// Carries requests with Foundation, and changes a name in the replies.
private final class Relay: HttpTransport {
    private let name: String
    private let other: String
    private let padding: Int

    init(replacing name: String, by other: String, padding: Int) {
        (self.name, self.other, self.padding) = (name, other, padding)
    }

    func checksPins() -> Bool { false }

    func send(request: HttpRequest) throws -> HttpResponse {
        guard let url = URL(string: request.url) else { throw HttpTransportError.Failed(reason: "no URL") }
        var outgoing = URLRequest(url: url, timeoutInterval: Double(request.timeoutMs) / 1000)
        outgoing.httpMethod = request.method
        outgoing.httpBody = request.body
        for header in request.headers {
            outgoing.setValue(header.value, forHTTPHeaderField: header.name)
        }
        let answer = Answer()
        let task = URLSession.shared.dataTask(with: outgoing) { body, response, _ in
            answer.come(body, response as? HTTPURLResponse)
        }
        task.resume()
        guard let (body, response) = answer.wait() else { throw HttpTransportError.Broken }
        let headers = response.allHeaderFields.map { HttpHeader(name: "\($0.key)", value: "\($0.value)") }
        let text = String(decoding: body, as: UTF8.self).replacingOccurrences(of: name, with: other)
        let padded = Data(text.utf8) + Data(repeating: UInt8(ascii: " "), count: padding)
        return HttpResponse(status: UInt16(response.statusCode), headers: headers, body: padded)
    }

    private final class Answer: @unchecked Sendable {
        private let here = DispatchSemaphore(value: 0)
        private var answer: (Data, HTTPURLResponse)?

        func come(_ body: Data?, _ response: HTTPURLResponse?) {
            if let body, let response { answer = (body, response) }
            here.signal()
        }

        func wait() -> (Data, HTTPURLResponse)? {
            here.wait()
            return answer
        }
    }
}
