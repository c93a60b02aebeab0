import Foundation
import TicketWalletCore

/// What a call throws whose task was cancelled.
func cancelled() -> WalletError {
    .Cancelled(reason: "the task was cancelled")
}

/// Waits for work, or for the task to be cancelled. The work goes on then, and its result is let go.
///
/// - Throws: `WalletError.Cancelled`; what the work throws.
func unlessCancelled<T: Sendable>(_ work: @escaping @Sendable () async throws -> T) async throws -> T {
    let outcome = Outcome<T>()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            guard outcome.isAwaited(by: continuation) else { return }
            Task {
                do { outcome.come(.success(try await work())) } catch { outcome.come(.failure(error)) }
            }
        }
    } onCancel: {
        outcome.come(.failure(cancelled()))
    }
}

/// Takes the first of several results to whoever waits for it.
private final class Outcome<T: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var waiting: CheckedContinuation<T, any Error>?
    private var first: Result<T, any Error>?

    /// Has a continuation wait. `false` when there is a result already, which it gets at once.
    func isAwaited(by continuation: CheckedContinuation<T, any Error>) -> Bool {
        let result = lock.withLock {
            if first == nil { waiting = continuation }
            return first
        }
        if let result { continuation.resume(with: result) }
        return result == nil
    }

    /// Brings a result; all but the first are let go.
    func come(_ result: Result<T, any Error>) {
        let receiver = lock.withLock {
            guard first == nil else { return CheckedContinuation<T, any Error>?.none }
            first = result
            defer { waiting = nil }
            return waiting
        }
        receiver?.resume(with: result)
    }
}
