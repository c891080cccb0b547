import Foundation
internal import GatewrightNative

/// What a callback threw, under its number.
struct Cause: Sendable {
    let number: Int
    let error: any Error
}

/// Questions of the Rust side, and the answers of what the program gave: token callbacks, hooks, streams as bodies.
///
/// Question JSON: `{question, client, call, what, …}`, where `what` is
///
/// | what | with | answer |
/// |---|---|---|
/// | `token` | | text `{token, expiresInMs}` |
/// | `before` | `attempt` | text with the headers, where they changed |
/// | `after` | `attempt` | nothing |
/// | `bodyOpen` | `stream` | nothing |
/// | `bodyNext` | `stream` | bytes, or nothing at the end |
/// | `bodyClose` | `stream` | not answered |
/// | `storeLoad` | `credential` | text with the tokens, or nothing |
/// | `storeSave` | `credential`, `tokens` | nothing |
/// | `storeClear` | `credential` | nothing |
/// | `storeLock` | `credential` | text `true` or `false` |
/// | `storeUnlock` | `credential` | not answered |
/// | `observed` | `observed`, a call that is over | not answered |
/// | `progress` | `location, offset, length` of an upload | not answered |
/// | `abandon` | | not answered: nobody waits for that question any more |
///
/// Each callback runs as a task of its own, which is cancelled when its question is abandoned. What is thrown stays here under a number, and
/// becomes the `cause` of the error that comes of it.
enum Questions {
    private struct State: Sendable {
        var tasks: [UInt32: Task<Void, Never>] = [:]
        /// What was thrown for a call; under 0 what was thrown by token callbacks, on which several calls may wait.
        var causes: [UInt32: [Cause]] = [:]
        var lastCause = 0
    }

    private static let shared: UInt32 = 0
    private static let sharedKept = 256
    private static let state = Locked(State())

    static func ask(_ json: [UInt8]) {
        let json = JSONReader.read(json)
        guard let question = json.number("question"), let call = json.number("call"), let what = json["what"]?.string else { return }
        let stream = json.number("stream") ?? 0
        switch what {
        case "abandon":
            state.withLock { $0.tasks.removeValue(forKey: question) }?.cancel()
        case "bodyOpen":
            Uploads.open(call, stream: stream, question: question)
        case "bodyNext":
            Uploads.next(call, stream: stream, question: question)
        case "bodyClose":
            Uploads.close(call, stream: stream)
        case "storeUnlock":
            StoreQuestions.unlock(json)
        case "progress":
            Progress.note(call, UploadPosition(json: json))
        case "observed":
            guard let observer = json.number("client").flatMap(Callbacks.of)?.observer else { return }
            let observed = ObservedCall(json: json["observed"] ?? .null)
            // Not in the thread that drives all calls, which it may block.
            Task { observer(observed) }
        default:
            callBack(question, call, what, json)
        }
    }

    private static func callBack(_ question: UInt32, _ call: UInt32, _ what: String, _ json: JSONValue) {
        guard let callbacks = json.number("client").flatMap(Callbacks.of) else {
            return failed(question, CancellationError(), call: call)
        }
        // The task is in the table before it can take itself out: that needs the lock.
        state.withLock { state in
            state.tasks[question] = Task {
                do {
                    let text = try await callbacks.answer(what, json)
                    answer(question, text: text, bytes: nil)
                } catch {
                    failed(question, error, call: what == "token" || what.hasPrefix("store") ? shared : call)
                }
                Questions.state.withLock { _ = $0.tasks.removeValue(forKey: question) }
            }
        }
    }

    /// Answers a question. Unknown numbers are fine: whoever asked may have gone.
    static func answer(_ question: UInt32, text: String?, bytes: Data?) {
        Native.port.answer(question: question, text: text, bytes: bytes)
    }

    /// What was asked threw.
    static func failed(_ question: UInt32, _ error: any Error, call: UInt32) {
        let number = state.withLock { state in
            state.lastCause = state.lastCause == 0x3FFF_FFFF ? 1 : state.lastCause + 1
            state.causes[call, default: []].append(Cause(number: state.lastCause, error: error))
            if state.causes[call]?.count ?? 0 > sharedKept {
                state.causes[call]?.removeFirst()
            }
            return state.lastCause
        }
        // Whoever ends a call takes it away first and forgets its causes then: one of the two sees that this one is of no use any more.
        if call != shared && !Calls.isWaiting(call) && !Uploads.isUnderWay(call) {
            forgetCauses(of: call)
        }
        Native.port.fail(question: question, cause: UInt32(number), text: ErrorText.of(error))
    }

    /// What was thrown for a call, and what was thrown for several.
    static func causes(of call: UInt32) -> [Cause] {
        state.withLock { ($0.causes[call] ?? []) + ($0.causes[shared] ?? []) }
    }

    /// For how many calls something is kept, beside what is kept for several.
    static var callsWithCauses: Int { state.withLock { $0.causes.keys.count { $0 != shared } } }

    static func forgetCauses(of call: UInt32) {
        state.withLock { state in
            if !state.causes.isEmpty {
                state.causes[call] = nil
            }
        }
    }
}

extension JSONValue {
    /// A member that is a number of a question, client, call or stream.
    func number(_ name: String) -> UInt32? {
        self[name]?.int.flatMap { UInt32(exactly: $0) }
    }
}

extension Callbacks {
    /// Runs a callback; gives the text of its answer.
    fileprivate func answer(_ what: String, _ question: JSONValue) async throws -> String? {
        let attempt = question["attempt"] ?? .null
        switch what {
        case "token":
            guard let token = try await token?() else { return nil }
            var json = JSONWriter()
            json.member("token", token.value)
            if let expiresIn = token.expiresIn {
                json.member("expiresInMs", expiresIn)
            }
            return json.object
        case "before":
            var request = AttemptRequest(json: attempt)
            let headers = request.headers
            try await before?(&request)
            return request.headers == headers ? nil : JSONWriter.pairs(request.headers)
        case "after":
            try await after?(AttemptResult(json: attempt))
            return nil
        default:
            return try await StoreQuestions.answer(what, question, self)
        }
    }
}
