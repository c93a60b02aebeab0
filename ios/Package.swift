// swift-tools-version:6.0
import Foundation
import PackageDescription

// Where the compiled core comes from:
// - on Apple platforms `TICKET_WALLET_XCFRAMEWORK_URL` with `TICKET_WALLET_XCFRAMEWORK_CHECKSUM` name a release;
//   without them `TicketWalletFFI.xcframework` beside this file is used;
// - elsewhere `TICKET_WALLET_LIBRARY_DIR` is the folder of the library that was built for this machine.
let environment = ProcessInfo.processInfo.environment

#if canImport(Darwin)
let core: Target =
    if let url = environment["TICKET_WALLET_XCFRAMEWORK_URL"],
        let checksum = environment["TICKET_WALLET_XCFRAMEWORK_CHECKSUM"]
    {
        .binaryTarget(name: "TicketWalletFFI", url: url, checksum: checksum)
    } else {
        .binaryTarget(name: "TicketWalletFFI", path: "TicketWalletFFI.xcframework")
    }
let strict: [SwiftSetting] = []
#else
let libraries = environment["TICKET_WALLET_LIBRARY_DIR"] ?? "."
let core: Target = .target(
    name: "TicketWalletFFI",
    linkerSettings: [
        .linkedLibrary("ticket_wallet"),
        .unsafeFlags(["-L\(libraries)", "-Xlinker", "-rpath", "-Xlinker", libraries]),
    ]
)
let strict: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors", "-strict-concurrency=complete"])]
#endif

let package = Package(
    name: "TicketWallet",
    platforms: [.iOS(.v16), .macOS(.v13), .watchOS(.v9)],
    products: [.library(name: "TicketWallet", targets: ["TicketWallet"])],
    targets: [
        core,
        // The generated bindings.
        .target(name: "TicketWalletCore", dependencies: ["TicketWalletFFI"]),
        .target(name: "TicketWallet", dependencies: ["TicketWalletCore"], swiftSettings: strict),
        .testTarget(name: "TicketWalletTests", dependencies: ["TicketWallet"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
