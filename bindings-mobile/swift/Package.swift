// swift-tools-version: 6.0

// The Swift SDK. This folder is the source: `cargo xtask package swift` stages it together with the generated bindings
// (Sources/GatewrightNative, Sources/GatewrightFFI) and the Rust library, and the staged folder builds as it is.

import PackageDescription

#if os(macOS)
    /// The Rust library for every Apple platform.
    let native: [Target] = [
        .binaryTarget(name: "GatewrightFFI", path: "GatewrightFFI.xcframework"),
        .target(
            name: "GatewrightNative",
            dependencies: ["GatewrightFFI"],
            // A static library does not say what it needs: roots of trust, and on macOS the system's proxies.
            linkerSettings: [
                .linkedFramework("Security"),
                .linkedFramework("CoreFoundation"),
                .linkedFramework("SystemConfiguration", .when(platforms: [.macOS])),
            ]
        ),
    ]
#else
    /// The Rust library is a static one, in a folder beside the sources.
    let native: [Target] = [
        .systemLibrary(name: "GatewrightFFI"),
        .target(
            name: "GatewrightNative",
            dependencies: ["GatewrightFFI"],
            linkerSettings: [
                .unsafeFlags(["-L\(Context.packageDirectory)/Libraries"]),
                .linkedLibrary("gatewright_mobile"),
            ]
        ),
    ]
#endif

let package = Package(
    name: "Gatewright",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "Gatewright", targets: ["Gatewright"])
    ],
    targets: native + [
        .target(name: "Gatewright", dependencies: ["GatewrightNative"]),
        .testTarget(name: "GatewrightTests", dependencies: ["Gatewright"]),
    ],
    swiftLanguageModes: [.v6]
)
