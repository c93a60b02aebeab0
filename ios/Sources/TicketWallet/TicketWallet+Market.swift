import Foundation
import TicketWalletCore

/// Selling tickets on, and buying those of others.
extension TicketWallet {
    /// Whether a ticket may be sold, for how much, and what it costs.
    ///
    /// - Throws: `WalletError.InvalidInput` where its system has no market, `NotFound`, `Refused`, `Unreachable`,
    ///   `NeedsSignIn`, `Storage`.
    public func resaleRules(ticketId: String) async throws -> PriceRules {
        try await core.resaleRules(ticketId: ticketId)
    }

    /// What a price would come to for buyer and seller, by the server; nothing is listed.
    ///
    /// - Throws: As ``resaleRules(ticketId:)``.
    public func previewPrice(ticketId: String, price: Money) async throws -> Breakdown {
        try await core.previewPrice(ticketId: ticketId, price: price)
    }

    /// Offers a ticket for sale. Works offline; where the event hides barcodes of listed tickets, it shows none from when it
    /// is sent. `expiresAt` is in Unix seconds.
    ///
    /// - Throws: `WalletError.InvalidInput`, `NotFound`, `OutboxFull`, `Paused`, `Storage`.
    @discardableResult
    public func listForSale(ticketId: String, price: Money, expiresAt: Int64? = nil) throws -> OutboxItem {
        try core.listForSale(ticketId: ticketId, price: price, expiresAt: expiresAt)
    }

    /// Asks for another price for a listed ticket. Works offline.
    ///
    /// - Throws: As ``listForSale(ticketId:price:expiresAt:)``.
    @discardableResult
    public func editListing(ticketId: String, price: Money) throws -> OutboxItem {
        try core.editListing(ticketId: ticketId, price: price)
    }

    /// Takes a listing back; `nil` when it had not been sent. Works offline.
    ///
    /// - Throws: As ``listForSale(ticketId:price:expiresAt:)``.
    @discardableResult
    public func withdrawListing(ticketId: String) throws -> OutboxItem? {
        try core.withdrawListing(ticketId: ticketId)
    }

    /// The own listings as far as is known, those that ended too.
    ///
    /// - Throws: `WalletError.Paused`, `Storage`.
    public func myListings(accountId: String? = nil) throws -> [Listing] {
        try core.myListings(accountId: accountId)
    }

    /// A page of what others offer for an event, the cheapest first.
    ///
    /// - Throws: As ``resaleRules(ticketId:)``.
    public func market(accountId: String, query: MarketQuery) async throws -> MarketPage {
        try await core.market(accountId: accountId, query: query)
    }

    /// One ticket that somebody offers, as it is now.
    ///
    /// - Throws: As ``resaleRules(ticketId:)``.
    public func offering(accountId: String, listingId: String, tenant: String? = nil) async throws -> Offering {
        try await core.offering(accountId: accountId, tenant: tenant, listingId: listingId)
    }

    /// Buys a listed ticket for no more than `maxTotal`, fees included; needs the network. The person pays at
    /// `Purchase.paymentUrl`, and the wallet finds out by itself. An app that ends before anything was sent has bought nothing;
    /// after that the wallet finds out as well. A task that is cancelled waits for the answer all the same.
    ///
    /// - Throws: `WalletError.Unreachable` when nothing was bought, `Refused`; else as ``resaleRules(ticketId:)``.
    @discardableResult
    public func buy(
        accountId: String, listingId: String, maxTotal: Money, tenant: String? = nil
    ) async throws -> Purchase {
        try await core.buy(accountId: accountId, tenant: tenant, listingId: listingId, maxTotal: maxTotal)
    }

    /// Purchases that are not over: they wait for their payment, or their answer was lost or is a refusal.
    ///
    /// - Throws: `WalletError.Paused`, `Storage`.
    public func purchases(accountId: String? = nil) throws -> [Purchase] {
        try core.purchases(accountId: accountId)
    }
}

/// B.A.M's own market, where no market of the extension is served beside it.
///
/// These are sent at once and wait in no outbox. A write whose answer was lost is `.unknown`: look it up, do not repeat it.
extension TicketWallet {
    /// Offers a ticket by a transaction of the ledger that the person's certificate signs: enrol first.
    ///
    /// - Throws: `WalletError.NotOffered`, `InvalidInput`, `NotFound`, `KeyUnavailable`, `Refused`, `Unreachable`,
    ///   `NeedsSignIn`, `Storage`.
    public func markForSale(ticketId: String, sale: LedgerSale) async throws -> OfficeWrite {
        try await core.markForSale(ticketId: ticketId, sale: sale)
    }

    /// Takes an offer back; a write that is rejected with `{"sold":true}` came too late.
    ///
    /// - Throws: As ``markForSale(ticketId:sale:)``.
    public func deleteOffer(ticketId: String, offerId: String) async throws -> OfficeWrite {
        try await core.deleteOffer(ticketId: ticketId, offerId: offerId)
    }

    /// Hands a ticket over, at once, to the one whose enrolment is named.
    ///
    /// - Throws: As ``markForSale(ticketId:sale:)``.
    public func transferOnLedger(ticketId: String, to recipient: String) async throws -> OfficeWrite {
        try await core.transferOnLedger(ticketId: ticketId, recipient: recipient)
    }
}
