// JSON lines, downloads and uploads of a scenario, and what came of them.

import Foundation
import Gatewright

extension Arguments {
    /// The options of a stream of JSON lines, which has no idempotency key, and always throws.
    func linesOptions(_ request: JSON) throws -> JSONLinesOptions {
        guard hasOnlyLimits, options.minThroughput == nil else {
            throw Unsupported("JSON lines with an idempotency key, a floor, or without errors for statuses")
        }
        return JSONLinesOptions(
            maxLineBytes: try request.member("max_line_bytes").map(number), idleTimeout: try request["idle_timeout_ms"].map(timeout),
            timeout: options.timeout, attemptTimeout: options.attemptTimeout, maxAttempts: options.maxAttempts,
            traceContext: options.traceContext, urlTemplate: options.urlTemplate)
    }

    /// The options of an upload, which always throws.
    func uploadOptions(_ request: JSON) throws -> UploadOptions {
        guard options.throwOnError == nil else { throw Unsupported("an upload without errors for statuses") }
        return UploadOptions(
            chunkSize: try request.member("chunk_size").map(number), timeout: options.timeout, attemptTimeout: options.attemptTimeout,
            maxAttempts: options.maxAttempts, idempotencyKey: options.idempotencyKey, minThroughput: options.minThroughput,
            traceContext: options.traceContext, urlTemplate: options.urlTemplate)
    }
}

func jsonLines(_ client: Client, _ request: JSON) async throws -> JSON {
    let arguments = try Arguments(request)
    let most = request.member("max_values")?.int ?? 100
    var values: [JSON] = []
    var answer: JSON = ["ok": true]
    do {
        for try await value in client.jsonLines(
            arguments.path, as: JSON.self, method: arguments.method, body: arguments.body, query: arguments.query,
            headers: arguments.headers, options: try arguments.linesOptions(request))
        {
            values.append(value)
            if values.count >= most { break }
        }
    } catch {
        answer = failed(error)
    }
    return answer.with(["values": .array(values)])
}

func download(_ client: Client, _ request: JSON) async throws -> JSON {
    let arguments = try Arguments(request)
    guard arguments.method == "GET", arguments.body == nil else { throw Unsupported("a download by anything but a plain GET") }
    let download = try await client.download(
        arguments.path, query: arguments.query, headers: arguments.headers, options: arguments.options)
    var received = Received()
    do {
        for try await piece in download { received.take(piece) }
    } catch {
        return failed(error).with(["delivered": received.shown()])
    }
    let fields = download.headers.map { ($0.name.lowercased(), $0.value) }
    return [
        "ok": true, "body": received.shown(), "total": JSON(download.total), "elapsed_ms": JSON(ms: download.elapsed),
        "headers": .object(Dictionary(fields) { "\($0), \($1)" }.mapValues(JSON.string)),
        "attempts": .array(download.attempts.map(attempt)),
    ]
}

func upload(_ client: Client, _ request: JSON) async throws -> JSON {
    let arguments = try Arguments(request)
    let uploaded = try await client.upload(
        arguments.path, body: arguments.body ?? .data(Data()), method: arguments.method, query: arguments.query,
        headers: arguments.headers, options: try arguments.uploadOptions(request))
    return head(uploaded.response).with([
        "body": shownBody(uploaded.response.data), "resumable": .bool(uploaded.isResumable), "answer_lost": .bool(uploaded.isAnswerLost),
    ])
}
