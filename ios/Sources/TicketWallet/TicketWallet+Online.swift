import Foundation
import TicketWalletCore

/// What needs the network now: files, orders, offers, certificates, and tickets that others hand over.
///
/// A task that is cancelled meanwhile still waits for the answer, or for the end of its time; fetching files ends at once.
extension TicketWallet {
    /// Fetches a ticket as files, PDF and pkpass (Unidy), and keeps them.
    ///
    /// Cancelling the task ends the call, but not the fetching: what comes is kept, and ``documents(accountId:subject:)``
    /// has it.
    ///
    /// - Throws: `WalletError.Cancelled`, `InvalidInput`, `NotFound`, `Refused`, `Unreachable`, `NeedsSignIn`, `Storage`.
    @discardableResult
    public func fetchDocuments(ticketId: String) async throws -> [Document] {
        let core = core
        return try await unlessCancelled { try await core.fetchDocuments(ticketId: ticketId) }
    }

    /// The files that are kept of an account, or of one subject: `ticket/` and its id, `order/` and its id.
    ///
    /// - Throws: `WalletError.Paused`, `Storage`.
    public func documents(accountId: String, subject: String? = nil) throws -> [Document] {
        try core.documents(accountId: accountId, subject: subject)
    }

    /// A file that is kept.
    ///
    /// - Throws: `WalletError.NotFound`, `Paused`, `Storage`.
    public func document(id: Int64) throws -> Data {
        try core.document(id: id)
    }

    /// The account's orders (B.A.M), of one tenant or of the configuration's own.
    ///
    /// - Throws: `WalletError.InvalidInput`, `NotFound`, `Refused`, `Unreachable`, `NeedsSignIn`, `Storage`.
    public func orders(accountId: String, tenant: String? = nil) async throws -> [Order] {
        try await core.orders(accountId: accountId, tenant: tenant)
    }

    /// One order (B.A.M), of one tenant or of the configuration's own.
    ///
    /// - Throws: As ``orders(accountId:tenant:)``.
    public func order(accountId: String, orderId: String, tenant: String? = nil) async throws -> Order {
        try await core.order(accountId: accountId, tenant: tenant, orderId: orderId)
    }

    /// Tickets as the server lists them now (B.A.M), with the documented parameters of its lists; nothing of it is kept.
    ///
    /// - Throws: As ``orders(accountId:tenant:)``; `WalletError.InvalidInput` naming `with`.
    public func serverTickets(
        accountId: String,
        query: ServerTicketQuery = ServerTicketQuery()
    ) async throws -> ServerTicketPage {
        try await core.serverTickets(accountId: accountId, query: query)
    }

    /// Fetches an order's tickets as a file (B.A.M) and keeps it. Cancelling is as with ``fetchDocuments(ticketId:)``.
    ///
    /// - Throws: As ``fetchDocuments(ticketId:)``.
    @discardableResult
    public func fetchOrderDocument(
        accountId: String,
        orderId: String,
        tenant: String? = nil
    ) async throws -> Document {
        let core = core
        return try await unlessCancelled {
            try await core.fetchOrderDocument(accountId: accountId, tenant: tenant, orderId: orderId)
        }
    }

    /// Has an order's tickets sent by e-mail once more (B.A.M); a lost answer is `.unknown`.
    ///
    /// - Throws: As ``orders(accountId:tenant:)``.
    @discardableResult
    public func emailOrder(accountId: String, orderId: String, tenant: String? = nil) async throws -> MailRequest {
        try await core.emailOrder(accountId: accountId, tenant: tenant, orderId: orderId)
    }

    /// The account's own offers on the secondary market (B.A.M).
    ///
    /// - Throws: As ``orders(accountId:tenant:)``.
    public func ownOffers(accountId: String, tenant: String? = nil) async throws -> [Offer] {
        try await core.ownOffers(accountId: accountId, tenant: tenant)
    }

    /// The questions to a ticket's holder with the answers so far (B.A.M); `nil` where there are none.
    ///
    /// - Throws: As ``orders(accountId:tenant:)``.
    public func holderQuestions(ticketId: String) async throws -> HolderForm? {
        try await core.holderQuestions(ticketId: ticketId)
    }

    /// A ticket's record by its id on the ledger (B.A.M), as JSON.
    ///
    /// - Throws: As ``orders(accountId:tenant:)``.
    public func ticket(ledgerId: String, accountId: String, tenant: String? = nil) async throws -> String {
        try await core.ticketByLedgerId(accountId: accountId, tenant: tenant, ledgerId: ledgerId)
    }

    /// Whether the server says that the person's certificate should be renewed (B.A.M), which ``enroll(accountId:)`` does;
    /// `nil` where it does not say.
    ///
    /// - Throws: As ``orders(accountId:tenant:)``.
    public func certificateIsDue(accountId: String) async throws -> Bool? {
        try await core.certificateIsDue(accountId: accountId)
    }

    /// Gets the person a certificate (B.A.M), a new one where one is held; its private key is sealed by the vault. Call it
    /// again after a lost answer: what may have been made is renewed, and another one made only where there is none.
    ///
    /// - Throws: As ``orders(accountId:tenant:)``; `WalletError.KeyUnavailable`.
    @discardableResult
    public func enroll(accountId: String) async throws -> Certificate {
        try await core.enroll(accountId: accountId)
    }

    /// The person's certificate, where one is held.
    ///
    /// - Throws: `WalletError.Paused`, `Storage`.
    public func certificate(accountId: String) throws -> Certificate? {
        try core.certificate(accountId: accountId)
    }

    /// Tickets that others hand over to the account (Unidy, the extension).
    ///
    /// - Throws: As ``orders(accountId:tenant:)``.
    public func incomingTransfers(accountId: String) async throws -> [IncomingTransfer] {
        try await core.incomingTransfers(accountId: accountId)
    }

    /// One page of the tickets that the query asks for, as the server has them now (Unidy); nothing of it is kept.
    ///
    /// - Throws: As ``orders(accountId:tenant:)``.
    public func unidyTickets(
        accountId: String, query: UnidyTicketQuery = UnidyTicketQuery()
    ) async throws -> OfficePage {
        try await core.unidyTickets(accountId: accountId, query: query)
    }

    /// Accepts a ticket that somebody hands over; needs the network. A lost answer is no error: a sync finds out.
    ///
    /// - Throws: As ``orders(accountId:tenant:)``; `WalletError.Refused` has the server's code, such as `transfer_expired`.
    @discardableResult
    public func acceptTransfer(accountId: String, token: String) async throws -> TransferAnswer {
        try await core.acceptTransfer(accountId: accountId, token: token)
    }

    /// Declines a ticket that somebody hands over.
    ///
    /// - Throws: As ``acceptTransfer(accountId:token:)``.
    @discardableResult
    public func declineTransfer(accountId: String, token: String) async throws -> TransferAnswer {
        try await core.declineTransfer(accountId: accountId, token: token)
    }
}
