import TicketWallet
import XCTest

/// What is used without a wallet: a server's issuer, and the vault in a file.
final class ServerTests: XCTestCase {
    func test_a_software_vault_makes_shows_and_deletes_keys() throws {
        let vault = try Phone().vault
        let key = try vault.createKey(handle: "ticket")
        XCTAssertEqual(key.count, 65)
        XCTAssertEqual(try vault.publicKey(handle: "ticket"), key)
        try vault.deleteKey(handle: "ticket")
        XCTAssertThrowsError(try vault.publicKey(handle: "ticket")) {
            XCTAssertEqual($0 as? KeyVaultError, .Missing)
        }
    }

    func test_a_statement_that_does_not_hold_names_the_field() async throws {
        let vault = try Phone().vault
        let request = CredentialRequest(
            provider: "bam:api.example.org/org1", eventId: "event", ticketId: "ticket", section: 1, generation: 1,
            notBefore: 0, leaseEnd: 10, windowS: 30, nonceRequired: false,
            deviceKey: try vault.createKey(handle: "ticket"))
        let signature = try vault.sign(handle: "ticket", purpose: .renew, message: Data("another message".utf8))
        let issuer = try Issuer(seed: Data(repeating: 1, count: 32))
        let own = try issuer.credential(request: request)
        let foreign = try Issuer(seed: Data(repeating: 2, count: 32)).credential(request: request)
        func expect(_ field: String, purpose: Purpose = .renew, credential: Data = own, now: Int64 = 5) async throws {
            let statement = Statement(
                purpose: purpose, credential: credential, at: 5, idempotencyKey: "once", signature: signature)
            let refused = try await failure { try issuer.checkStatement(statement: statement, now: now) }
            guard case .InvalidInput(field, _) = refused else { return XCTFail("\(refused) instead of \(field)") }
        }
        try await expect("signature")
        try await expect("purpose", purpose: .present)
        try await expect("at", now: 306)
        try await expect("credential", credential: foreign)
    }

    private func manifest(sequence: UInt32, state: TicketState) throws -> ManifestRequest {
        let issuer = try Issuer(seed: Data(repeating: 1, count: 32))
        return ManifestRequest(
            provider: "bam:api.example.org/org1", eventId: "event", sequence: sequence, asOf: 5, closesAt: nil,
            policy: .single, entries: 1, nonceRequired: false,
            issuers: [ManifestKey(publicKey: issuer.publicKey(), validFrom: 0, validUntil: nil)],
            sections: [ManifestSection(code: 112, name: "Haupttribüne")], days: [], nonceEpochs: [],
            tickets: [
                ManifestTicket(
                    ticketId: "ticket", state: state, profile: .plain, generation: 0, section: 112, entries: nil,
                    code: "secret code", seat: nil)
            ],
            eventKey: nil, revoked: [])
    }

    func test_a_server_signs_what_gates_work_by() async throws {
        let issuer = try ManifestIssuer(seed: Data(repeating: 2, count: 32))
        XCTAssertEqual(issuer.publicKey().count, 32)
        let first = try issuer.manifest(request: try manifest(sequence: 1, state: .valid))
        let second = try issuer.manifest(request: try manifest(sequence: 2, state: .blocked))
        XCTAssertEqual(first.prefix(4), Data("TWM1".utf8))
        XCTAssertEqual(try issuer.delta(from: first, to: second)?.prefix(4), Data("TWD1".utf8))
        let backwards = try await failure { try issuer.delta(from: second, to: first) }
        guard case .InvalidInput("to", _) = backwards else { return XCTFail("\(backwards)") }
        XCTAssertEqual("\(try manifest(sequence: 1, state: .valid))", "ManifestRequest(..)")
        let key = try Phone().vault.createKey(handle: "scanner")
        var request = ScannerRequest(
            provider: "bam:api.example.org/org1", eventId: "event", scannerId: Data(count: 8), scannerKey: key,
            notBefore: 0, notAfter: nil, name: "Nordtor", sections: [112])
        XCTAssertEqual(try issuer.certificate(request: request).prefix(4), Data("TWS1".utf8))
        request.name = ""
        let unnamed = try await failure { [request] in try issuer.certificate(request: request) }
        guard case .InvalidInput("name", _) = unnamed else { return XCTFail("\(unnamed)") }
    }
}
