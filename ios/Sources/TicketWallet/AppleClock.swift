#if canImport(Darwin)
import Darwin
import Foundation
import TicketWalletCore

/// The clocks of iOS and macOS: the wall clock, `mach_continuous_time`, which counts sleep and which Swift's
/// `ContinuousClock` reads too, and the id of this boot.
public final class AppleClock: HostClock {
    /// A clock; it has no state.
    public init() {}

    /// Reads the clocks.
    ///
    /// - Throws: `HostClockError.Failed` when the system tells neither the boot's id nor its time.
    public func read() throws -> ClockReading {
        var scale = mach_timebase_info_data_t()
        guard mach_timebase_info(&scale) == KERN_SUCCESS, scale.denom > 0 else {
            throw HostClockError.Failed(reason: "no time base")
        }
        let (high, low) = mach_continuous_time().multipliedFullWidth(by: UInt64(scale.numer))
        let nanoseconds = UInt64(scale.denom).dividingFullWidth((high, low)).quotient
        return ClockReading(
            wallMs: Int64(Date().timeIntervalSince1970 * 1000),
            elapsedMs: Int64(nanoseconds / 1_000_000),
            bootId: try Self.bootId()
        )
    }

    /// The session's UUID; where the sandbox hides it, the boot's time, which moves with the wall clock: the wallet then
    /// holds the time for unconfirmed until a server tells it again.
    private static func bootId() throws -> String {
        var size = 0
        if sysctlbyname("kern.bootsessionuuid", nil, &size, nil, 0) == 0, size > 1 {
            var text = [UInt8](repeating: 0, count: size)
            if sysctlbyname("kern.bootsessionuuid", &text, &size, nil, 0) == 0 {
                return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
            }
        }
        var boot = timeval()
        size = MemoryLayout<timeval>.size
        guard sysctlbyname("kern.boottime", &boot, &size, nil, 0) == 0, boot.tv_sec > 0 else {
            throw HostClockError.Failed(reason: "no boot id")
        }
        return "boot-\(boot.tv_sec)"
    }
}
#endif
