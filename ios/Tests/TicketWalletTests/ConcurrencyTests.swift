import TicketWallet
import XCTest

/// Many things at once, and things that are called off.
final class ConcurrencyTests: XCTestCase {
    func test_cancellation_in_mid_sync() async throws {
        let sandbox = try Sandbox(tickets: 150)
        let wallet = try Phone().open()
        try await wallet.signIn(at: sandbox)
        // The newest page tells what has changed; the second page of the list never comes while anybody waits for it.
        try await sandbox.fault(#"{"path_contains": "/v1/ticket", "skip": 2, "fault": {"latency_ms": 3600000}}"#)
        let sync = Task { try await wallet.sync() }
        let isWaiting = try await eventually {
            try await sandbox.requests().filter { $0.hasSuffix("/v1/ticket") }.count == 3
        }
        XCTAssertTrue(isWaiting)
        sync.cancel()
        let error = try await failure { try await sync.value }
        XCTAssertEqual(error.code, "cancelled")
        XCTAssertEqual(try wallet.tickets().count, 100, "whole pages stay")

        let report = try await wallet.sync()
        XCTAssertEqual(report.received, 150)
        XCTAssertEqual(report.added, 50)
    }

    func test_two_hundred_concurrent_calls() async throws {
        let sandbox = try Sandbox()
        let wallet = try await Phone().synced(with: sandbox)
        let tickets = try wallet.tickets()
        let ticket = try wallet.showable()
        let right = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    switch number % 5 {
                    case 0: try wallet.tickets() == tickets
                    case 1: try wallet.ticket(id: ticket.id).summary == ticket
                    case 2: try verdict(on: wallet.present(ticketId: ticket.id)).verdict == .valid
                    case 3: try await wallet.sync().received == 0
                    default: try wallet.accounts().count == 1 && wallet.now().uncertainty.confirmed
                    }
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        XCTAssertEqual(right, 200)
    }

    func test_several_subscriptions_one_blocked() async throws {
        let sandbox = try Sandbox()
        let wallet = try Phone().open()
        let blocked = Listener(blocking: true)
        let free = Listener(blocking: false)
        let subscriptions = [
            try wallet.core.subscribe(listener: blocked), try wallet.core.subscribe(listener: free),
        ]
        let isBlocked = try await eventually { blocked.states.count == 1 }
        XCTAssertTrue(isBlocked)
        let stream = try wallet.states
        let reader = Task { () -> WalletState? in
            for await state in stream where isDone(state) { return state }
            return nil
        }
        try await wallet.signIn(at: sandbox)
        try await wallet.sync()
        let seen = await reader.value
        XCTAssertEqual(seen?.accounts, try wallet.accounts())
        let freeHeard = try await eventually { free.states.last == seen }
        XCTAssertTrue(freeHeard)
        XCTAssertEqual(blocked.states.count, 1, "it is still in its first call")
        XCTAssertEqual(blocked.states.first?.accounts, [])

        blocked.release.send()
        let blockedHeard = try await eventually { blocked.states.count == 2 }
        XCTAssertTrue(blockedHeard)
        XCTAssertEqual(blocked.states.last, seen, "what was overtaken is left out")
        blocked.release.send()
        subscriptions.forEach { $0.cancel() }

        let ended = Task { () -> Int in
            var count = 0
            for await _ in try wallet.states { count += 1 }
            return count
        }
        ended.cancel()
        let count = try await ended.value
        XCTAssertLessThan(count, 3, "a cancelled task's stream ends")
    }
}

/// Whether a sync has ended.
private func isDone(_ state: WalletState) -> Bool {
    state.accounts.count == 1 && state.ticketsRevision > 0 && state.syncing.isEmpty
}

/// Notes every state, and stays in the call where it was told to.
final class Listener: WalletListener, @unchecked Sendable {
    let release = Signal()
    private let blocking: Bool
    private let lock = NSLock()
    private var heard: [WalletState] = []

    init(blocking: Bool) {
        self.blocking = blocking
    }

    var states: [WalletState] {
        lock.withLock { heard }
    }

    func onState(state: WalletState) {
        lock.withLock { heard.append(state) }
        if blocking { _ = release.wait(seconds: 120) }
    }
}
