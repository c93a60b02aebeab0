import TicketWallet
import XCTest

/// Every error, brought about for real.
final class ErrorTests: XCTestCase {
    func test_every_error_variant_matched() async throws {
        let sandbox = try Sandbox()
        let phone = try Phone()
        let wallet = try await phone.synced(with: sandbox)
        let shown = try wallet.showable().id
        var codes: [String] = []
        func expect(_ code: String, _ call: () async throws -> Any) async throws {
            let error = try await failure(of: call)
            XCTAssertEqual(Self.name(error), code)
            XCTAssertEqual(error.code, code)
            XCTAssertEqual(error.localizedDescription, error.reason)
            XCTAssertFalse(error.reason.isEmpty)
            codes.append(code)
        }

        try await expect("invalid_input") { try wallet.ticket(id: "no id") }
        phone.vault.fails(KeyVaultError.Locked)
        try await expect("key_unavailable") { try wallet.present(ticketId: shown) }
        phone.vault.fails(KeyVaultError.Missing)
        try await expect("needs_recovery") {
            await wallet.pause()
            return try wallet.resume()
        }
        phone.vault.recovers()
        try wallet.resume()
        phone.vault.fails(KeyVaultError.Missing)
        try await expect("no_barcode") { try wallet.present(ticketId: shown) }
        phone.vault.recovers()
        try await expect("refused") {
            let config = SystemConfig(url: sandbox.url)
            return try await wallet.signIn(at: config, userName: sandbox.user.name, password: "wrong")
        }
        try await expect("not_offered") {
            let tickets = try wallet.tickets()
            let file = try XCTUnwrap(
                tickets.first { try wallet.ticket(id: $0.id).noBarcode == .deliveredElsewhere })
            return try wallet.transfer(ticketId: file.id, to: "ada@example.org")
        }
        try await expect("not_found") { try wallet.ticket(id: String(repeating: "0", count: 24)) }
        try await expect("cancelled") {
            let run = wallet.core.startSync(accountId: nil)
            run.cancel()
            return try await run.run()
        }
        try await expect("storage") {
            let file = phone.folder.appendingPathComponent("vault.json")
            return try TicketWallet(folder: file.appendingPathComponent("wallet"), vault: phone.vault)
        }
        try await expect("in_use") { try phone.open() }
        await wallet.pause()
        try await expect("paused") { try wallet.tickets() }
        try wallet.resume()
        try await expect("outbox_full") {
            let quiet = try await Phone().openQuietly(with: sandbox)
            let ticket = try XCTUnwrap(quiet.tickets().first?.id)
            return try (0..<600).map { _ in try quiet.saveTicketHolder(ticketId: ticket, responseJson: "{}") }
        }
        try await expect("internal") { try Phone().open(clock: BrokenClock()).now() }
        try await sandbox.fault(#"{"path_contains": "/v1/ticket", "times": 2, "fault": "unauthorized"}"#)
        try await expect("needs_sign_in") { try await wallet.sync() }
        XCTAssertEqual(try wallet.accounts().first?.state, .needsSignIn)
        try await wallet.signIn(at: sandbox)
        let festival = SystemConfig(url: try await sandbox.festival().url)
        let user = sandbox.user
        func signInToTicketing() async throws -> Account {
            try await wallet.signIn(
                to: .ticketing, at: festival, userName: user.name, password: user.password)
        }
        try await sandbox.requireVersion("9.0.0")
        try await expect("upgrade_needed") { try await signInToTicketing() }
        try await sandbox.requireVersion("3.0.0")
        try await sandbox.fault(#"{"path_contains": "/ticketing/", "times": 9, "fault": "server_error"}"#)
        try await expect("server_fault") { try await signInToTicketing() }
        try await expect("permission_denied") {
            let (office, expo) = (try phone.openOffice(), try await sandbox.expo().config)
            let account = try await office.signIn(
                to: .texpo, at: expo, userName: user.name, password: user.password)
            return try await office.catalogue(accountId: account.id)
        }
        try await sandbox.calm()
        try await sandbox.badManifest("other_key")
        try await expect("manifest_refused") {
            let event = try XCTUnwrap(wallet.ticket(id: shown).event)
            let code = try await sandbox.admissionCode(event.remoteId)
            let signIn = GateSignIn(
                service: .extension, config: SystemConfig(url: sandbox.gates(code)), admissionCode: code.code,
                name: "North door")
            return try await phone.openGate().signIn(signIn: signIn)
        }
        try await sandbox.goodManifest()
        try await sandbox.fault(#"{"path_contains": "/v1/ticket", "fault": {"unavailable": {"retry_after": "7"}}}"#)
        try await expect("unreachable") { try await wallet.sync() }
        XCTAssertEqual(Set(codes).count, 19)
    }

    /// A switch without a default: a new variant does not compile until it has its place here.
    private static func name(_ error: WalletError) -> String {
        switch error {
        case .InvalidInput(let field, _): field == "ticket_id" ? "invalid_input" : field
        case .KeyUnavailable: "key_unavailable"
        case .NeedsRecovery(let why, _): why == .keyMissing ? "needs_recovery" : "\(why)"
        case .NeedsSignIn: "needs_sign_in"
        case .Unreachable(_, let wait): wait == 7000 ? "unreachable" : "\(String(describing: wait))"
        case .Refused(_, let status, _): status == 401 ? "refused" : "\(status)"
        case .UpgradeNeeded: "upgrade_needed"
        case .ServerFault(_, let report, _): report.contains(#""endpoint":"sessions""#) ? "server_fault" : report
        case .PermissionDenied(_, let permission):
            permission == "network.manage" ? "permission_denied" : "\(String(describing: permission))"
        case .NoBarcode(let why, _): why == .needsRebind ? "no_barcode" : "\(why)"
        case .NotOffered(let why, _): why == .pdfTicket ? "not_offered" : "\(why)"
        case .ManifestRefused(let why, _): why == .badSignature ? "manifest_refused" : "\(why)"
        case .NotFound: "not_found"
        case .Cancelled: "cancelled"
        case .Paused: "paused"
        case .InUse: "in_use"
        case .OutboxFull: "outbox_full"
        case .Storage: "storage"
        case .Internal(let reason): reason.contains("no battery") ? "internal" : reason
        }
    }
}

private final class BrokenClock: HostClock {
    func read() throws -> ClockReading {
        throw HostClockError.Failed(reason: "no battery")
    }
}
