import Foundation
import TicketWallet

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A sandbox server in a process of its own, for one test; it ends with this object.
final class Sandbox: @unchecked Sendable {
    struct User: Decodable {
        let name: String
        let password: String
    }

    private struct Ready: Decodable {
        let url: String
        let users: [User]
    }

    struct NotStarted: Error {}

    let url: String
    let users: [User]
    private let process = Process()

    /// Its first user.
    var user: User { users[0] }

    /// Starts `ticket-wallet sandbox` and waits for its ready line.
    init(tickets: Int = 12) throws {
        let command = ProcessInfo.processInfo.environment["TICKET_WALLET_COMMAND"] ?? "ticket-wallet"
        process.executableURL = URL(fileURLWithPath: command)
        process.arguments = ["sandbox", "--tickets", String(tickets)]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            guard let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty else {
                throw NotStarted()
            }
            line += byte
        }
        let ready = try JSONDecoder().decode(Ready.self, from: line)
        guard !ready.users.isEmpty else { throw NotStarted() }
        (url, users) = (ready.url, ready.users)
    }

    deinit {
        stop()
    }

    /// Ends the server at once, whatever it is doing.
    func stop() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// Lets requests go wrong: `rule` is an object of the sandbox's `POST /sandbox/faults`.
    func fault(_ rule: String) async throws {
        try await control("POST", "/sandbox/faults", "[\(rule)]")
    }

    /// Ends all faults.
    func calm() async throws {
        try await control("DELETE", "/sandbox/faults")
    }

    /// The requests so far, as `METHOD /path`.
    func requests() async throws -> [String] {
        try await get("/sandbox/requests")
    }

    /// Who works for the organiser of the first tenant.
    func organiser() async throws -> User {
        let all: [User] = try await get("/sandbox/organizers")
        guard let first = all.first else { throw NotStarted() }
        return first
    }

    /// A brand of Unidy.
    func brand(_ name: String) async throws -> Brand {
        let access: Access = try await get("/sandbox/unidy")
        guard let found = access.brands.first(where: { $0.name == name }) else { throw NotStarted() }
        return found
    }

    /// How TickeTing is reached.
    func festival() async throws -> Festival {
        try await get("/sandbox/ticketing")
    }

    /// Has TickeTing refuse clients of an older version.
    func requireVersion(_ version: String) async throws {
        try await control("PUT", "/sandbox/ticketing/choices", #"{"least_version": "\#(version)"}"#)
    }

    /// How TEXPO is reached.
    func expo() async throws -> Expo {
        try await get("/sandbox/texpo")
    }

    /// The code that lets a gate in to every section of an event.
    func admissionCode(_ event: String) async throws -> AdmissionCode {
        let all: [AdmissionCode] = try await get("/sandbox/gates/codes")
        guard let found = all.first(where: { String($0.eventId) == event }) else { throw NotStarted() }
        return found
    }

    /// What gates of an event sign in to B.A.M itself with.
    func validatorToken(_ tenant: String, _ event: String) async throws -> String {
        struct Validator: Decodable { let token: String }
        let validator: Validator = try await get("/sandbox/validators/\(tenant)/\(event)")
        return validator.token
    }

    /// Where gates of a code's tenant sign in.
    func gates(_ code: AdmissionCode) -> String {
        "\(url)/t/\(code.tenant)"
    }

    /// The records of all gates that the server has.
    func gateRecords() async throws -> [AdmissionRecord] {
        struct Event: Decodable { let records: [AdmissionRecord] }
        struct Report: Decodable { let events: [Event] }
        let report: Report = try await get("/sandbox/gates", accepting: "application/json")
        return report.events.flatMap(\.records)
    }

    /// Gives a ticket a state at the gates, whatever its status says.
    func gateState(_ tenant: String, _ ticket: String, _ state: String) async throws {
        let path = "/sandbox/gates/tickets/\(tenant)/\(ticket)"
        try await control("PATCH", path, #"{"state": "\#(state)"}"#)
    }

    /// Changes what gates of an event go by; `rules` is JSON.
    func gateRules(_ tenant: String, _ event: String, _ rules: String) async throws {
        try await control("PATCH", "/sandbox/gates/events/\(tenant)/\(event)", rules)
    }

    /// The venue nonce of an event that phones show now.
    func nonce(_ tenant: String, _ event: String) async throws -> Data {
        struct Shown: Decodable { let nonce: String }
        let shown: Shown = try await get("/sandbox/gates/events/\(tenant)/\(event)/nonce")
        guard let number = UInt64(shown.nonce, radix: 16) else { throw NotStarted() }
        return withUnsafeBytes(of: number.bigEndian) { Data($0) }
    }

    /// Sends gates this kind of bad manifest until ``goodManifest()``.
    func badManifest(_ kind: String) async throws {
        try await control("PUT", "/sandbox/gates/bad-manifest", #""\#(kind)""#)
    }

    /// Sends gates good manifests again.
    func goodManifest() async throws {
        try await control("DELETE", "/sandbox/gates/bad-manifest")
    }

    /// Simulates the payment at the address that a purchase names.
    func pay(_ address: String) async throws {
        guard let url = URL(string: address) else { throw NotStarted() }
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        let (body, response) = try await URLSession.shared.data(for: request)
        let page = String(decoding: body, as: UTF8.self)
        guard (response as? HTTPURLResponse)?.statusCode == 200, page.contains("no money moved") else {
            throw NotStarted()
        }
    }

    /// Has the page at which people sign in consent at once for a user; for nobody it refuses at once.
    func consent(_ user: String?) async throws {
        let consent = user.map { #"{"approve": {"user": "\#($0)"}}"# } ?? #""deny""#
        try await control("PUT", "/sandbox/unidy/choices", #"{"consent": \#(consent)}"#)
    }

    /// What the last e-mail was about: a code, or the token of a transfer.
    func lastMail() async throws -> String {
        struct Mail: Decodable { let secret: String }
        let all: [Mail] = try await get("/sandbox/unidy/mails")
        guard let last = all.last else { throw NotStarted() }
        return last.secret
    }

    /// Where a browser is sent that opens an address.
    func browse(_ address: String) async throws -> String {
        guard let url = URL(string: address) else { throw NotStarted() }
        let browser = URLSession(configuration: .ephemeral, delegate: StaysHere(), delegateQueue: nil)
        let (_, response) = try await browser.data(from: url)
        let reply = response as? HTTPURLResponse
        guard let next = reply?.value(forHTTPHeaderField: "Location") else { throw NotStarted() }
        return next
    }

    private struct Access: Decodable {
        let brands: [Brand]
    }

    private func get<T: Decodable>(_ path: String, accepting type: String = "*/*") async throws -> T {
        guard let url = URL(string: url + path) else { throw NotStarted() }
        var request = URLRequest(url: url)
        request.setValue(type, forHTTPHeaderField: "Accept")
        let (body, _) = try await URLSession.shared.data(for: request)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(T.self, from: body)
    }

    private func control(_ method: String, _ path: String, _ body: String? = nil) async throws {
        guard let url = URL(string: url + path) else { throw NotStarted() }
        var request = URLRequest(url: url)
        request.httpMethod = method
        if let body {
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = Data(body.utf8)
        }
        let (_, response) = try await URLSession.shared.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 204 else { throw NotStarted() }
    }
}

/// What gates of an event sign in with; the event's own comes before those of its sections.
struct AdmissionCode: Decodable {
    let tenant: String
    let eventId: Int64
    let code: String
}

/// A record of a gate as the server shows it.
struct AdmissionRecord: Decodable {
    let gate: String?
    let ticket: String?
    let kind: String
    let verdict: String
}

/// A brand of the sandbox's Unidy.
struct Brand: Decodable {
    /// An OAuth app.
    struct Client: Decodable {
        let name: String
        let clientId: String
        let clientSecret: String?
        let redirectUri: String
    }

    let name: String
    let url: String
    private let sdkKey: String
    private let clients: [Client]

    /// How an end user's app reaches it.
    func sdk() -> SystemConfig {
        SystemConfig(url: url, unidy: UnidyConfig(api: .sdk, sdkKey: sdkKey))
    }

    /// The OAuth app of this name.
    func client(_ name: String) throws -> Client {
        guard let found = clients.first(where: { $0.name == name }) else { throw Sandbox.NotStarted() }
        return found
    }

    /// How an OAuth app of this name reaches it.
    func oauth(_ name: String, _ grant: UnidyGrant) throws -> SystemConfig {
        let app = try client(name)
        let unidy = UnidyConfig(
            api: .partner, clientId: app.clientId, grant: grant, redirectUri: app.redirectUri)
        return SystemConfig(url: url, unidy: unidy)
    }
}

/// The sandbox's TickeTing.
struct Festival: Decodable {
    /// An event, and the addresses of its sections.
    struct Event: Decodable {
        let id: UInt64
        let sections: [String]
        let globalCode: String
    }

    /// Where its API is.
    let url: String
    /// The app's own key, by which codes are looked up.
    let integrationKey: String
    let events: [Event]

    /// What a gate of the first event signs in with.
    var code: String { events[0].globalCode }

    /// The first event's id.
    var event: String { String(events[0].id) }

    /// The addresses of its sections.
    var sections: [String] { events[0].sections }
}

/// The sandbox's TEXPO.
struct Expo: Decodable {
    private let url: String
    private let networkId: String
    private let manager: String
    private let password: String

    /// How it is reached.
    var config: SystemConfig {
        let texpo = TexpoConfig(networkId: networkId, signIn: .adminserver, timestamps: .unixSeconds)
        return SystemConfig(url: url, texpo: texpo)
    }

    /// Who may change the catalogue.
    var user: Sandbox.User { Sandbox.User(name: manager, password: password) }
}

/// Follows no redirect.
private final class StaysHere: NSObject, URLSessionTaskDelegate {
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}
