import TicketWallet
import XCTest

/// What a network's manager does to TEXPO's catalogue.
final class CatalogueTests: XCTestCase {
    private let fields = ProductFields(
        eventName: "Hafenmesse", startsAt: 4_070_908_800, endsAt: 4_070_937_600, ticketType: .days(day: 1, of: 3),
        ticketName: "Łódź 🎫", ticketDescription: "Zutritt zu allen Hallen",
        price: Money(minor: 6410, currency: "USD"), thumbnailId: "thumb-1", discount: "-10%",
        grants: [ProductGrant(kind: .userRole, roleId: "visitor", roleTarget: "hall-7")])

    func test_entries_are_listed_made_changed_and_deleted() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let (office, expo) = (try phone.openOffice(), try await sandbox.expo())
        let account = try await signIn(office, expo, as: expo.user)
        let before = try await office.catalogue(accountId: account)
        XCTAssertFalse(before.isEmpty)
        let made = try await office.createProduct(accountId: account, productId: "new-1", fields: fields)
        XCTAssertEqual(made.kind, .createProduct)
        XCTAssertEqual(made.state, .done)
        let entry = try await office.product(accountId: account, productId: "new-1")
        XCTAssertEqual(entry.ticketName, fields.ticketName)
        XCTAssertEqual(entry.price, fields.price)
        XCTAssertEqual(entry.ticketType, fields.ticketType)
        XCTAssertEqual(entry.grants, fields.grants)
        XCTAssertEqual([entry.startsAt, entry.endsAt], [fields.startsAt, fields.endsAt])
        XCTAssertFalse("\(made) \(fields) \(entry)".contains("hall-7"), "records show nothing of themselves")

        let price = Money(minor: 7000, currency: "USD")
        let updated = try await office.updateProduct(
            accountId: account, productId: "new-1", fields: ProductFields(price: price))
        XCTAssertEqual(updated.state, .done)
        let changed = try await office.product(accountId: account, productId: "new-1")
        XCTAssertEqual(changed.price, price)
        let body = entry.bodyJson.replacingOccurrences(of: "64.10", with: "70.00")
        XCTAssertEqual(changed.bodyJson, body, "nothing else")
        let taken = try await failure {
            try await office.createProduct(accountId: account, productId: "new-1", fields: fields)
        }
        guard case .InvalidInput("product_id", _) = taken else { return XCTFail("\(taken)") }
        let deleted = try await office.deleteProduct(accountId: account, productId: "new-1")
        XCTAssertEqual(deleted.state, .done)
        let gone = try await failure { try await office.product(accountId: account, productId: "new-1") }
        guard case .NotFound = gone else { return XCTFail("\(gone)") }
        let after = try await office.catalogue(accountId: account)
        XCTAssertEqual(after, before)
    }

    func test_a_holder_lacks_the_permission() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let office = try phone.openOffice()
        let account = try await signIn(office, sandbox.expo(), as: sandbox.user)
        let denied = try await failure {
            try await office.deleteProduct(accountId: account, productId: "expo-00001")
        }
        guard case .PermissionDenied(_, "network.manage") = denied else { return XCTFail("\(denied)") }
        XCTAssertEqual(try office.writes(accountId: account).map(\.state), [.rejected])
    }

    func test_a_deletion_whose_answer_was_lost_is_looked_up() async throws {
        let (sandbox, phone) = (try Sandbox(), try Phone())
        let (office, expo) = (try phone.openOffice(), try await sandbox.expo())
        let account = try await signIn(office, expo, as: expo.user)
        let before = try await office.catalogue(accountId: account)
        let id = try XCTUnwrap(before.first).productId
        // The list that could be read afterwards is lost too.
        try await sandbox.fault(#"{"path_contains": "PurchasableTicket", "times": 1000, "fault": "lost_reply"}"#)
        let write = try await office.deleteProduct(accountId: account, productId: id)
        XCTAssertEqual(write.state, .unknown)
        try await sandbox.calm()
        let found = try await office.lookUp(writeId: write.id)
        XCTAssertEqual(found.state, .done)
        let after = try await office.catalogue(accountId: account)
        XCTAssertEqual(after, Array(before.dropFirst()))
    }

    private func signIn(
        _ office: TicketBoxOffice, _ expo: Expo, as user: Sandbox.User
    ) async throws -> String {
        try await office.signIn(
            to: .texpo, at: expo.config, userName: user.name, password: user.password
        ).id
    }
}
