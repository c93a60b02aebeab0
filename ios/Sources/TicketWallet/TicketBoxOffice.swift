import Foundation
import TicketWalletCore

/// An organiser's place of work: reserves, frees, issues and sends tickets (B.A.M), makes, changes and deletes those of a
/// partner (Unidy), issues admission tokens and redeems tickets (TickeTing), and keeps a catalogue of tickets to buy (TEXPO).
///
/// Every write is kept before it is sent, with what became of it, and none is repeated by itself. One whose answer was lost
/// comes back as `.unknown`; one whose process ended stands in ``writes(accountId:limit:)`` as `.sent`. Either may have been
/// carried out: ``lookUp(writeId:)`` asks. A task that is cancelled while a write is under way still waits for its answer.
public final class TicketBoxOffice: Sendable {
    /// The generated object underneath.
    public let core: BoxOffice

    /// How long to wait between two looks at tickets that are being issued.
    private static let pause: Duration = .seconds(2)

    /// Opens the box office, or makes it where nothing is. Its folder is no wallet's; the rest is as with a wallet.
    ///
    /// - Throws: `WalletError.KeyUnavailable` (try again later), `NeedsRecovery` (nothing was changed), `InUse`, `Storage`.
    public init(
        config: Config,
        vault: any KeyVault,
        clock: (any HostClock)? = TicketWallet.deviceClock,
        transport: (any HttpTransport)? = nil
    ) throws {
        core = try BoxOffice.open(config: config, vault: vault, clock: clock, transport: transport)
    }

    /// Opens the box office in a folder with the defaults.
    ///
    /// - Throws: As ``init(config:vault:clock:transport:)``.
    public convenience init(folder: URL, vault: any KeyVault) throws {
        try self.init(config: Config(folder: folder.path), vault: vault)
    }

    /// The accounts of this box office.
    ///
    /// - Throws: `WalletError.Storage`.
    public func accounts() throws -> [Account] {
        try core.accounts()
    }

    /// Signs in: with B.A.M as an organiser, with Unidy by a server's id and secret, with TickeTing as a host or by a key in
    /// place of the password, with TEXPO as a network's manager.
    ///
    /// - Throws: `WalletError.InvalidInput`, `Refused`, `UpgradeNeeded`, `ServerFault`, `Unreachable`, `Storage`.
    @discardableResult
    public func signIn(
        to system: TicketSystem = .bam,
        at config: SystemConfig,
        userName: String,
        password: String
    ) async throws -> Account {
        let signIn = SignIn(system: system, config: config, userName: userName, password: password)
        return try await core.signIn(signIn: signIn)
    }

    /// Removes an account, and what is kept of its writes.
    ///
    /// - Throws: `WalletError.NotFound`, `Storage`.
    public func signOut(accountId: String) async throws {
        try await core.signOut(accountId: accountId)
    }

    /// Reserves tickets for a user (B.A.M). The write's `answerJson` has them as `{"tickets": [{"id", "status", …}]}`.
    ///
    /// - Throws: `WalletError.InvalidInput` naming the field, `Refused` when the server refuses, `NeedsSignIn`,
    ///   `Unreachable` when surely nothing was sent, `Storage`.
    public func reserve(accountId: String, order: Reservation) async throws -> OfficeWrite {
        try await core.reserve(accountId: accountId, order: order)
    }

    /// The reserved tickets of an event (B.A.M), where the server lists them to its organiser.
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func reserved(accountId: String, eventId: Int64, tenant: String? = nil) async throws -> [OfficeTicket] {
        try await core.reserved(accountId: accountId, tenant: tenant, eventId: eventId)
    }

    /// Frees reserved tickets (B.A.M), so that they can be reserved or bought again.
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func free(accountId: String, ticketIds: [String], tenant: String? = nil) async throws -> OfficeWrite {
        try await core.free(accountId: accountId, tenant: tenant, ticketIds: ticketIds)
    }

    /// Issues reserved tickets (B.A.M); it cannot be undone.
    /// ``waitUntilIssued(accountId:ticketIds:tenant:forSeconds:)`` tells when they are the owner's.
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func issue(accountId: String, ticketIds: [String], tenant: String? = nil) async throws -> OfficeWrite {
        try await core.issue(accountId: accountId, tenant: tenant, ticketIds: ticketIds)
    }

