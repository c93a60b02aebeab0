import TicketWallet
import XCTest

/// A ticket that goes from one person's wallet to another's.
final class MarketTests: XCTestCase {
    private let club = "nordhafen"

    func test_a_ticket_is_sold_to_another_wallet() async throws {
        let (sandbox, sellers, buyers) = (try Sandbox(), try Phone(), try Phone())
        let (seller, buyer) = (try sellers.open(sendByItself: false), try buyers.open(sendByItself: false))
        try await signedIn(seller, at: sandbox, user: 0)
        let account = try await signedIn(buyer, at: sandbox, user: 1)
        let ticket = try seller.showable().id
        let rules = try await seller.resaleRules(ticketId: ticket)
        XCTAssertTrue(rules.allowed)
        let price = try XCTUnwrap(rules.faceValue)
        let preview = try await seller.previewPrice(ticketId: ticket, price: price)
        XCTAssertEqual(preview.sellerPrice, price)
        try seller.listForSale(ticketId: ticket, price: price)
        XCTAssertEqual(try seller.ticket(id: ticket).listing?.intent, .draft)
        XCTAssertNil(try seller.withdrawListing(ticketId: ticket))
        try seller.listForSale(ticketId: ticket, price: price)
        try await seller.sync()
        let detail = try seller.ticket(id: ticket)
        XCTAssertEqual(detail.noBarcode, .listed)
        XCTAssertEqual(detail.listing?.barcode, .hidden(why: .listed))
        let lower = Money(minor: price.minor - 100, currency: price.currency)
        try seller.editListing(ticketId: ticket, price: lower)
        try await seller.sync()
        let listing = try XCTUnwrap(try seller.myListings().first)
        XCTAssertEqual(listing.state, .active)
        XCTAssertEqual(listing.price, lower)

        let query = MarketQuery(eventId: try XCTUnwrap(detail.event).remoteId, tenant: club)
        let offers = try await buyer.market(accountId: account, query: query).offers
        let offer = try XCTUnwrap(offers.first { $0.listingId == listing.remoteId })
        let alone = try await buyer.offering(accountId: account, listingId: offer.listingId, tenant: club)
        XCTAssertEqual(alone, offer)
        let total = try XCTUnwrap(offer.breakdown).buyerTotal
        let short = Money(minor: total.minor - 1, currency: total.currency)
        let refused = try await failure {
            try await buyer.buy(accountId: account, listingId: offer.listingId, maxTotal: short, tenant: club)
        }
        guard case .Refused(_, 412, _) = refused else { return XCTFail("\(refused)") }
        let purchase = try await buyer.buy(
            accountId: account, listingId: offer.listingId, maxTotal: total, tenant: club)
        XCTAssertEqual(purchase.state, .reserved)
        XCTAssertTrue(purchase.simulated)
        let address = try XCTUnwrap(purchase.paymentUrl)
        XCTAssertFalse("\(purchase)".contains(address), "records show nothing of themselves")
        XCTAssertEqual(try buyer.purchases(), [purchase])
        try await sandbox.pay(address)
        try await buyer.sync()
        XCTAssertEqual(try buyer.purchases(), [])
        XCTAssertEqual(try buyer.ticket(id: ticket).generation, 2)
        XCTAssertNoThrow(try buyer.present(ticketId: ticket))
        try await seller.sync()
        XCTAssertEqual(try seller.myListings().map(\.state), [.sold])
    }

    func test_a_ticket_is_offered_and_handed_over_on_the_ledger() async throws {
        let (sandbox, owners, others) = (try Sandbox(), try Phone(), try Phone())
        let (owner, other) = (try owners.open(sendByItself: false), try others.open(sendByItself: false))
        let account = try await signedIn(owner, at: sandbox, user: 0)
        _ = try await owner.enroll(accountId: account)
        let otherAccount = try await signedIn(other, at: sandbox, user: 1)
        let recipient = try await other.enroll(accountId: otherAccount).enrollmentId
        let ticket = try owner.showable().id
        let rules = try await owner.resaleRules(ticketId: ticket)
        let price = try XCTUnwrap(rules.faceValue)
        let sale = LedgerSale(price: price, until: Int64(Date().timeIntervalSince1970) + 86_400)
        XCTAssertEqual("\(sale)", "LedgerSale(…)")
        let offered = try await owner.markForSale(ticketId: ticket, sale: sale)
        XCTAssertEqual(offered.kind, .markForSale)
        XCTAssertEqual(offered.state, .done)
        let told = try XCTUnwrap(offered.answerJson)
        let offers = try await owner.ownOffers(accountId: account, tenant: club)
        let offer = try XCTUnwrap(offers.first { told.contains("\"\($0.remoteId)\"") })
        XCTAssertEqual(offer.price, price)
        let taken = try await owner.deleteOffer(ticketId: ticket, offerId: offer.remoteId)
        XCTAssertEqual(taken.state, .done)
        let handed = try await owner.transferOnLedger(ticketId: ticket, to: recipient)
        XCTAssertEqual(handed.state, .done)
        XCTAssertEqual(try owner.ticket(id: ticket).noBarcode, .handedOver)
        try await other.sync()
        XCTAssertNoThrow(try other.present(ticketId: ticket))
    }

    func test_a_ticket_is_handed_to_another_wallet() async throws {
        let (sandbox, senders, recipients) = (try Sandbox(), try Phone(), try Phone())
        let sender = try senders.open(sendByItself: false)
        let recipient = try recipients.open(sendByItself: false)
        try await signedIn(sender, at: sandbox, user: 0)
        let account = try await signedIn(recipient, at: sandbox, user: 1)
        let ticket = try sender.showable().id
        for answer in [TransferAnswer.declined, .accepted] {
            _ = try sender.transfer(ticketId: ticket, to: sandbox.users[1].name)
            try await sender.sync()
            let offers = try await recipient.incomingTransfers(accountId: account)
            let token = try XCTUnwrap(offers.first).token
            let answered =
                answer == .accepted
                ? try await recipient.acceptTransfer(accountId: account, token: token)
                : try await recipient.declineTransfer(accountId: account, token: token)
            XCTAssertEqual(answered, answer)
            try await sender.sync()
        }
        XCTAssertNoThrow(try recipient.present(ticketId: ticket))
    }

    @discardableResult
    private func signedIn(_ wallet: TicketWallet, at sandbox: Sandbox, user: Int) async throws -> String {
        let person = sandbox.users[user]
        let config = SystemConfig(url: sandbox.url)
        let account = try await wallet.signIn(at: config, userName: person.name, password: person.password)
        try await wallet.sync()
        return account.id
    }
}
