// What the kernel says of this process.

import Foundation
@testable import Gatewright

/// Memory that is in use.
func residentBytes() -> Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
}

/// The library's threads: the one that drives, as the library knows it (the kernel's names are inherited by whatever a thread makes), and those
/// that the Rust side makes, by their names.
func libraryThreads() -> [String] {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    let names = tasks.compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
        .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
        .filter { $0.hasPrefix("gatewright") || $0.hasPrefix("tokio") }
    return names + (Driver.isRunning ? ["driver"] : [])
}

/// How many files and sockets are open.
func openFiles() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
}
