#if canImport(Darwin)
    import os

    /// A value that one thread at a time may look at. Never held across an `await`, a callback of the user's or a call that may block.
    ///
    /// `Synchronization.Mutex` would do on every platform, but needs iOS 18 and macOS 15.
    struct Locked<Value: Sendable>: ~Copyable, Sendable {
        private let lock: OSAllocatedUnfairLock<Value>

        init(_ value: Value) {
            lock = OSAllocatedUnfairLock(initialState: value)
        }

        func withLock<Result: Sendable>(_ body: @Sendable (inout Value) throws -> Result) rethrows -> Result {
            try lock.withLock(body)
        }
    }
#else
    import Synchronization

    /// A value that one thread at a time may look at. Never held across an `await`, a callback of the user's or a call that may block.
    struct Locked<Value: Sendable>: ~Copyable, Sendable {
        private let mutex: Mutex<Value>

        init(_ value: Value) {
            mutex = Mutex(value)
        }

        func withLock<Result: Sendable>(_ body: @Sendable (inout Value) throws -> Result) rethrows -> Result {
            try mutex.withLock { try body(&$0) }
        }
    }
#endif
