// A scenario's client options as the settings of a client.

import Foundation
import Gatewright
import Synchronization

/// How often a client called back.
final class Counts: Sendable {
    private let counts = Mutex((tokens: 0, before: 0, after: 0))

    /// Counts one; the number of tokens asked for before.
    func token() -> Int {
        counts.withLock { counts in
            counts.tokens += 1
            return counts.tokens - 1
        }
    }

    func before() { counts.withLock { $0.before += 1 } }

    func after() { counts.withLock { $0.after += 1 } }

    func shown() -> JSON {
        let (tokens, before, after) = counts.withLock { $0 }
        return [
            "ok": true, "tokens_fetched": JSON(tokens),
            "hooks_called": ["before": JSON(before), "after": JSON(after)],
        ]
    }
}

/// What a scenario's callback fails with: it shows as this text.
struct Scripted: Error, CustomStringConvertible, LocalizedError {
    let text: String

    var description: String { text }
    var errorDescription: String? { text }
}

func configuration(_ options: JSON, _ counts: Counts) throws -> Configuration {
    var configuration = Configuration()
    configuration.proxy = .none
    for (name, value) in options.object ?? [:] {
        switch name {
        case "base_url": break
        case "headers": configuration.headers = fields(value)
        case "auth": configuration.auth = try auth(value, counts)
        case "credentials": configuration.credentials = try credentials(value)
        case "cache": configuration.cache = try cache(value)
        case "hedge": configuration.hedge = try hedge(value)
        case "hooks": hooks(value, counts, &configuration)
        case "timeout_ms": configuration.timeout = try timeout(value)
        case "attempt_timeout_ms": configuration.attemptTimeout = try timeout(value)
        case "connect_timeout_ms": configuration.connectTimeout = try timeout(value)
        case "read_timeout_ms": configuration.readTimeout = try timeout(value)
        case "max_attempts": configuration.retry.maxAttempts = try number(value)
        case "backoff_base_ms": configuration.retry.backoffBase = try duration(value)
        case "backoff_cap_ms": configuration.retry.backoffCap = try duration(value)
        case "max_retry_after_ms": configuration.retry.maxRetryAfter = try duration(value)
        case "budget": configuration.retry.budget = try number(value)
        case "pacing": configuration.pacing = try flag(value)
        case "min_throughput": configuration.minThroughput = try minThroughput(value)
        case "breaker": configuration.breaker = try breaker(value)
        case "max_concurrency": configuration.maxConcurrency = try number(value)
        case "regions": configuration.regions = (value.array ?? []).compactMap(\.string)
        case "quota": configuration.quota = value.string
        case "idempotency_keys": configuration.idempotencyKeys = try flag(value)
        case "idempotency_header": configuration.idempotencyHeader = try text(value)
        case "idempotency_quoted": configuration.idempotencyQuoted = try flag(value)
        case "max_redirects": configuration.maxRedirects = try number(value)
        case "allowed_origins": configuration.allowedOrigins = (value.array ?? []).compactMap(\.string)
        case "allow_http": configuration.allowHTTP = try flag(value)
        case "max_response_bytes": configuration.maxResponseBytes = try number(value)
        case "raise_for_status": configuration.throwOnError = try flag(value)
        default: throw Unsupported("the option \(name)")
        }
    }
    return configuration
}

/// An object, or `null` for none.
func minThroughput(_ given: JSON) throws -> MinThroughput {
    guard let members = given.object else { return .off }
    var floor = MinThroughput()
    for (name, value) in members {
        switch name {
        case "bytes_per_second": floor.bytesPerSecond = try number(value)
        case "grace_ms": floor.grace = try duration(value)
        default: throw Unsupported("the floor's \(name)")
        }
    }
    return floor
}

/// An object, or `false` for none.
private func breaker(_ given: JSON) throws -> Breaker? {
    guard let members = given.object else { return nil }
    var breaker = Breaker()
    for (name, value) in members {
        switch name {
        case "failure_rate": breaker.failureRate = try fraction(value)
        case "minimum_calls": breaker.minimumCalls = try number(value)
        case "window_ms": breaker.window = try duration(value)
        case "open_ms": breaker.open = try duration(value)
        default: throw Unsupported("the breaker's \(name)")
        }
    }
    return breaker
}

/// `true`, `false` or an object.
private func cache(_ given: JSON) throws -> Cache? {
    guard let members = given.object else { return given == true ? Cache() : nil }
    var cache = Cache()
    for (name, value) in members {
        switch name {
        case "max_bytes": cache.maxBytes = try number(value)
        case "max_entry_bytes": cache.maxEntryBytes = try number(value)
        case "stale_if_error_ms": cache.staleIfError = try duration(value)
        case "heuristic_freshness_ms": cache.heuristicFreshness = try duration(value)
        default: throw Unsupported("the cache's \(name)")
        }
    }
    return cache
}

/// `null`, `"p95"` or `{"after_ms": 100}`.
func hedge(_ given: JSON) throws -> Hedge {
    switch given {
    case .null: return .never
    case "p95": return .p95
    default:
        guard let after = given.member("after_ms") else { throw Unsupported("that hedge") }
        return .after(try duration(after))
    }
}

private func auth(_ given: JSON, _ counts: Counts) throws -> Auth {
    if let auth = try credential(given) { return auth }
    switch given.member("kind")?.string {
    case "token":
        let fetches = given.member("fetches")?.array ?? []
        return .token {
            // The last one goes on for ever.
            let at = min(counts.token(), fetches.count - 1)
            guard fetches.indices.contains(at) else { throw Unsupported("a token callback without fetches") }
            let fetch = fetches[at]
            try await Task.sleep(for: try fetch.member("after_ms").map(duration) ?? .zero)
            if let error = fetch.member("error")?.string { throw Scripted(text: error) }
            return Token(try text(fetch.member("token")), expiresIn: try fetch.member("expires_in_ms").map(duration))
        }
    case let other:
        throw Unsupported("auth of the kind \(other ?? "without a name")")
    }
}

private func hooks(_ script: JSON, _ counts: Counts, _ configuration: inout Configuration) {
    configuration.beforeAttempt = { attempt in
        counts.before()
        if let name = script.member("number_header")?.string { attempt.headers[name] = String(attempt.number) }
        if let error = script.member("before_error")?.string { throw Scripted(text: error) }
    }
    configuration.afterAttempt = { _ in
        counts.after()
        if let error = script.member("after_error")?.string { throw Scripted(text: error) }
    }
}

/// A limit of time in milliseconds; null is none, texts are the numbers that are none.
func timeout(_ value: JSON) throws -> Timeout {
    switch value {
    case .null: .never
    case "nan": .milliseconds(.nan)
    case "inf": .milliseconds(.infinity)
    case "-inf": .milliseconds(-.infinity)
    default: .milliseconds(try milliseconds(value))
    }
}
