// swift-tools-version:6.0
import PackageDescription

// `cargo tool latency` puts it beside the package that it measures.
let package = Package(
    name: "Latency",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../package")],
    targets: [
        .executableTarget(name: "Latency", dependencies: [.product(name: "TicketWallet", package: "package")])
    ],
    swiftLanguageModes: [.v6]
)