    /// Looks at tickets until each is issued or on no way there, or so many seconds have passed; gives how they stand.
    /// Cancelling the task ends it at once.
    ///
    /// - Throws: `WalletError.Cancelled`; as ``reserve(accountId:order:)``.
    public func waitUntilIssued(
        accountId: String,
        ticketIds: [String],
        tenant: String? = nil,
        forSeconds: Int = 60
    ) async throws -> [OfficeTicket] {
        let end = ContinuousClock.now + .seconds(forSeconds)
        let core = core
        while true {
            let found = try await unlessCancelled {
                try await core.waitUntilIssued(accountId: accountId, tenant: tenant, ticketIds: ticketIds, forS: 0)
            }
            let isOver = ContinuousClock.now + Self.pause > end
            if isOver || !found.contains(where: { [.reserved, .confirmed].contains($0.status) }) { return found }
            do { try await Task.sleep(for: Self.pause) } catch { throw cancelled() }
        }
    }

    /// How tickets stand at the server (B.A.M), in the order of their ids.
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func ticketStates(
        accountId: String,
        ticketIds: [String],
        tenant: String? = nil
    ) async throws -> [OfficeTicket] {
        try await core.ticketStates(accountId: accountId, tenant: tenant, ticketIds: ticketIds)
    }

    /// Sends tickets to e-mail addresses (B.A.M); it cannot be undone.
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func sendGroup(accountId: String, order: GroupOrder) async throws -> OfficeWrite {
        try await core.sendGroup(accountId: accountId, order: order)
    }

    /// Makes a ticket (Unidy's partner API) out of a JSON object of its fields; the system gives it its id.
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func createTicket(accountId: String, fieldsJson: String) async throws -> OfficeWrite {
        try await core.createTicket(accountId: accountId, fieldsJson: fieldsJson)
    }

    /// Changes those fields of a ticket that the JSON object names (Unidy's partner API).
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func updateTicket(accountId: String, ticketId: String, fieldsJson: String) async throws -> OfficeWrite {
        try await core.updateTicket(accountId: accountId, ticketId: ticketId, fieldsJson: fieldsJson)
    }

    /// Deletes a ticket (Unidy's partner API); it cannot be undone.
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func deleteTicket(accountId: String, ticketId: String) async throws -> OfficeWrite {
        try await core.deleteTicket(accountId: accountId, ticketId: ticketId)
    }

    /// One page of a partner's tickets (Unidy), counted from 1.
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func partnerTickets(accountId: String, page: UInt32 = 1) async throws -> OfficePage {
        try await core.partnerTickets(accountId: accountId, page: page)
    }

    /// One page of those of a partner's tickets (Unidy) that the query asks for, in its order.
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func findPartnerTickets(accountId: String, query: UnidyTicketQuery) async throws -> OfficePage {
        try await core.findPartnerTickets(accountId: accountId, query: query)
    }

    /// One of a partner's tickets (Unidy).
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func partnerTicket(accountId: String, ticketId: String) async throws -> OfficeTicket {
        try await core.partnerTicket(accountId: accountId, ticketId: ticketId)
    }

    /// A partner's ticket categories (Unidy), each as the system's JSON.
    ///
    /// - Throws: As ``reserve(accountId:order:)``.
    public func categories(accountId: String) async throws -> [String] {
        try await core.categories(accountId: accountId)
    }

    /// The addresses of a brand's own pages (Unidy): the person's tickets, the organiser's desk, the API's description.
    ///
    /// - Throws: `WalletError.InvalidInput`, `NotFound`, `NeedsSignIn`, `Storage`.
    public func pages(accountId: String) async throws -> [String] {
        try await core.pages(accountId: accountId)
    }

    /// The writes of an account with what became of them, the newest first.
    ///
    /// - Throws: `WalletError.Storage`.
    public func writes(accountId: String, limit: UInt32 = 50) throws -> [OfficeWrite] {
        try core.writes(accountId: accountId, limit: limit)
    }

    /// Asks the server what became of a write whose answer was lost.
    ///
    /// - Throws: `WalletError.NotFound`; as ``reserve(accountId:order:)``.
    public func lookUp(writeId: Int64) async throws -> OfficeWrite {
        try await core.lookUpWrite(id: writeId)
    }

    /// Forgets a write: the organiser has found out.
    ///
    /// - Throws: `WalletError.NotFound`, `Storage`.
    public func forget(writeId: Int64) throws {
        try core.forgetWrite(id: writeId)
    }
}
