import TicketWallet
import XCTest

/// Objects that go away, in every order.
final class LifetimeTests: XCTestCase {
    func test_objects_dropped_in_every_order() async throws {
        let phone = try Phone()
        _ = try phone.open()
        let orders = permutations(of: [0, 1, 2, 3])
        XCTAssertEqual(orders.count, 24)
        for order in orders {
            var wallet: TicketWallet? = try phone.open()
            let listener = Listener(blocking: false)
            var subscription = try wallet?.core.subscribe(listener: listener)
            var run = wallet?.core.startSync(accountId: nil)
            var states = try wallet?.states
            for object in order {
                switch object {
                case 0: wallet = nil
                case 1: subscription = nil
                case 2:
                    // What is left works, whatever went before.
                    let error = try await failure { try await run?.run() }
                    XCTAssertEqual(error.code, "not_found", "\(order)")
                    run = nil
                default:
                    var iterator = states?.makeAsyncIterator()
                    let first = await iterator?.next()
                    XCTAssertEqual(first?.accounts, [], "\(order)")
                    states = nil
                }
            }
            XCTAssertNil(wallet)
            XCTAssertNil(subscription)
        }
    }

    func test_nothing_is_leaked() async throws {
        let sandbox = try Sandbox(tickets: 2)
        let traces = Traces()
        for _ in 0..<20 {
            try await useEverything(sandbox, traces)
        }
        XCTAssertEqual(traces.count, 60)
        let allGone = try await eventually { traces.alive == 0 }
        XCTAssertTrue(allGone, "\(traces.alive) objects of the app are still held")
    }

    /// One of each kind of object, used and let go.
    private func useEverything(_ sandbox: Sandbox, _ traces: Traces) async throws {
        let phone = try Phone()
        let clock = WallClock()
        let listener = Listener(blocking: false)
        traces.follow(phone.vault, clock, listener)
        let wallet = try phone.open(clock: clock)
        let subscription = try wallet.core.subscribe(listener: listener)
        try await wallet.signIn(at: sandbox)
        try await wallet.sync()
        for await _ in try wallet.states { break }
        let office = try phone.openOffice(clock: clock)
        XCTAssertEqual(try office.accounts(), [])
        let door = try phone.openGate(clock: clock)
        XCTAssertEqual(try door.status().readiness, .notSignedIn)
        let manifests = try ManifestIssuer(seed: Data(repeating: 8, count: 32))
        XCTAssertEqual(manifests.publicKey().count, 32)
        let issuer = try Issuer(seed: Data(repeating: 9, count: 32))
        let gate = try CodeChecker(config: CheckerConfig(issuers: [KnownIssuer(publicKey: issuer.publicKey())]))
        XCTAssertEqual(try gate.check(scanned: Data(), now: 0, nonces: []).verdict, .malformed)
        XCTAssertThrowsError(try wallet.ticket(id: "no id"))
        subscription.cancel()
    }

    private func permutations(of items: [Int]) -> [[Int]] {
        guard !items.isEmpty else { return [[]] }
        return items.flatMap { first in
            permutations(of: items.filter { $0 != first }).map { [first] + $0 }
        }
    }
}

/// Follows objects without holding them.
private final class Traces: @unchecked Sendable {
    private struct Trace {
        weak var object: AnyObject?
    }

    private var all: [Trace] = []

    func follow(_ objects: AnyObject...) {
        all += objects.map { Trace(object: $0) }
    }

    var count: Int { all.count }
    var alive: Int { all.filter { $0.object != nil }.count }
}

/// Foundation's clocks.
private final class WallClock: HostClock {
    func read() throws -> ClockReading {
        let elapsed = Int64(ProcessInfo.processInfo.systemUptime * 1000)
        let wall = Int64(Date().timeIntervalSince1970 * 1000)
        return ClockReading(wallMs: wall, elapsedMs: elapsed, bootId: "this boot")
    }
}
