import Foundation

/// A client's settings as JSON. What a value means is checked in Rust, which names it in its errors as it is named here.
///
/// Settings JSON (all optional): `auth`, `credentials`, `headers`, `timeoutMs`, `attemptTimeoutMs`, `connectTimeoutMs`, `readTimeoutMs`, `maxAttempts`,
/// `backoffBaseMs`, `backoffCapMs`, `maxRetryAfterMs`, `budget`, `pacing`, `minThroughput`, `quota`, `breaker`, `maxConcurrency`, `regions`, `hedge`, `cache`, `idempotencyKeys`, `idempotencyHeader`,
/// `idempotencyQuoted`, `maxRedirects`, `allowedOrigins`, `allowHttp`, `proxy`, `caCertificates`, `pins`, `maxResponseBytes`, `throwOnError`,
/// `hooks: {before, after}`, `observe`, `client`.
enum Settings {
    static func json(_ configuration: Configuration, client: UInt32?) -> String {
        var json = JSONWriter()
        json.member("auth", raw: configuration.auth.json)
        if !configuration.credentials.isEmpty {
            json.member("credentials", raw: credentials(configuration.credentials))
        }
        json.member("headers", pairs: configuration.headers)
        json.member("timeoutMs", configuration.timeout)
        json.member("attemptTimeoutMs", configuration.attemptTimeout)
        json.member("connectTimeoutMs", configuration.connectTimeout)
        json.member("readTimeoutMs", configuration.readTimeout)
        json.member("maxAttempts", configuration.retry.maxAttempts)
        json.member("backoffBaseMs", configuration.retry.backoffBase)
        json.member("backoffCapMs", configuration.retry.backoffCap)
        json.member("maxRetryAfterMs", configuration.retry.maxRetryAfter)
        json.member("budget", configuration.retry.budget)
        pacing(configuration, into: &json)
        if let floor = configuration.minThroughput {
            json.member("minThroughput", raw: floor.json)
        }
        json.member("idempotencyKeys", configuration.idempotencyKeys)
        json.member("idempotencyHeader", configuration.idempotencyHeader)
        json.member("idempotencyQuoted", configuration.idempotencyQuoted)
        json.member("maxRedirects", configuration.maxRedirects)
        json.member("allowedOrigins", configuration.allowedOrigins)
        json.member("allowHttp", configuration.allowHTTP)
        json.member("maxResponseBytes", configuration.maxResponseBytes)
        json.member("throwOnError", configuration.throwOnError)
        if let quota = configuration.quota {
            json.member("quota", quota)
        }
        if let breaker = configuration.breaker {
            json.member("breaker", raw: breaker.json)
        } else {
            json.member("breaker", false)
        }
        if let maxConcurrency = configuration.maxConcurrency {
            json.member("maxConcurrency", maxConcurrency)
        }
        if !configuration.regions.isEmpty {
            json.member("regions", configuration.regions)
        }
        if let hedge = configuration.hedge {
            json.member("hedge", raw: hedge.json)
        }
        if let cache = configuration.cache {
            json.member("cache", raw: cache.json)
        }
        switch configuration.proxy {
        case .environment: break
        case .none: json.member("proxy", false)
        case .url(let url): json.member("proxy", url)
        }
        if let certificates = configuration.caCertificates {
            json.member("caCertificates", certificates)
        }
        if !configuration.pins.isEmpty {
            json.member("pins", configuration.pins)
        }
        if let client {
            var hooks = JSONWriter()
            hooks.member("before", configuration.beforeAttempt != nil)
            hooks.member("after", configuration.afterAttempt != nil)
            json.member("hooks", raw: hooks.object ?? "{}")
            json.member("observe", configuration.observer != nil)
            json.member("client", Int(client))
        }
        return json.object ?? "{}"
    }

    /// A truth value, or `{maxQueue}`.
    private static func pacing(_ configuration: Configuration, into json: inout JSONWriter) {
        guard configuration.pacing, let maxQueue = configuration.maxQueue else {
            return json.member("pacing", configuration.pacing)
        }
        var pacing = JSONWriter()
        pacing.member("maxQueue", maxQueue)
        json.member("pacing", raw: pacing.object ?? "{}")
    }

    private static func credentials(_ credentials: [String: Auth]) -> String {
        var json = JSONWriter()
        for (name, auth) in credentials.sorted(by: { $0.key < $1.key }) {
            json.member(name, raw: auth.json)
        }
        return json.object ?? "{}"
    }
}
