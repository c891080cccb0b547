import Foundation
internal import GatewrightNative

/// The thread that runs the Rust side: it blocks in `drive()` until frames are there, delivers them, and begins anew.
///
/// | State | Event | Next |
/// |---|---|---|
/// | none | something was begun | running |
/// | running | `drive()` gave nothing, and nothing was begun since it was asked | none |
/// | running | `drive()` gave nothing, but something was begun since | running |
///
/// No wake-up is lost: whoever begins something tells the port first and counts it here second. Either the thread sees the new count when it
/// wants to end, or it has ended before, and then the count begins another.
enum Driver {
    private struct State: Sendable {
        var isRunning = false
        var begun: UInt64 = 0
    }

    private static let state = Locked(State())

    /// Something was begun, or is to be let go of: the thread must run. To be called after the port was told.
    static func wake() {
        let begins = state.withLock { state in
            state.begun &+= 1
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if begins {
            let thread = Thread { run() }
            // Not the kernel's name on Linux: there all threads that this one makes would inherit it, and to resume a task may make one.
            thread.name = "gatewright"
            thread.qualityOfService = .userInitiated
            thread.start()
        }
    }

    /// Whether there is a thread.
    static var isRunning: Bool { state.withLock { $0.isRunning } }

    private static func run() {
        while true {
            let seen = state.withLock { $0.begun }
            let delivery = Native.port.drive()
            if !delivery.frames.isEmpty {
                Frames.read(delivery.frames, large: delivery.large)
                continue
            }
            let ends = state.withLock { state in
                if state.begun == seen {
                    state.isRunning = false
                }
                return !state.isRunning
            }
            if ends {
                return
            }
        }
    }
}
