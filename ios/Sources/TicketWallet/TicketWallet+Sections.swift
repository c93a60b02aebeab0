import Foundation
import TicketWalletCore

/// Tickets that are handed over and ordered by section and number (TickeTing).
///
/// These are sent at once and wait in no outbox. A write whose answer was lost is `.unknown`: look it up, do not repeat it.
extension TicketWallet {
    /// Begins to hand tickets over to an account.
    ///
    /// - Throws: `WalletError.InvalidInput`, `Refused`, `Unreachable`, `NeedsSignIn`, `Storage`.
    public func startTransfer(
        accountId: String, recipient: String, tickets: [SectionCount]
    ) async throws -> OfficeWrite {
        try await core.startTransfer(accountId: accountId, recipient: recipient, tickets: tickets)
    }

    /// Takes what somebody hands over, named by its address.
    ///
    /// - Throws: As ``startTransfer(accountId:recipient:tickets:)``.
    public func claimTransfer(accountId: String, uri: String) async throws -> OfficeWrite {
        try await core.claimTransfer(accountId: accountId, uri: uri)
    }

    /// Takes a transfer back that nobody has claimed.
    ///
    /// - Throws: As ``startTransfer(accountId:recipient:tickets:)``.
    public func takeTransferBack(accountId: String, uri: String) async throws -> OfficeWrite {
        try await core.takeTransferBack(accountId: accountId, uri: uri)
    }

    /// A page of the account's transfers, counted from 1: what comes in, or what goes out.
    ///
    /// - Throws: As ``startTransfer(accountId:recipient:tickets:)``.
    public func sectionTransfers(accountId: String, incoming: Bool, page: UInt32) async throws -> SectionTransferPage {
        try await core.sectionTransfers(accountId: accountId, incoming: incoming, page: page)
    }

    /// Orders tickets.
    ///
    /// - Throws: As ``startTransfer(accountId:recipient:tickets:)``.
    public func placeOrder(accountId: String, items: [SectionCount]) async throws -> OfficeWrite {
        try await core.placeOrder(accountId: accountId, items: items)
    }

    /// Cancels an order.
    ///
    /// - Throws: As ``startTransfer(accountId:recipient:tickets:)``.
    public func cancelOrder(accountId: String, number: String) async throws -> OfficeWrite {
        try await core.cancelOrder(accountId: accountId, number: number)
    }

    /// A page of the account's orders, counted from 1.
    ///
    /// - Throws: As ``startTransfer(accountId:recipient:tickets:)``.
    public func sectionOrders(accountId: String, page: UInt32) async throws -> SectionOrderPage {
        try await core.sectionOrders(accountId: accountId, page: page)
    }

    /// The account's writes of this kind, the newest first. Local.
    ///
    /// - Throws: `WalletError.Storage`.
    public func writes(accountId: String, limit: UInt32) throws -> [OfficeWrite] {
        try core.writes(accountId: accountId, limit: limit)
    }

    /// Asks the server what became of a write whose answer was lost.
    ///
    /// - Throws: `WalletError.NotFound`; else as ``startTransfer(accountId:recipient:tickets:)``.
    public func lookUpWrite(id: Int64) async throws -> OfficeWrite {
        try await core.lookUpWrite(id: id)
    }

    /// Forgets a write: the person has found out. Local.
    ///
    /// - Throws: `WalletError.NotFound`, `Storage`.
    public func forgetWrite(id: Int64) throws {
        try core.forgetWrite(id: id)
    }
}
