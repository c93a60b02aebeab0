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

    func test_a_manifest_issuer_signs_manifests_deltas_and_certificates() async throws {
        let (provider, event) = ("bam:api.example.org/org1", "4711")
        let issuer = try Issuer(seed: Data(repeating: 1, count: 32))
        let keys = try ManifestIssuer(seed: Data(repeating: 9, count: 32))
        XCTAssertEqual(keys.publicKey().count, 32)
        let issuers = [ManifestKey(publicKey: issuer.publicKey(), validFrom: 0, validUntil: nil)]
        func manifest(_ sequence: UInt32) throws -> Data {
            let request = ManifestRequest(
                provider: provider, eventId: event, sequence: sequence, asOf: 100, closesAt: nil, policy: .single,
                entries: 1, nonceRequired: false, unlisted: .signed, issuers: issuers, sections: [], days: [],
                nonceEpochs: [], tickets: [], eventKey: nil, revoked: [])
            return try keys.manifest(request: request)
        }
        let (first, second) = (try manifest(1), try manifest(2))
        XCTAssertNotEqual(first, second)
        XCTAssertNotNil(try keys.delta(from: first, to: second))
        let scannerKey = try Phone().vault.createKey(handle: "scanner")
        func certificate(_ name: String) throws -> Data {
            let request = ScannerRequest(
                provider: provider, eventId: event, scannerId: Data(repeating: 1, count: 8), scannerKey: scannerKey,
                notBefore: 0, notAfter: nil, name: name, sections: [])
            return try keys.certificate(request: request)
        }
        XCTAssertFalse(try certificate("North door").isEmpty)
        let refused = try await failure { try certificate("") }
        guard case .InvalidInput("name", _) = refused else { return XCTFail("\(refused)") }
    }
}
