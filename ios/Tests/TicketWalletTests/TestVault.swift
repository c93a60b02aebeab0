import Foundation
import TicketWallet

/// A key vault in a file, which behaves as it is told to. It takes its folder along when it goes.
final class TestVault: KeyVault, @unchecked Sendable {
    /// What happens at each call before the vault does what it was asked.
    typealias Habit = @Sendable () throws -> Void

    private let folder: URL
    private let inner: SoftwareVault
    private let lock = NSLock()
    private var habit: Habit = {}

    init(in folder: URL) {
        self.folder = folder
        inner = SoftwareVault(path: folder.appendingPathComponent("vault.json").path)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    /// From now on every call begins with this.
    func always(_ habit: @escaping Habit) {
        lock.withLock { self.habit = habit }
    }

    /// From now on every call fails like this.
    func fails(_ error: any Error) {
        always { throw error }
    }

    /// From now on every call works.
    func recovers() {
        always {}
    }

    private func willing() throws -> SoftwareVault {
        try lock.withLock { habit }()
        return inner
    }

    func seal(plaintext: Data, associatedData: Data) throws -> Data {
        try willing().seal(plaintext: plaintext, associatedData: associatedData)
    }

    func unseal(sealed: Data, associatedData: Data) throws -> Data {
        try willing().unseal(sealed: sealed, associatedData: associatedData)
    }

    func createKey(handle: String) throws -> Data {
        try willing().createKey(handle: handle)
    }

    func publicKey(handle: String) throws -> Data {
        try willing().publicKey(handle: handle)
    }

    func sign(handle: String, purpose: Purpose, message: Data) throws -> Data {
        try willing().sign(handle: handle, purpose: purpose, message: message)
    }

    func deleteKey(handle: String) throws {
        try willing().deleteKey(handle: handle)
    }
}
