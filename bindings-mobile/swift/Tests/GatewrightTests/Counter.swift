import Foundation

/// Counts, from any thread.
final class Counter: @unchecked Sendable {
    // Every access is between lock and unlock.
    private let lock = NSLock()
    private var value = 0

    var count: Int { lock.withLock { value } }

    @discardableResult
    func add() -> Int {
        lock.withLock {
            value += 1
            return value
        }
    }
}

/// A list that is added to from any thread.
final class Collected<Element: Sendable>: @unchecked Sendable {
    // Every access is between lock and unlock.
    private let lock = NSLock()
    private var elements: [Element] = []

    var all: [Element] { lock.withLock { elements } }

    func add(_ element: Element) {
        lock.withLock { elements.append(element) }
    }
}
