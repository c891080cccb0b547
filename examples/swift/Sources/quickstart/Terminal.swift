// What the quickstart prints, and whether all of it was so.

import Foundation
import Gatewright

/// Prints; remembers what was not so.
struct Terminal {
    private static let colours =
        isatty(STDOUT_FILENO) != 0 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    private(set) var failed: [String] = []

    func headline(_ title: String, _ what: String) {
        print("\n\(paint("1", title))  \(dim(what))")
    }

    mutating func check(_ isSo: Bool, _ what: String) {
        print("   \(isSo ? good("✓") : bad("✗")) \(what)")
        if !isSo { failed.append(what) }
    }

    func end() {
        print("\n" + (failed.isEmpty ? good("All of it is so.") : bad("Not so: ") + failed.joined(separator: ", ")))
    }

    /// A line for each attempt: dots are waits, blocks are requests.
    func timeline(_ attempts: [Attempt]) {
        guard let last = attempts.last else { return }
        let scale = 48 / (seconds(last.started) + seconds(last.took))
        var idleFrom = 0.0
        for attempt in attempts {
            let started = seconds(attempt.started)
            let before = Int((idleFrom * scale).rounded())
            let waits = Int(((started - idleFrom) * scale).rounded())
            let busy = max(1, Int((seconds(attempt.took) * scale).rounded()))
            let block = String(repeating: "█", count: busy)
            let bar = attempt.decision == .return ? good(block) : bad(block)
            let outcome = attempt.status.map(String.init) ?? String((attempt.error ?? "").prefix { $0 != ":" })
            let then = attempt.wait.map { "retry in \(decimals(seconds($0) * 1000, 0)) ms" } ?? attempt.decision.rawValue
            let picture = spaces(before) + dim(String(repeating: "·", count: waits)) + bar + spaces(50 - before - waits - busy)
            print("   \(attempt.number) \(picture) \(decimals(started, 2)) s  \(outcome)  \(dim("→ \(then)"))")
            idleFrom = started + seconds(attempt.took)
        }
    }

    /// A call of several: how long it waited, and when it was sent.
    func sent(_ number: Int, at time: Double, of whole: Double) {
        let waits = Int((time / whole * 48).rounded())
        let picture = dim(String(repeating: "·", count: waits)) + good("█") + spaces(48 - waits)
        print("   \(number < 10 ? " " : "")\(number) \(picture) sent at \(decimals(time, 2)) s")
    }

    private func paint(_ code: String, _ text: String) -> String {
        Self.colours ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }

    private func good(_ text: String) -> String { paint("32", text) }
    private func bad(_ text: String) -> String { paint("31", text) }
    private func dim(_ text: String) -> String { paint("2", text) }
    private func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}

func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }

func decimals(_ number: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", number) }
