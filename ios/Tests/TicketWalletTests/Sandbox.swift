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
    let user: User
    private let process = Process()

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
        guard let first = ready.users.first else { throw NotStarted() }
        (url, user) = (ready.url, first)
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
        guard let url = URL(string: url + "/sandbox/faults") else { throw NotStarted() }
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = Data("[\(rule)]".utf8)
        let (_, response) = try await URLSession.shared.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 204 else { throw NotStarted() }
    }

    /// The requests so far, as `METHOD /path`.
    func requests() async throws -> [String] {
        guard let url = URL(string: url + "/sandbox/requests") else { throw NotStarted() }
        let (body, _) = try await URLSession.shared.data(from: url)
        return try JSONDecoder().decode([String].self, from: body)
    }
}
