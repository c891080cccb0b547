// A scenario's request as a call of the client, and what came of it.

import Foundation
import Gatewright

/// A request as the arguments of a call.
struct Arguments {
    private(set) var method = ""
    private(set) var path = ""
    private(set) var query = Query()
    private(set) var headers = Headers()
    private(set) var body: Body?
    private(set) var options = RequestOptions()

    init(_ request: JSON) throws {
        for (name, value) in request.object ?? [:] {
            switch name {
            case "mode", "pages", "max_pages", "stop_after_bytes", "replayable": break
            case "last_event_id", "idle_timeout_ms", "max_events": break
            case "max_line_bytes", "max_values", "chunk_size", "tracestate": break
            case "min_throughput": options.minThroughput = try minThroughput(value)
            case "traceparent": options.traceContext = TraceContext(traceparent: try text(value), tracestate: request["tracestate"]?.string)
            case "url_template": options.urlTemplate = try text(value)
            case "method": method = try text(value)
            case "path": path = try text(value)
            case "query": query = try parameters(value)
            case "headers": headers = fields(value)
            case "json": body = .json(value)
            case "text": body = .text(try text(value))
            case "base64": body = .data(try bytes(base64: value))
            case "chunks": body = stream(try pieces(value), isReplayable: request["replayable"] == true)
            case "unencodable": body = .json(["value": Double.nan])
            case "idempotency_key": options.idempotencyKey = try text(value)
            case "timeout_ms": options.timeout = try timeout(value)
            case "attempt_timeout_ms": options.attemptTimeout = try timeout(value)
            case "max_attempts": options.maxAttempts = try number(value)
            case "raise_for_status": options.throwOnError = try flag(value)
            case "cache":
                guard let mode = CacheMode(rawValue: try text(value)) else { throw Unsupported("that cache mode") }
                options.cache = mode
            case "hedge": options.hedge = try hedge(value)
            case "credential": options.credential = value == false ? .anonymous : .named(try text(value))
            default: throw Unsupported("the request's \(name)")
            }
        }
    }

    /// The options of a list, which has no idempotency key, no body, and always throws.
    func pageOptions(_ style: JSON?) throws -> PageOptions {
        guard method == "GET", body == nil, hasOnlyLimits else { throw Unsupported("pages of anything but a plain GET") }
        var pages = PageOptions(
            timeout: options.timeout, attemptTimeout: options.attemptTimeout, maxAttempts: options.maxAttempts, cache: options.cache,
            hedge: options.hedge, credential: options.credential)
        if let items = style?.member("items") { pages.items = try text(items) }
        if let cursor = style?.member("cursor") { pages.cursor = try text(cursor) }
        if let parameter = style?.member("cursor_param") { pages.cursorParameter = try text(parameter) }
        return pages
    }

    /// The options of a stream of events, which has no idempotency key, and always throws.
    func eventOptions(_ request: JSON) throws -> EventOptions {
        guard hasOnlyLimits else { throw Unsupported("events with an idempotency key, or without errors for statuses") }
        return EventOptions(
            lastEventID: try request.member("last_event_id").map(text),
            idleTimeout: try request["idle_timeout_ms"].map(timeout),
            timeout: options.timeout, attemptTimeout: options.attemptTimeout, maxAttempts: options.maxAttempts,
            credential: options.credential)
    }

    var hasOnlyLimits: Bool { options.idempotencyKey == nil && options.throwOnError == nil }
}

func whole(_ client: Client, _ request: JSON) async throws -> JSON {
    let arguments = try Arguments(request)
    let response = try await client.request(
        arguments.method, arguments.path, body: arguments.body, query: arguments.query, headers: arguments.headers,
        options: arguments.options)
    return head(response).with(["body": shownBody(response.data)])
}

func streamed(_ client: Client, _ request: JSON) async throws -> JSON {
    let arguments = try Arguments(request)
    let response = try await client.stream(
        arguments.method, arguments.path, body: arguments.body, query: arguments.query, headers: arguments.headers,
        options: arguments.options)
    let enough = request.member("stop_after_bytes")?.int ?? .max
    var received = Received()
    do {
        for try await piece in response.body {
            received.take(piece)
            if received.length >= enough { break }
        }
    } catch {
        return failed(error).with(["delivered": received.shown()])
    }
    return head(response).with(["body": received.shown()])
}

func pages(_ client: Client, _ request: JSON) async throws -> JSON {
    let arguments = try Arguments(request)
    let options = try arguments.pageOptions(request.member("pages"))
    var lengths: [JSON] = []
    var items: [JSON] = []
    var answer: JSON = ["ok": true]
    do {
        for try await page in client.pages(
            arguments.path, query: arguments.query, headers: arguments.headers, options: options)
        {
            let found = try page.items(as: JSON.self)
            lengths.append(JSON(found.count))
            items += found
            if lengths.count >= request.member("max_pages")?.int ?? 100 { break }
        }
    } catch {
        answer = failed(error)
    }
    return answer.with(["pages": .array(lengths), "items": .array(items)])
}

func events(_ client: Client, _ request: JSON) async throws -> JSON {
    let arguments = try Arguments(request)
    let most = request.member("max_events")?.int ?? 100
    var events: [JSON] = []
    var answer: JSON = ["ok": true]
    do {
        for try await event in client.events(
            arguments.path, method: arguments.method, body: arguments.body, query: arguments.query,
            headers: arguments.headers, options: try arguments.eventOptions(request))
        {
            events.append(["event": .string(event.event), "data": .string(event.data), "id": .string(event.id)])
            if events.count >= most { break }
        }
    } catch {
        answer = failed(error)
    }
    return answer.with(["events": .array(events)])
}

func fields(_ headers: JSON) -> Headers {
    Headers((headers.object ?? [:]).compactMapValues(\.string))
}

private func parameters(_ members: JSON) throws -> Query {
    var query = Query()
    for (name, value) in members.object ?? [:] {
        switch value {
        case .null: query.append(name, nil)
        case .bool(let flag): query.append(name, flag)
        case .integer(let number): query.append(name, number)
        case .number(let number): query.append(name, number)
        case .string(let text): query.append(name, text)
        case .array(let values): query.append(name, try values.map(text))
        case .object: throw Unsupported("an object as a parameter of a query")
        }
    }
    return query
}

private func pieces(_ chunks: JSON) throws -> [Data] {
    try (chunks.array ?? []).map { Data(try text($0).utf8) }
}

private func stream(_ pieces: [Data], isReplayable: Bool) -> Body {
    @Sendable func make() -> AsyncStream<Data> {
        AsyncStream { stream in
            for piece in pieces { stream.yield(piece) }
            stream.finish()
        }
    }
    return isReplayable ? .replayable(make) : .stream(make())
}
