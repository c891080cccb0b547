// What a scenario supposes, and what is explained, in the words of the protocol.

import Foundation
import Gatewright

func explain(_ client: Client, _ request: JSON) throws -> JSON {
    ["ok": true, "explained": shown(try client.explain(try supposed(request)))]
}

private func supposed(_ request: JSON) throws -> Supposition {
    let given = request.member("supposed") ?? [:]
    var supposed: Supposition
    if let status = given.member("status") {
        supposed = .status(try number(status))
    } else if let failure = given.member("failure")?.string.flatMap(Supposition.Failure.init) {
        supposed = .failure(failure)
    } else {
        throw Unsupported("that supposition")
    }
    supposed.method = try text(request.member("method"))
    supposed.path = request.member("path")?.string
    supposed.timeout = try request["timeout_ms"].map(timeout)
    supposed.maxAttempts = try request.member("max_attempts").map(number)
    for (name, value) in given.object ?? [:] {
        switch name {
        case "status", "failure": break
        case "headers": supposed.headers = fields(value)
        case "body": supposed.body = try text(value)
        case "idempotency_key": supposed.hasIdempotencyKey = try flag(value)
        case "replayable": supposed.isReplayable = try flag(value)
        case "attempt": supposed.attempt = try number(value)
        case "elapsed_ms": supposed.elapsed = try duration(value)
        default: throw Unsupported("the supposition's \(name)")
        }
    }
    return supposed
}

private func shown(_ explained: Explanation) -> JSON {
    var decision = ""
    var reason: String?
    var wait: ClosedRange<Duration>?
    var to: String?
    switch explained.decision {
    case .return: decision = "return"
    case .retry(let why, let bounds): (decision, reason, wait) = ("retry", why, bounds)
    case .refreshToken: decision = "refresh_token"
    case .redirect(let url): (decision, to) = ("redirect", url)
    case .giveUp(let why): (decision, reason) = ("give_up", why)
    }
    return [
        "decision": .string(decision), "reason": JSON(reason), "least_wait_ms": JSON(ms: wait?.lowerBound),
        "most_wait_ms": JSON(ms: wait?.upperBound), "to": JSON(to), "code": JSON(explained.code),
        "repeatable": .bool(explained.isRepeatable), "retry_after_ms": JSON(ms: explained.retryAfter),
        "cost": JSON(explained.cost), "budget_left": JSON(explained.budgetLeft), "counted": JSON(explained.counted?.rawValue),
        "breaker": JSON(explained.breaker?.rawValue), "paused_for_ms": JSON(ms: explained.pausedFor),
        "region": JSON(explained.region),
        "quotas": .array(
            explained.quotas.map { quota in
                [
                    "policy": .string(quota.policy), "limit": JSON(quota.limit), "remaining": JSON(quota.remaining),
                    "window_ms": JSON(ms: quota.window), "resets_in_ms": JSON(ms: quota.resetsIn),
                ]
            }),
        "reasons": .array(explained.reasons.map(JSON.string)), "text": .string("\(explained)"),
    ]
}
