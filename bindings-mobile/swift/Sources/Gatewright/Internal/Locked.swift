import Foundation

/// A value that one thread at a time may look at. Never locked across an `await`, a callback of the user's or a call that may block.
///
/// `Synchronization.Mutex` would do, but needs iOS 18 and macOS 15, and the compiler of Swift 6.0 fails on it in generic code.
///
/// `@unchecked Sendable` holds: `value` is private and is touched in `withLock` alone, between lock and unlock of the mutex; the mutex stays where
/// it was made until the last reference is gone, when nobody can hold it.
final class Locked<Value: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    init(_ value: Value) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        self.value = value
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deinitialize(count: 1)
        mutex.deallocate()
    }

    @inline(__always)
    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
