// swift-tools-version: 6.0

// What Gatewright for Swift is measured beside; run by `cargo xtask bench mobile`. GATEWRIGHT_SWIFT_PACKAGE is the folder
// of the packaged library.

import PackageDescription

let gatewright = Context.environment["GATEWRIGHT_SWIFT_PACKAGE"] ?? "../../../bindings-mobile/swift"

let package = Package(
    name: "gatewright-bench-swift",
    platforms: [.macOS(.v13)],
    dependencies: [.package(name: "Gatewright", path: gatewright)],
    targets: [
        .executableTarget(
            name: "gatewright-bench-swift",
            dependencies: [.product(name: "Gatewright", package: "Gatewright")]
        )
    ],
    swiftLanguageModes: [.v6]
)
