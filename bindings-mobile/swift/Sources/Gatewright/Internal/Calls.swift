import Foundation
internal import GatewrightNative

/// What comes of a call.
enum Outcome: Sendable {
    /// An answer, read whole.
    case answer(status: Int, meta: [UInt8], body: Data)
    /// The head of a streamed answer.
    case head(status: Int, meta: [UInt8])
    /// The next piece of its body.
    case piece(Data)
    /// The end of a body or of a list; of a download with what is to be told of it, as JSON.
    case end(told: [UInt8])
    /// The error as JSON, and what callbacks threw for it.
    case failure(json: [UInt8], causes: [Cause])
}

/// The calls of the process that somebody waits for.
///
/// | State | Event | Next |
/// |---|---|---|
/// | not in the table | `wait` | waiting |
/// | waiting | a frame for it | taken out, resumed with what came |
/// | waiting | its task is cancelled | taken out, resumed with `CancellationError`; Rust drops the call |
///
/// Whoever takes a call out of the table resumes it, so it is resumed once, whichever of frame and cancellation is first. A streamed answer on
/// which nobody waits is not in the table.
enum Calls {
    private struct Waiting: Sendable {
        let continuation: CheckedContinuation<Outcome, any Error>
        /// Who waits keeps alive what is called back, so that it is there when a question comes.
        let callbacks: Callbacks?
    }

    private struct Table: Sendable {
        var last: UInt32 = 0
        var waiting: [UInt32: Waiting] = [:]
    }

    private static let table = Locked(Table())

    /// A number for a call or a list. They come again after 2^32.
    static func nextNumber() -> UInt32 {
        table.withLock { table in
            table.last = table.last == .max ? 1 : table.last + 1
            return table.last
        }
    }

    /// Waits for what comes of a call; `begin` begins it, or asks for more of it.
    ///
    /// - Throws: `GatewrightError`; `CancellationError` where the task is cancelled, before or while it waits. Then the call is over in Rust,
    ///   too.
    static func wait(
        _ call: UInt32, _ callbacks: Callbacks?, begin: () -> Void
    ) async throws -> Outcome {
        let outcome = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Outcome, any Error>) in
                if Task.isCancelled {
                    giveUp(call)
                    continuation.resume(throwing: CancellationError())
                    return
                }
                let waiting = Waiting(continuation: continuation, callbacks: callbacks)
                table.withLock { $0.waiting[call] = waiting }
                begin()
                Driver.wake()
                // Where the handler ran before the call was begun, nobody else would end it.
                if Task.isCancelled {
                    giveUp(call)
                }
            }
        } onCancel: {
            giveUp(call)
        }
        if case .failure(let json, let causes) = outcome {
            throw GatewrightError(
                Failure(json: json) { number in causes.first { $0.number == number }?.error })
        }
        return outcome
    }

    /// Ends a call, whatever it is doing; whoever waits gets `CancellationError`.
    static func giveUp(_ call: UInt32) {
        let waiting = take(call)
        Native.port.cancel(call: call)
        finish(call)
        waiting?.continuation.resume(throwing: CancellationError())
    }

    /// What a call waited for has come.
    static func settle(_ call: UInt32, _ outcome: Outcome) {
        guard let waiting = take(call) else { return }
        switch outcome {
        case .head, .piece:
            // The call goes on, and its upload may.
            break
        default:
            finish(call)
        }
        waiting.continuation.resume(returning: outcome)
    }

    /// A call has failed.
    static func fail(_ call: UInt32, json: [UInt8]) {
        guard let waiting = take(call) else { return }
        let causes = Questions.causes(of: call)
        finish(call)
        waiting.continuation.resume(returning: .failure(json: json, causes: causes))
    }

    /// Whether somebody waits for this call.
    static func isWaiting(_ call: UInt32) -> Bool {
        table.withLock { $0.waiting[call] != nil }
    }

    private static func take(_ call: UInt32) -> Waiting? {
        table.withLock { $0.waiting.removeValue(forKey: call) }
    }

    /// A call is over: nothing more is done for it.
    static func finish(_ call: UInt32) {
        Uploads.close(call)
        Questions.forgetCauses(of: call)
    }
}
