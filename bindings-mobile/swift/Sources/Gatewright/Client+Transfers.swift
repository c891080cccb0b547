import Foundation
internal import GatewrightNative

// Streams of JSON lines, downloads that go on where they break, and resumable uploads.

extension Client {
    /// The values of a stream of JSON lines, decoded by the client's ``Configuration/decoder``. The request is sent when a loop begins.
    ///
    /// ```swift no-run
    /// for try await contact in client.jsonLines("/exports/1", as: Contact.self) { … }
    /// ```
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/exports/1`.
    ///   - type: What a line is; ``JSONValue`` for whatever it is.
    ///   - method: The method.
    ///   - body: What is sent, if anything: neither a stream nor a file.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: How long it may be silent and its lines may be.
    public func jsonLines<Value: Decodable & Sendable>(
        _ path: String, as type: Value.Type = Value.self, method: String = "GET", body: Body? = nil, query: Query = [:],
        headers: Headers = [:], options: JSONLinesOptions = JSONLinesOptions()
    ) -> JSONLines<Value> {
        let request = LinesRequest(
            client: self, method: method, path: path, query: query, headers: headers, body: body, options: options, asText: false)
        return JSONLines(request: request) { batch, decoder in try LinesRequest.values(of: batch, decoder) }
    }

    /// The lines of a stream of JSON lines as they are, for those that are not all JSON, such as `[DONE]`. Blank lines are passed over;
    /// otherwise as ``jsonLines(_:as:method:body:query:headers:options:)``.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/exports/1`.
    ///   - method: The method.
    ///   - body: What is sent, if anything: neither a stream nor a file.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: How long it may be silent and its lines may be.
    public func textLines(
        _ path: String, method: String = "GET", body: Body? = nil, query: Query = [:], headers: Headers = [:],
        options: JSONLinesOptions = JSONLinesOptions()
    ) -> JSONLines<String> {
        let request = LinesRequest(
            client: self, method: method, path: path, query: query, headers: headers, body: body, options: options, asText: true)
        return JSONLines(request: request) { batch, _ in
            JSONReader.read([UInt8](batch)).array?.compactMap { $0.string.map(Result.success) } ?? []
        }
    }

    /// Downloads what is there, as a stream that goes on where it breaks: with `Range` and `If-Range`, where the answer has a strong ETag.
    /// Two versions are never mixed; where the server names a SHA-256 (`Repr-Digest`), it is checked. Returns when the first answer's head is
    /// there.
    ///
    /// ``RequestOptions/timeout`` bounds each connection until its head is there. The download itself may take as long as it needs, as long as
    /// it is not slower than ``RequestOptions/minThroughput``. An error status is always thrown.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/files/1/content`.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it. `Range` is the download's own.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    public func download(
        _ path: String, query: Query = [:], headers: Headers = [:], options: RequestOptions = RequestOptions()
    ) async throws -> Download {
        let (call, outcome) = try await begin("GET", path, mode: 2, query, headers, options, nil)
        guard case .head(_, let meta) = outcome else {
            throw GatewrightError.closedHere("the call came to no answer", advice: "please report this as a bug of Gatewright")
        }
        return Download(meta: Meta(meta), incoming: Incoming(call: call, callbacks: callbacks))
    }

    /// Downloads into a file. The bytes come into `FILE.part` beside it, which takes the file's place once it is whole, so that nobody sees half
    /// a file. A part that an earlier run left is gone on with where the server still has that version; else it begins anew. Otherwise as
    /// ``download(_:query:headers:options:)``.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/files/1/content`.
    ///   - file: The file's URL. Its folder must be there.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it. `Range` is the download's own.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``, of the kind ``GatewrightError/invalidRequest(_:)`` where the file cannot be written, or where another
    ///   download into it is under way; `CancellationError` where the task was cancelled: the part stays, and the next run goes on with it.
    @discardableResult
    public func download(
        _ path: String, to file: URL, query: Query = [:], headers: Headers = [:], options: RequestOptions = RequestOptions()
    ) async throws -> Downloaded {
        let target = try Options.path(of: file)
        let json = Options.json(query, headers, options, nil)
        let call = Calls.nextNumber()
        let native = native
        let outcome = try await Calls.wait(call, callbacks) {
            native.downloadTo(call: call, path: path, file: target, options: json)
        }
        Calls.finish(call)
        guard case .piece(let told) = outcome else {
            throw GatewrightError.closedHere("the call came to no answer", advice: "please report this as a bug of Gatewright")
        }
        return Downloaded(json: JSONReader.read([UInt8](told)))
    }

    /// Uploads so that a break costs no more than a piece (draft-ietf-httpbis-resumable-upload-12); in one request where the server does not
    /// speak that. A stream that can be read once can be uploaded so, too, as long as the server does not ask for what was before the last piece.
    ///
    /// ```swift no-run
    /// let uploaded = try await client.upload("/files", body: .file(video, contentType: "video/mp4")) { show($0.offset, of: $0.length) }
    /// ```
    ///
    /// After an error that may pass, ``Failure/upload`` says where another upload of the same body can go on, by ``UploadOptions/resume``.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/files`.
    ///   - body: What is sent. A file must not change meanwhile.
    ///   - method: The method that a plain upload would have.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: The size of a piece, and what else differs from the client's settings.
    ///   - progress: Is told how far it is after each request, by one task of its own, one after the other.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    @discardableResult
    public func upload(
        _ path: String, body: Body, method: String = "POST", query: Query = [:], headers: Headers = [:],
        options: UploadOptions = UploadOptions(), progress: (@Sendable (UploadPosition) -> Void)? = nil
    ) async throws -> Uploaded {
        let source = try body.uploaded(by: encoder)
        let json = Options.json(query, headers, options, contentType: body.contentType)
        let style = Options.style(options, source, progress: progress != nil)
        let call = Calls.nextNumber()
        if case .stream(let stream) = source {
            try Uploads.keep(call, stream)
        }
        let watched = progress.map { Progress.watch(call, $0) }
        let (native, data) = (native, source.data)
        let outcome: Outcome
        do {
            outcome = try await Calls.wait(call, callbacks) {
                native.upload(call: call, method: method, path: path, options: json, body: data, style: style)
            }
        } catch {
            await watched?.end()
            throw error
        }
        await watched?.end()
        guard case .answer(let status, let meta, let data) = outcome else {
            throw GatewrightError.closedHere("the call came to no answer", advice: "please report this as a bug of Gatewright")
        }
        return Uploaded(response: Response(status: status, data: data, meta: Meta(meta), decoder: decoder))
    }
}
