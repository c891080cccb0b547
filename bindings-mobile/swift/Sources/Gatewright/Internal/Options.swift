import Foundation

/// What is said of one call, as JSON.
///
/// Options JSON (all optional): `query`, `headers`, `timeoutMs`, `attemptTimeoutMs`, `maxAttempts`, `idempotencyKey`, `throwOnError`,
/// `cache`, `hedge`, `credential`, `stream: {replayable, length}`, `contentType`,
/// `minThroughput: {bytesPerSecond, graceMs}`, `traceContext: {traceparent, tracestate}`, `urlTemplate`.
enum Options {
    /// The options of a request; nothing where there are none.
    static func json(_ query: Query, _ headers: Headers, _ options: RequestOptions, _ body: EncodedBody?) -> String? {
        var json = JSONWriter()
        write(query, headers, options.timeout, options.attemptTimeout, options.maxAttempts, into: &json)
        if let key = options.idempotencyKey {
            json.member("idempotencyKey", key)
        }
        if let throwOnError = options.throwOnError {
            json.member("throwOnError", throwOnError)
        }
        write(options.cache, options.hedge, options.credential, into: &json)
        if let contentType = body?.contentType {
            json.member("contentType", contentType)
        }
        if let source = body?.source {
            json.member("stream", raw: stream(source))
        }
        write(options.traceContext, options.urlTemplate, options.minThroughput, into: &json)
        return json.object
    }

    /// The options of a list; nothing where there are none.
    static func json(_ query: Query, _ headers: Headers, _ options: PageOptions) -> String? {
        var json = JSONWriter()
        write(query, headers, options.timeout, options.attemptTimeout, options.maxAttempts, into: &json)
        write(options.cache, options.hedge, options.credential, into: &json)
        return json.object
    }

    /// The options of a stream of events; nothing where there are none.
    static func json(_ query: Query, _ headers: Headers, _ options: EventOptions, _ body: EncodedBody?) -> String? {
        var json = JSONWriter()
        write(query, headers, options.timeout, options.attemptTimeout, options.maxAttempts, into: &json)
        write(nil, nil, options.credential, into: &json)
        if let contentType = body?.contentType {
            json.member("contentType", contentType)
        }
        return json.object
    }

    /// Where a stream of events begins: `{lastEventId, idleTimeoutMs}`, both optional.
    static func style(_ options: EventOptions) -> String {
        var json = JSONWriter()
        if let id = options.lastEventID {
            json.member("lastEventId", id)
        }
        if let idleTimeout = options.idleTimeout {
            json.member("idleTimeoutMs", idleTimeout)
        }
        return json.object ?? "{}"
    }

    /// Where a list has its items and cursors: `{items, cursor, cursorParam}`.
    static func style(_ options: PageOptions) -> String {
        var json = JSONWriter()
        json.member("items", options.items)
        json.member("cursor", options.cursor)
        json.member("cursorParam", options.cursorParameter)
        return json.object ?? "{}"
    }

    private static func write(
        _ cache: CacheMode?, _ hedge: Hedge?, _ credential: RequestCredential?, into json: inout JSONWriter
    ) {
        if let cache {
            json.member("cache", cache.rawValue)
        }
        if let hedge {
            json.member("hedge", raw: hedge.json)
        }
        if let credential {
            if let name = credential.name {
                json.member("credential", name)
            } else {
                json.member("credential", false)
            }
        }
    }

    static func write(
        _ query: Query, _ headers: Headers, _ timeout: Timeout?, _ attemptTimeout: Timeout?, _ maxAttempts: Int?,
        into json: inout JSONWriter
    ) {
        if !query.isEmpty {
            json.member("query", pairs: query.pairs.lazy.map { (name: $0.name, value: $0.value) })
        }
        if !headers.isEmpty {
            json.member("headers", pairs: headers)
        }
        if let timeout {
            json.member("timeoutMs", timeout)
        }
        if let attemptTimeout {
            json.member("attemptTimeoutMs", attemptTimeout)
        }
        if let maxAttempts {
            json.member("maxAttempts", maxAttempts)
        }
    }
}
