import Foundation
import TicketWalletCore

/// The wallet's own care: pausing, keys, recovery, signing out.
extension TicketWallet {
    /// Removes an account with its tickets, barcodes and keys, and nothing else.
    ///
    /// - Throws: `WalletError.InvalidInput` while changes wait that are not to be discarded; `NotFound`, `Paused`,
    ///   `Storage`.
    public func signOut(accountId: String, discardChanges: Bool = false) async throws {
        try await core.signOut(accountId: accountId, discardChanges: discardChanges)
    }

    /// Closes the wallet's files before the app is suspended. Calls fail with `WalletError.Paused` until ``resume()``;
    /// it takes at most 5 seconds. A wallet that is resumed meanwhile stays open.
    public func pause() async {
        await core.pause()
    }

    /// Opens the files again and goes on.
    ///
    /// - Throws: As ``init(config:vault:clock:transport:)``.
    public func resume() throws {
        try core.resume()
    }

    /// Gives the database a new key. Reads and writes the whole file: not for the main actor.
    ///
    /// - Throws: `WalletError.KeyUnavailable`, `Paused`, `Storage`; the old key holds then.
    public func rekey() throws {
        try core.rekey()
    }

    /// Deletes the wallet with its keys, paused or not. It cannot be undone.
    ///
    /// - Throws: `WalletError.KeyUnavailable` when the vault could not be used, `Storage` when some file could not be
    ///   deleted: call it again with this object, which knows what is left.
    public func wipe() async throws {
        try await core.wipe()
    }

    /// How the wallet stands, for support; it holds no secret. Reads the whole file: not for the main actor.
    ///
    /// - Throws: `WalletError.Paused`, `NeedsRecovery`, `Storage`.
    public func diagnose() throws -> Diagnosis {
        try core.diagnose()
    }

    /// How a wallet stands that is not open, whether it opens or not.
    public static func diagnose(folder: URL, vault: any KeyVault) -> Diagnosis {
        diagnoseWallet(config: Config(folder: folder.path), vault: vault, clock: deviceClock)
    }

    /// Makes a wallet usable again that throws `WalletError.NeedsRecovery`: its files are put aside, what can be read of
    /// accounts, barcodes and changes is saved. Then open it and sync.
    ///
    /// - Throws: `WalletError.KeyUnavailable` (nothing was changed), `NotFound`, `InUse`, `Storage`.
    @discardableResult
    public static func recover(folder: URL, vault: any KeyVault) throws -> RecoveryReport {
        try recoverWallet(config: Config(folder: folder.path), vault: vault)
    }
}
