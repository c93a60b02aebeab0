import TicketWallet
import XCTest

/// Key vaults as phones have them.
final class VaultTests: XCTestCase {
    func test_a_vault_that_locks() async throws {
        try await expectUnavailable(.Locked, saying: "locked")
    }

    func test_a_vault_that_cancels() async throws {
        try await expectUnavailable(.Cancelled, saying: "cancelled")
    }

    func test_a_vault_that_throws_the_unexpected() async throws {
        struct Surprise: Error {}
        try await expectUnavailable(Surprise(), saying: "unexpected")
    }

    func test_a_vault_that_loses_keys() async throws {
        try await expectLoss(.Missing, on: .keyMissing)
    }

    func test_a_vault_that_invalidates_keys() async throws {
        try await expectLoss(.Invalidated, on: .keyInvalid)
    }

    func test_a_vault_that_takes_300_ms() async throws {
        let sandbox = try Sandbox(tickets: 2)
        let phone = try Phone()
        phone.vault.always { Thread.sleep(forTimeInterval: 0.3) }
        let wallet = try await phone.synced(with: sandbox)
        let frame = try wallet.present(ticketId: try wallet.showable().id)
        XCTAssertEqual(try verdict(on: frame).verdict, .valid)
    }

    func test_a_vault_that_takes_10_s() async throws {
        let sandbox = try Sandbox(tickets: 3)
        let phone = try Phone()
        let wallet = try await phone.synced(with: sandbox)
        let ticket = try wallet.showable()
        let (asked, othersAreDone) = (Signal(), Signal())
        phone.vault.always {
            asked.send()
            Thread.sleep(forTimeInterval: 10)
            // Held up by this very call, the others would never be done.
            if !othersAreDone.wait(seconds: 120) { throw KeyVaultError.Failed(reason: "the others waited") }
        }
        async let frame = Task.detached { try wallet.present(ticketId: ticket.id) }.value
        let isAsked = try await eventually { asked.wait(seconds: 0) }
        XCTAssertTrue(isAsked)
        XCTAssertEqual(try wallet.tickets().count, 3)
        XCTAssertEqual(try wallet.ticket(id: ticket.id).summary, ticket)
        XCTAssertEqual(try wallet.accounts().count, 1)
        let report = try await wallet.sync()
        XCTAssertEqual(report.received, 0, "nothing has changed")
        othersAreDone.send()
        let shown = try await frame
        XCTAssertEqual(try verdict(on: shown).verdict, .valid)
    }

    /// Opening, binding and presenting fail and say why; once the vault recovers, everything goes on.
    private func expectUnavailable(_ reason: KeyVaultError, saying words: String) async throws {
        try await expectUnavailable(reason as any Error, saying: words)
    }

    private func expectUnavailable(_ reason: any Error, saying words: String) async throws {
        let sandbox = try Sandbox()
        let phone = try Phone()
        func expect(_ error: WalletError) {
            guard case .KeyUnavailable(let said) = error else { return XCTFail("\(error)") }
            XCTAssertTrue(said.contains(words), said)
        }
        phone.vault.fails(reason)
        expect(try await failure { try phone.open() })
        phone.vault.recovers()
        let wallet = try phone.open(sendByItself: false)
        try await wallet.signIn(at: sandbox)

        phone.vault.fails(reason)
        expect(try await failure { try await wallet.sync() })
        XCTAssertEqual(try wallet.tickets().count, 12, "what was fetched stays")
        await wallet.pause()
        expect(try await failure { try wallet.resume() })

        phone.vault.recovers()
        try wallet.resume()
        let report = try await wallet.sync()
        XCTAssertGreaterThan(report.bound, 0)
        let ticket = try wallet.showable()
        phone.vault.fails(reason)
        expect(try await failure { try wallet.present(ticketId: ticket.id) })
        phone.vault.recovers()
        XCTAssertEqual(try verdict(on: try wallet.present(ticketId: ticket.id)).verdict, .valid)
    }

    /// A lost ticket key asks for another binding, a lost store key for recovery; nothing is deleted.
    private func expectLoss(_ loss: KeyVaultError, on recovery: RecoveryReason) async throws {
        let sandbox = try Sandbox()
        let phone = try Phone()
        let wallet = try await phone.synced(with: sandbox)
        let ticket = try wallet.showable()
        phone.vault.fails(loss)
        let shown = try await failure { try wallet.present(ticketId: ticket.id) }
        guard case .NoBarcode(.needsRebind, _) = shown else { return XCTFail("\(shown)") }
        await wallet.pause()
        let opened = try await failure { try wallet.resume() }
        guard case .NeedsRecovery(recovery, let advice) = opened else { return XCTFail("\(opened)") }
        XCTAssertTrue(advice.contains("Nothing was changed"), advice)
        phone.vault.recovers()
        try wallet.resume()
        XCTAssertEqual(try wallet.tickets().count, 12)
    }
}

/// A semaphore that tasks may look at.
final class Signal: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func send() {
        semaphore.signal()
    }

    /// Waits; `false` when nothing was sent in time.
    func wait(seconds: Double) -> Bool {
        semaphore.wait(timeout: .now() + seconds) == .success
    }
}
