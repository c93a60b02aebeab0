import Foundation
import TicketWallet
import XCTest

/// A phone under test: a folder and the vault of the wallet in it. The folder goes when nobody has the vault any more.
final class Phone: Sendable {
    let folder: URL
    let vault: TestVault

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        vault = TestVault(in: folder)
    }

    /// Opens the wallet, as an app does when it starts.
    func open(
        clock: (any HostClock)? = nil,
        transport: (any HttpTransport)? = nil,
        sendByItself: Bool = true
    ) throws -> TicketWallet {
        let path = folder.appendingPathComponent("wallet").path
        let config = Config(folder: path, sendByItself: sendByItself)
        return try TicketWallet(config: config, vault: vault, clock: clock, transport: transport)
    }

    /// Opens a box office beside the wallet.
    func openOffice(clock: (any HostClock)? = nil) throws -> TicketBoxOffice {
        let path = folder.appendingPathComponent("office").path
        return try TicketBoxOffice(config: Config(folder: path), vault: vault, clock: clock)
    }

    /// Opens a gate beside the wallet.
    func openGate(in name: String = "gate", clock: (any HostClock)? = nil) throws -> Gate {
        let path = folder.appendingPathComponent(name).path
        return try Gate.open(config: Config(folder: path), vault: vault, clock: clock, transport: nil)
    }

    /// A wallet that has synced and sends only when it syncs.
    func openQuietly(with sandbox: Sandbox) async throws -> TicketWallet {
        let wallet = try open(sendByItself: false)
        try await wallet.signIn(at: sandbox)
        try await wallet.sync()
        return wallet
    }

    /// A wallet that is signed in at the sandbox and has synced.
    func synced(with sandbox: Sandbox) async throws -> TicketWallet {
        let wallet = try open()
        try await wallet.signIn(at: sandbox)
        try await wallet.sync()
        return wallet
    }
}

extension TicketWallet {
    /// Signs the sandbox's first user in.
    @discardableResult
    func signIn(at sandbox: Sandbox) async throws -> Account {
        let config = SystemConfig(url: sandbox.url)
        return try await signIn(at: config, userName: sandbox.user.name, password: sandbox.user.password)
    }

    /// Signs a user in as an end user of a brand of Unidy; gives the account's id.
    func signIn(to brand: String, at sandbox: Sandbox, user: Int = 0) async throws -> String {
        let person = sandbox.users[user]
        let config = try await sandbox.brand(brand).sdk()
        return try await signIn(to: .unidy, at: config, userName: person.name, password: person.password).id
    }

    /// All tickets, or all of an account.
    func all(of accountId: String? = nil) throws -> [TicketSummary] {
        try tickets(TicketFilter(accountId: accountId, limit: 1000))
    }

    /// A ticket that has a barcode to show.
    func showable(of accountId: String? = nil) throws -> TicketSummary {
        let found = try all(of: accountId).first { try ticket(id: $0.id).noBarcode == nil }
        return try XCTUnwrap(found, "no ticket has a barcode")
    }
}

/// What a gate says of a frame at the time it was made.
func verdict(on frame: Presentation, nonces: [Data] = []) throws -> CodeCheck {
    let gate = try CodeChecker(config: CheckerConfig(issuers: [KnownIssuer(publicKey: frame.issuerKey)]))
    return try gate.check(scanned: Data(frame.text.utf8), now: frame.presentedAt, nonces: nonces)
}

/// The error of the wallet that a call ends with.
func failure<T>(of call: () async throws -> T) async throws -> WalletError {
    do {
        _ = try await call()
    } catch let error as WalletError {
        return error
    }
    throw NoFailure()
}

/// The call worked, and should not have.
struct NoFailure: Error {}

/// Waits for something that other threads bring about; `false` when it does not come for a minute.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<6000 {
        if try await condition() { return true }
        try await Task.sleep(nanoseconds: 10_000_000)
    }
    return false
}
