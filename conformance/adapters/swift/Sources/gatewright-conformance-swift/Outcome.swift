// What a call came to, in the protocol's words.

import Foundation
import Gatewright

/// Bodies up to this are shown, longer ones only hashed.
private let shownLength = 64 * 1024

func head(_ answer: some Answer) -> JSON {
    let fields = answer.headers.map { ($0.name.lowercased(), $0.value) }
    return [
        "ok": true, "status": JSON(answer.status), "url": .string(answer.url), "request_id": JSON(answer.requestID),
        "headers": .object(Dictionary(fields) { "\($0), \($1)" }.mapValues(JSON.string)),
        "attempts": .array(answer.attempts.map(attempt)), "elapsed_ms": JSON(ms: answer.elapsed),
        "cache": JSON(answer.cacheStatus?.rawValue),
    ]
}

/// What an answer has of its head, streamed or not.
protocol Answer {
    var status: Int { get }
    var headers: Headers { get }
    var url: String { get }
    var requestID: String? { get }
    var attempts: [Attempt] { get }
    var elapsed: Duration { get }
    var cacheStatus: CacheStatus? { get }
}

extension Response: Answer {}
extension StreamResponse: Answer {}

func shownBody(_ content: Data) -> JSON {
    var shown: [String: JSON] = ["length": JSON(content.count), "sha256": .string(SHA256.hex(of: content))]
    if content.count <= shownLength, let text = String(validating: content, as: UTF8.self) {
        shown["text"] = .string(text)
        shown["json"] = try? JSON.read(content)
    }
    return .object(shown)
}

/// What came of a streamed body.
struct Received {
    private(set) var length = 0
    private var chunks = 0
    private var hash = SHA256()

    mutating func take(_ chunk: Data) {
        length += chunk.count
        chunks += 1
        hash.update(chunk)
    }

    func shown() -> JSON {
        ["length": JSON(length), "chunks": JSON(chunks), "sha256": .string(hash.hex())]
    }
}

/// An error of the SDK; anything else shows as what it is, which is none of the protocol's codes.
func failed(_ error: any Error) -> JSON {
    if error is CancellationError { return ["ok": false, "cancelled": true] }
    guard let failure = (error as? GatewrightError)?.failure else {
        return [
            "ok": false,
            "error": [
                "code": .string("swift \(type(of: error))"), "message": .string(String(describing: error)),
                "shown": .array(shown(error)),
            ],
        ]
    }
    return [
        "ok": false,
        "error": [
            "code": .string(failure.code), "status": JSON(failure.status), "retry_after_ms": JSON(ms: failure.retryAfter),
            "request_id": JSON(failure.requestID), "retryability": .string(failure.retryability.rawValue),
            "message": .string(inProtocolNames(failure.message)), "method": JSON(failure.method), "url": JSON(failure.url),
            "problem": failure.problem ?? .null, "body_text": .string(String(decoding: failure.body.prefix(shownLength), as: UTF8.self)),
            "shown": .array(shown(error) + [.string(failure.advice)]),
        ],
        "attempts": .array(failure.attempts.map(attempt)), "elapsed_ms": JSON(ms: failure.elapsed),
    ]
}

/// Everything that Swift shows of a value when it is printed, logged, dumped or handed to Objective-C.
func shown(_ value: Any) -> [JSON] {
    var dumped = ""
    dump(value, to: &dumped)
    var texts = [String(describing: value), String(reflecting: value), dumped]
    if let error = value as? any Error {
        let bridged = error as NSError
        texts += [error.localizedDescription, bridged.localizedRecoverySuggestion ?? "", "\(bridged) \(bridged.userInfo)"]
    }
    return texts.map(JSON.string)
}

/// Texts name options as Swift has them; scenarios know them by the protocol's names.
func inProtocolNames(_ message: String) -> String {
    message.replacing(#/`([a-z]+(?:[A-Z]+[a-z]*)+)`/#) { match in
        // `baseURL` and `allowHTTP` too: a run of capitals is one word.
        let snake = match.output.1.replacing(#/[A-Z]+/#) { "_" + $0.output.lowercased() }
        return "`\(snake == "throw_on_error" ? "raise_for_status" : snake)`"
    }
}

func attempt(_ attempt: Attempt) -> JSON {
    [
        "number": JSON(attempt.number), "started_ms": JSON(ms: attempt.started), "queued_ms": JSON(ms: attempt.queued),
        "queued_for": JSON(attempt.queuedFor), "took_ms": JSON(ms: attempt.took), "status": JSON(attempt.status),
        "error": JSON(attempt.error), "retry_after_ms": JSON(ms: attempt.retryAfter), "request_id": JSON(attempt.requestID),
        "decision": .string(attempt.decision.rawValue), "reason": JSON(attempt.reason), "wait_ms": JSON(ms: attempt.wait),
        "budget_left": JSON(attempt.budgetLeft),
        "region": attempt.region.map { JSON($0) } ?? .null,
        "hedge": attempt.isHedge ? true : .null,
    ]
}
