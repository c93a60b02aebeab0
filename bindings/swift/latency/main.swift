// How long `present` takes. `cargo tool latency` runs it, beside the same in Rust and Kotlin.
// usage: Latency FOLDER TICKET WARM_UP CALLS
import Foundation
import TicketWallet

func measure(folder: URL, ticket: String, warmUp: Int, calls: Int) throws {
    let wallet = try TicketWallet(folder: folder, vault: TestVault(in: folder))
    func present() throws -> UInt64 {
        let start = DispatchTime.now().uptimeNanoseconds
        let frame = try wallet.present(ticketId: ticket)
        let took = DispatchTime.now().uptimeNanoseconds - start
        precondition(!frame.text.isEmpty)
        return took
    }
    for _ in 0..<warmUp { _ = try present() }
    let took = try (0..<calls).map { _ in try present() }.sorted()
    print("median in ns: \(took[took.count / 2])")
}

let arguments = CommandLine.arguments
guard arguments.count == 5, let warmUp = Int(arguments[3]), let calls = Int(arguments[4]) else {
    print("usage: Latency FOLDER TICKET WARM_UP CALLS")
    exit(2)
}
try measure(folder: URL(fileURLWithPath: arguments[1]), ticket: arguments[2], warmUp: warmUp, calls: calls)
