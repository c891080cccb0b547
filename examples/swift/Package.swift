// swift-tools-version: 6.0
// Examples of the Swift package. GATEWRIGHT_SWIFT_PACKAGE names its folder; without it, it is built from this repository.

import PackageDescription

let package = Package(
    name: "gatewright-examples",
    platforms: [.macOS(.v14), .iOS(.v17)],
    dependencies: [
        .package(
            name: "Gatewright",
            path: Context.environment["GATEWRIGHT_SWIFT_PACKAGE"] ?? "../../bindings-mobile/swift")
    ],
    targets: [
        .executableTarget(
            name: "quickstart", dependencies: [.product(name: "Gatewright", package: "Gatewright")]),
        // A SwiftUI screen: its model is free of SwiftUI, so that it compiles, and is tested, on Linux too.
        .target(name: "Contacts", dependencies: [.product(name: "Gatewright", package: "Gatewright")]),
        .testTarget(
            name: "ContactsTests",
            dependencies: ["Contacts", .product(name: "Gatewright", package: "Gatewright")],
            // Debian's build of the library behind @Observable lacks a function that it calls only to report its own failure.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--allow-shlib-undefined"], .when(platforms: [.linux]))]),
    ],
    swiftLanguageModes: [.v6]
)
