// swift-tools-version: 6.0
// The conformance adapter of the Swift package. GATEWRIGHT_SWIFT_PACKAGE names the folder of the package that is tested.

import PackageDescription

let package = Package(
    name: "gatewright-conformance-swift",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(
            name: "Gatewright",
            path: Context.environment["GATEWRIGHT_SWIFT_PACKAGE"] ?? "../../../bindings-mobile/swift")
    ],
    targets: [
        .executableTarget(
            name: "gatewright-conformance-swift",
            dependencies: [.product(name: "Gatewright", package: "Gatewright")])
    ],
    swiftLanguageModes: [.v6]
)
