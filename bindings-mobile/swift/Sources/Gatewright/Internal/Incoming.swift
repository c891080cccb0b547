import Foundation
internal import GatewrightNative

/// The body of a streamed answer as it comes in, a piece each time one is asked for.
///
/// | State | Event | Next |
/// |---|---|---|
/// | open | END | ended: reads give nothing |
/// | open | ERROR, cancellation, `cancel()` | failed: reads throw |
/// | open | nobody has it any more | the request is ended |
final class Incoming: Sendable {
    private enum State: Sendable {
        case open
        case ended
        case failed(any Error)
    }

    private let call: UInt32
    private let callbacks: Callbacks?
    private let state = Locked(State.open)
    private let used = Locked(false)
    private let end = Locked<JSONValue?>(nil)

    init(call: UInt32, callbacks: Callbacks?) {
        self.call = call
        self.callbacks = callbacks
    }

    deinit {
        cancel()
    }

    /// Whether nobody has read it before.
    func use() -> Bool {
        used.withLock { used in
            defer { used = true }
            return !used
        }
    }

    /// What was told with the end; nothing before it, and nothing where it is not that of a download.
    var told: JSONValue? { end.withLock { $0 } }

    /// The next piece; nothing at the end. For one reader.
    func next() async throws -> Data? {
        switch state.withLock({ $0 }) {
        case .ended:
            return nil
        case .failed(let error):
            throw error
        case .open:
            break
        }
        do {
            let call = call
            let outcome = try await Calls.wait(call, callbacks) { Native.port.pull(call: call) }
            if case .piece(let data) = outcome {
                return data
            }
            if case .end(let told) = outcome, !told.isEmpty {
                end.withLock { $0 = JSONReader.read(told) }
            }
            leave(.ended)
            return nil
        } catch {
            // Where `cancel()` ended it, that is told.
            if case .failed(let before) = leave(.failed(error)) {
                throw before
            }
            throw error
        }
    }

    /// Ends the request.
    func cancel() {
        let advice = "make another call for what is left"
        if case .open = leave(.failed(GatewrightError.closedHere("the stream was cancelled", advice: advice))) {
            Calls.giveUp(call)
            // Where no client is open any more, nobody drives, and the connection would stay.
            Driver.wake()
        }
    }

    /// Leaves the open state; gives the state before.
    @discardableResult
    private func leave(_ next: State) -> State {
        state.withLock { state in
            let before = state
            if case .open = state {
                state = next
            }
            return before
        }
    }
}
