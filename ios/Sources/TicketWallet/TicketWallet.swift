import Foundation
@_exported import TicketWalletCore

/// A person's tickets on this device.
///
/// One wallet has one folder; open it once and share it: every call may come from any thread or task. Calls that are
/// not `async` are local and quick, but may ask the ``/TicketWalletCore/KeyVault``; those that are `async` use the
/// network.
public final class TicketWallet: Sendable {
    /// The generated object underneath, for what has no shorter form here.
    public let core: Wallet

    /// Opens the wallet, or makes it where nothing is.
    ///
    /// - Parameters:
    ///   - config: The folder, and how far ahead tickets are bound to this device.
    ///   - vault: Keeps the keys: `SecureEnclaveKeyVault` on a phone.
    ///   - clock: The device's clocks; ``deviceClock`` without it.
    ///   - transport: Carries requests instead of the built-in client, which uses the system's trust store.
    /// - Throws: `WalletError.KeyUnavailable` (try again later), `NeedsRecovery` (nothing was changed), `Storage`.
    public init(
        config: Config,
        vault: any KeyVault,
        clock: (any HostClock)? = TicketWallet.deviceClock,
        transport: (any HttpTransport)? = nil
    ) throws {
        core = try Wallet.open(config: config, vault: vault, clock: clock, transport: transport)
    }

    /// Opens the wallet in a folder with the defaults.
    ///
    /// - Throws: As ``init(config:vault:clock:transport:)``.
    public convenience init(folder: URL, vault: any KeyVault) throws {
        try self.init(config: Config(folder: folder.path), vault: vault)
    }

    /// The clocks of this device; `nil` where the core reads them itself.
    public static var deviceClock: (any HostClock)? {
        #if canImport(Darwin)
        AppleClock()
        #else
        nil
        #endif
    }

    /// The accounts of this wallet.
    ///
    /// - Throws: `WalletError.Storage`.
    public func accounts() throws -> [Account] {
        try core.accounts()
    }

    /// What can be done with an account: told by its system and its configuration, and partly by its first sync.
    ///
    /// - Throws: `WalletError.NotFound`, `Storage`.
    public func capabilities(accountId: String) throws -> Set<Capability> {
        Set(try core.capabilities(accountId: accountId))
    }

    /// Signs in and keeps the account; signing in again renews its session. The password is not kept.
    ///
    /// A task that is cancelled meanwhile still waits for the answer, or for the end of its time.
    ///
    /// - Throws: `WalletError.InvalidInput`, `Refused`, `Unreachable`, `Storage`.
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

    /// Fetches tickets, binds those whose event is near, renews leases.
    ///
    /// Cancelling the task ends the sync at its next wait; whole pages that were fetched stay.
    ///
    /// - Parameter accountId: Only this account; all of them without it.
    /// - Throws: `WalletError.Cancelled` when the task was cancelled, `NotFound` when there is no account,
    ///   `NeedsSignIn`, `Unreachable`, `Refused`, `KeyUnavailable`, `Storage`.
    @discardableResult
    public func sync(accountId: String? = nil) async throws -> SyncReport {
        let run = core.startSync(accountId: accountId)
        return try await withTaskCancellationHandler {
            try await run.run()
        } onCancel: {
            run.cancel()
        }
    }

    /// Tickets, soonest first. Never touches the network.
    ///
    /// - Throws: `WalletError.Storage`.
    public func tickets(_ filter: TicketFilter = TicketFilter()) throws -> [TicketSummary] {
        try core.tickets(filter: filter)
    }

    /// The same tickets, those of one event together, of whatever accounts and systems. Never touches the network.
    ///
    /// - Throws: `WalletError.Storage`.
    public func ticketsByEvent(_ filter: TicketFilter = TicketFilter()) throws -> [EventGroup] {
        try core.ticketsByEvent(filter: filter)
    }

    /// One ticket with all that is known of it. Never touches the network.
    ///
    /// - Throws: `WalletError.InvalidInput` for an id that is not 24 hex digits, `NotFound`, `Storage`.
    public func ticket(id: String) throws -> TicketDetail {
        try core.ticket(id: id)
    }

    /// A fresh frame of a ticket's barcode. Draw the next one after `nextRedrawInMs`. Never touches the network.
    ///
    /// Where the frame's `profile` says so, it is a code that never changes: whoever copies that has it.
    ///
    /// - Parameters:
    ///   - ticketId: The ticket's id from the list.
    ///   - venueNonce: The venue's 8 bytes, where it asks for them.
    /// - Throws: `WalletError.NoBarcode` says why there is none; `InvalidInput`, `NotFound`, `KeyUnavailable`, `Storage`.
    public func present(ticketId: String, venueNonce: Data? = nil) throws -> Presentation {
        try core.present(ticketId: ticketId, venueNonce: venueNonce)
    }

    /// The time that the wallet trusts, and how far.
    ///
    /// - Throws: `WalletError.Internal` when the device's clock cannot be read.
    public func now() throws -> WalletTime {
        try core.now()
    }

    /// What the wallet is doing: first the state as it is, then what it becomes.
    ///
    /// Each stream has a subscription of its own and room for one state, the newest: a slow reader misses what was
    /// overtaken and holds up nobody. It ends when its task is cancelled or the stream is let go.
    ///
    /// - Throws: `WalletError.Internal` when the system has no thread to give.
    public var states: AsyncStream<WalletState> {
        get throws {
            let (stream, continuation) = AsyncStream.makeStream(
                of: WalletState.self, bufferingPolicy: .bufferingNewest(1))
            let subscription = try core.subscribe(listener: StateRelay(continuation))
            continuation.onTermination = { _ in subscription.cancel() }
            return stream
        }
    }
}

/// Hands states to a stream.
private final class StateRelay: WalletListener {
    private let continuation: AsyncStream<WalletState>.Continuation

    init(_ continuation: AsyncStream<WalletState>.Continuation) {
        self.continuation = continuation
    }

    func onState(state: WalletState) {
        continuation.yield(state)
    }
}
