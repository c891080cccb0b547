import Foundation

// What is said of streams of JSON lines, downloads and uploads, as JSON.

/// What an upload's bytes are.
enum UploadedSource: Sendable {
    case data(Data)
    /// Read by Rust, from anywhere in it.
    case file(path: String)
    case stream(Source)

    var data: Data? {
        guard case .data(let data) = self else { return nil }
        return data
    }
}

extension Body {
    /// The body as the source of an upload.
    ///
    /// - Throws: `GatewrightError.invalidRequest` for what cannot be encoded, and for files that cannot be read. Nothing was sent.
    func uploaded(by encoder: JSONEncoder) throws -> UploadedSource {
        if case .segments(let segments) = content, segments.count == 1, case .file(let url) = segments[0] {
            return .file(path: try Options.path(of: url))
        }
        let encoded = try encoded(by: encoder)
        return encoded.source.map(UploadedSource.stream) ?? .data(encoded.data ?? Data())
    }
}

extension Options {
    /// The options of a stream of JSON lines; nothing where there are none.
    static func json(_ query: Query, _ headers: Headers, _ options: JSONLinesOptions, _ body: EncodedBody?) -> String? {
        var json = JSONWriter()
        write(query, headers, options.timeout, options.attemptTimeout, options.maxAttempts, into: &json)
        write(options.traceContext, options.urlTemplate, nil, into: &json)
        if let contentType = body?.contentType {
            json.member("contentType", contentType)
        }
        return json.object
    }

    /// How a stream of JSON lines is read: `{idleTimeoutMs, maxLineBytes, asText}`, all optional.
    static func style(_ options: JSONLinesOptions, asText: Bool) -> String {
        var json = JSONWriter()
        if let idleTimeout = options.idleTimeout {
            json.member("idleTimeoutMs", idleTimeout)
        }
        if let maxLineBytes = options.maxLineBytes {
            json.member("maxLineBytes", maxLineBytes)
        }
        if asText {
            json.member("asText", true)
        }
        return json.object ?? "{}"
    }

    /// The options of an upload; nothing where there are none.
    static func json(_ query: Query, _ headers: Headers, _ options: UploadOptions, contentType: String?) -> String? {
        var json = JSONWriter()
        write(query, headers, options.timeout, options.attemptTimeout, options.maxAttempts, into: &json)
        write(options.traceContext, options.urlTemplate, options.minThroughput, into: &json)
        if let key = options.idempotencyKey {
            json.member("idempotencyKey", key)
        }
        if let contentType {
            json.member("contentType", contentType)
        }
        return json.object
    }

    /// How an upload goes: `{chunkSize, resume, assumeResumable, progress, file, stream: {replayable, length}}`, all optional.
    static func style(_ options: UploadOptions, _ source: UploadedSource, progress: Bool) -> String {
        var json = JSONWriter()
        if let chunkSize = options.chunkSize {
            json.member("chunkSize", chunkSize)
        }
        if let resume = options.resume {
            json.member("resume", resume)
        }
        if options.assumeResumable {
            json.member("assumeResumable", true)
        }
        if progress {
            json.member("progress", true)
        }
        switch source {
        case .data:
            break
        case .file(let path):
            json.member("file", path)
        case .stream(let source):
            json.member("stream", raw: stream(source))
        }
        return json.object ?? "{}"
    }

    /// A stream as a body: `{replayable, length}`.
    static func stream(_ source: Source) -> String {
        var stream = JSONWriter()
        stream.member("replayable", source.isReplayable)
        if let length = source.length {
            stream.member("length", length)
        }
        return stream.object ?? "{}"
    }

    /// Writes the trace, the template and the floor of a call.
    static func write(_ trace: TraceContext?, _ template: String?, _ floor: MinThroughput?, into json: inout JSONWriter) {
        if let trace {
            json.member("traceContext", raw: trace.json)
        }
        if let template {
            json.member("urlTemplate", template)
        }
        if let floor {
            json.member("minThroughput", raw: floor.json)
        }
    }

    /// The path of a file.
    ///
    /// - Throws: `GatewrightError.invalidRequest` for a URL that is no file's.
    static func path(of file: URL) throws -> String {
        guard file.isFileURL else {
            throw GatewrightError.invalidRequestHere("a file is wanted, not a URL with the scheme \"\(file.scheme ?? "")\"")
        }
        return file.path
    }
}
