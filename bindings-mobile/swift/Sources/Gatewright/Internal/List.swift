import Foundation
internal import GatewrightNative

/// One walk through what comes part by part, each asked for by a call of its own: the pages of a list, the events of a stream. For one loop.
///
/// | State | Event | Next |
/// |---|---|---|
/// | new | `next()` | begun |
/// | begun | the end, an error, cancellation | over, and Rust forgets it; but for an error after which more may follow |
/// | new, begun | nobody has it any more | over, and Rust forgets it |
final class List: Sendable {
    private enum State: Sendable {
        case new
        case begun(UInt32)
        case over
    }

    private let callbacks: Callbacks?
    private let start: @Sendable (_ list: UInt32) throws -> Void
    private let ask: @Sendable (_ call: UInt32, _ list: UInt32) -> Void
    private let goesOnAfterErrors: Bool
    private let state = Locked(State.new)

    /// - Parameters:
    ///   - goesOnAfterErrors: Whether parts may follow that failed; then only its end and cancellation are the end of it.
    ///   - start: Begins it under a number.
    ///   - ask: Asks for its next part by a call.
    init(
        _ callbacks: Callbacks?, goesOnAfterErrors: Bool = false, start: @escaping @Sendable (_ list: UInt32) throws -> Void,
        ask: @escaping @Sendable (_ call: UInt32, _ list: UInt32) -> Void
    ) {
        self.callbacks = callbacks
        self.goesOnAfterErrors = goesOnAfterErrors
        self.start = start
        self.ask = ask
    }

    deinit {
        end()
    }

    /// The next part; nothing at the end, and after it.
    func next() async throws -> Outcome? {
        do {
            guard let list = try begin() else { return nil }
            let call = Calls.nextNumber()
            let outcome = try await Calls.wait(call, callbacks) { ask(call, list) }
            Calls.finish(call)
            if case .end = outcome {
                end()
                return nil
            }
            return outcome
        } catch {
            if !goesOnAfterErrors || !(error is GatewrightError) {
                end()
            }
            throw error
        }
    }

    /// The number, made with the first part; nothing where it is over.
    private func begin() throws -> UInt32? {
        switch state.withLock({ $0 }) {
        case .over:
            return nil
        case .begun(let list):
            return list
        case .new:
            try Task.checkCancellation()
            let list = Calls.nextNumber()
            try start(list)
            state.withLock { $0 = .begun(list) }
            return list
        }
    }

    private func end() {
        let before = state.withLock { state in
            defer { state = .over }
            return state
        }
        if case .begun(let list) = before {
            Native.port.dropPages(list: list)
            Driver.wake()
        }
    }
}
