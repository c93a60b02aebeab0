import TicketWallet
import XCTest

/// Changes that wait for the network, and the wallet's own care.
final class CareTests: XCTestCase {
    func test_changes_wait_and_are_sent_by_a_sync() async throws {
        let (sandbox, phone, wallet) = try await synced()
        defer { withExtendedLifetime((sandbox, phone)) {} }
        let id = try wallet.showable().id
        let change = try wallet.saveTicketHolder(ticketId: id, responseJson: #"{"size":"M"}"#)
        XCTAssertEqual(change.kind, .saveTicketHolder)
        XCTAssertEqual(change.state, .waiting)
        let edited = try wallet.edit(changeId: change.id, content: #"{"size":"🎫"}"#)
        XCTAssertEqual(try wallet.outbox(), [edited])
        let early = try await failure { try wallet.retry(changeId: change.id) }
        guard case .InvalidInput = early else { return XCTFail("\(early)") }
        let second = try wallet.saveTicketHolder(ticketId: id, responseJson: #"{"size":"S"}"#)
        try wallet.discard(changeId: second.id)
        for await state in try wallet.states {
            XCTAssertEqual(state.waiting, 1)
            break
        }
        let report = try await wallet.sync()
        XCTAssertEqual(report.sent, 1)
        XCTAssertEqual(try wallet.outbox(), [])
        XCTAssertTrue(try wallet.ticket(id: id).bodyJson.contains("🎫"))
    }

    func test_a_change_is_sent_by_itself() async throws {
        let sandbox = try Sandbox()
        let phone = try Phone()
        let wallet = try await phone.synced(with: sandbox)
        let id = try wallet.showable().id
        try wallet.saveTicketHolder(ticketId: id, responseJson: #"{"size":"M"}"#)
        for await state in try wallet.states where state.waiting == 0 { break }
        XCTAssertTrue(try wallet.ticket(id: id).bodyJson.contains("\"M\""))
    }

    func test_a_rejected_change_waits_for_the_person() async throws {
        let (sandbox, phone, wallet) = try await synced()
        defer { withExtendedLifetime(phone) {} }
        try await sandbox.fault(#"{"path_contains": "ticket_holder", "times": 1, "skip": 1, "fault": "gone"}"#)
        let id = try wallet.showable().id
        let change = try wallet.saveTicketHolder(ticketId: id, responseJson: #"{"size":"M"}"#)
        try await wallet.sync()
        let seen = try XCTUnwrap(wallet.outbox().first)
        XCTAssertEqual(seen.state, .rejected)
        XCTAssertEqual(seen.rejection, .refused)
        XCTAssertEqual(try wallet.retry(changeId: change.id).state, .waiting)
        let report = try await wallet.sync()
        XCTAssertEqual(report.sent, 1)
    }

    func test_a_transfer_hides_the_barcode_and_its_end_brings_it_back() async throws {
        let (sandbox, phone, wallet) = try await synced()
        defer { withExtendedLifetime((sandbox, phone)) {} }
        let id = try wallet.showable().id
        try wallet.transfer(ticketId: id, to: "nobody@example.org")
        XCTAssertNil(try wallet.cancelTransfer(ticketId: id), "it had not been sent")
        try wallet.transfer(ticketId: id, to: "ada@example.org")
        try await wallet.sync()
        try await expectHandedOver(wallet, id)
        XCTAssertEqual(try wallet.transfers().map(\.state), [.pending])
        XCTAssertEqual(try wallet.cancelTransfer(ticketId: id)?.kind, .cancelTransfer)
        try await wallet.sync()
        XCTAssertEqual(try wallet.transfers().map(\.state), [.cancelled])
        _ = try wallet.present(ticketId: id)
        try wallet.surrender(ticketId: id)
        try await wallet.sync()
        try await expectHandedOver(wallet, id)
        try wallet.pin(ticketId: id)
        try await wallet.sync()
        _ = try wallet.present(ticketId: id)
    }

    func test_a_barcode_moves_to_this_device() async throws {
        let (sandbox, phone, other) = try await synced()
        defer { withExtendedLifetime((phone, other)) {} }
        let id = try other.showable().id
        let newPhone = try Phone()
        let wallet = try await newPhone.openQuietly(with: sandbox)
        let bound = try await failure { try wallet.present(ticketId: id) }
        guard case .NoBarcode(.boundElsewhere, _) = bound else { return XCTFail("\(bound)") }
        try wallet.moveHere(ticketId: id)
        try await wallet.sync()
        XCTAssertEqual(try wallet.ticket(id: id).generation, 2)
        _ = try wallet.present(ticketId: id)
    }

    func test_pause_resume_rekey_sign_out_and_wipe() async throws {
        let (sandbox, phone, wallet) = try await synced()
        defer { withExtendedLifetime((sandbox, phone)) {} }
        let id = try wallet.showable().id
        await wallet.pause()
        let paused = try await failure { try wallet.tickets() }
        guard case .Paused = paused else { return XCTFail("\(paused)") }
        try wallet.resume()
        try wallet.rekey()
        _ = try wallet.present(ticketId: id)
        let inUse = try await failure { try phone.open() }
        guard case .InUse = inUse else { return XCTFail("\(inUse)") }
        try wallet.saveTicketHolder(ticketId: id, responseJson: #"{"size":"M"}"#)
        let account = try XCTUnwrap(wallet.accounts().first?.id)
        let refused = try await failure { try await wallet.signOut(accountId: account) }
        guard case .InvalidInput = refused else { return XCTFail("\(refused)") }
        try await wallet.signOut(accountId: account, discardChanges: true)
        XCTAssertEqual(try wallet.accounts(), [])
        XCTAssertEqual(try wallet.tickets(), [])
        try await wallet.wipe()
        let database = phone.folder.appendingPathComponent("wallet/wallet.db")
        XCTAssertFalse(FileManager.default.fileExists(atPath: database.path))
        let gone = try await failure { try wallet.tickets() }
        guard case .Storage = gone else { return XCTFail("\(gone)") }
    }

    func test_a_diagnosis_tells_what_a_session_may_do_and_prints_nothing() async throws {
        let wallet = try await Phone().openQuietly(with: Sandbox())
        let diagnosis = try wallet.diagnose()
        let claims = try XCTUnwrap(diagnosis.accounts.first).claims
        XCTAssertTrue(try XCTUnwrap(claims.first { $0.name == "username" }).value.contains("@"))
        XCTAssertEqual(String(describing: diagnosis), "Diagnosis(…)")
        XCTAssertEqual(String(reflecting: try wallet.tickets()[0]), "TicketSummary(..)")
        XCTAssertEqual("\(claims[0])", "TokenClaim(…)")
    }

    func test_a_damaged_wallet_is_recovered() async throws {
        let phone = try Phone()
        let sandbox = try Sandbox()
        let id = try await leaveAChange(phone, sandbox)
        let folder = phone.folder.appendingPathComponent("wallet")
        let database = folder.appendingPathComponent("wallet.db")
        var bytes = try Data(contentsOf: database)
        bytes[2000] &+= 1
        try bytes.write(to: database)
        XCTAssertEqual(TicketWallet.diagnose(folder: folder, vault: phone.vault).recovery, .damaged)
        let report = try TicketWallet.recover(folder: folder, vault: phone.vault)
        XCTAssertEqual(report.accounts, 1)
        XCTAssertEqual(report.outbox, 1)
        let kept = folder.appendingPathComponent("\(try XCTUnwrap(report.keptIn))/wallet.db")
        XCTAssertEqual(try Data(contentsOf: kept), bytes)
        let wallet = try phone.open(sendByItself: false)
        XCTAssertEqual(try wallet.outbox().map(\.state), [.held])
        try await wallet.sync()
        _ = try wallet.present(ticketId: id)
        XCTAssertEqual(try wallet.diagnose().files.sound, true)
    }

    /// A wallet that was closed with a change in its outbox.
    private func leaveAChange(_ phone: Phone, _ sandbox: Sandbox) async throws -> String {
        let wallet = try await phone.openQuietly(with: sandbox)
        let id = try wallet.showable().id
        try wallet.saveTicketHolder(ticketId: id, responseJson: #"{"size":"M"}"#)
        return id
    }

    /// A wallet that sends only when it syncs.
    private func synced() async throws -> (Sandbox, Phone, TicketWallet) {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        return (sandbox, phone, try await phone.openQuietly(with: sandbox))
    }

    private func expectHandedOver(_ wallet: TicketWallet, _ id: String) async throws {
        let hidden = try await failure { try wallet.present(ticketId: id) }
        guard case .NoBarcode(.handedOver, _) = hidden else { return XCTFail("\(hidden)") }
    }
}
