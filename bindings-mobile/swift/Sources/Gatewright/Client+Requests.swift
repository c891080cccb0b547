import Foundation

// The requests of a client. `query`, `headers` and `options` are the same for all of them:
//
// - query: parameters beside those of the path;
// - headers: beside the client's own; one of the same name replaces it;
// - options: what else differs from the client's settings.
//
// All throw `GatewrightError`, and `CancellationError` where the task was cancelled.

extension Client {
    /// Gets what is there. Retried where that may help.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    public func get(
        _ path: String, query: Query = [:], headers: Headers = [:], options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send("GET", path, query, headers, options)
    }

    /// Gets only status and headers. Retried where that may help.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    @discardableResult
    public func head(
        _ path: String, query: Query = [:], headers: Headers = [:], options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send("HEAD", path, query, headers, options)
    }

    /// Asks what is allowed. Retried where that may help.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    @discardableResult
    public func options(
        _ path: String, query: Query = [:], headers: Headers = [:], options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send("OPTIONS", path, query, headers, options)
    }

    /// Sends something new. It carries an idempotency key, so that a retry takes effect once.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - body: What is sent, if anything.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    @discardableResult
    public func post(
        _ path: String, body: Body? = nil, query: Query = [:], headers: Headers = [:], options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send("POST", path, query, headers, options, body)
    }

    /// Sends something new, as JSON. It carries an idempotency key, so that a retry takes effect once.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - json: What is sent, encoded by the client's ``Configuration/encoder``.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``, of the kind ``GatewrightError/invalidRequest(_:)`` for what cannot be encoded; `CancellationError` where
    ///   the task was cancelled.
    @discardableResult
    public func post(
        _ path: String, json: some Encodable & Sendable, query: Query = [:], headers: Headers = [:],
        options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send("POST", path, query, headers, options, .json(json))
    }

    /// Replaces what is there. Retried where that may help.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - body: What is sent, if anything.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    @discardableResult
    public func put(
        _ path: String, body: Body? = nil, query: Query = [:], headers: Headers = [:], options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send("PUT", path, query, headers, options, body)
    }

    /// Replaces what is there, by JSON. Retried where that may help.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - json: What is sent, encoded by the client's ``Configuration/encoder``.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``, of the kind ``GatewrightError/invalidRequest(_:)`` for what cannot be encoded; `CancellationError` where
    ///   the task was cancelled.
    @discardableResult
    public func put(
        _ path: String, json: some Encodable & Sendable, query: Query = [:], headers: Headers = [:],
        options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send("PUT", path, query, headers, options, .json(json))
    }

    /// Changes what is there. It carries an idempotency key, so that a retry takes effect once.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - body: What is sent, if anything.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    @discardableResult
    public func patch(
        _ path: String, body: Body? = nil, query: Query = [:], headers: Headers = [:], options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send("PATCH", path, query, headers, options, body)
    }

    /// Changes what is there, by JSON. It carries an idempotency key, so that a retry takes effect once.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - json: What is sent, encoded by the client's ``Configuration/encoder``.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``, of the kind ``GatewrightError/invalidRequest(_:)`` for what cannot be encoded; `CancellationError` where
    ///   the task was cancelled.
    @discardableResult
    public func patch(
        _ path: String, json: some Encodable & Sendable, query: Query = [:], headers: Headers = [:],
        options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send("PATCH", path, query, headers, options, .json(json))
    }

    /// Removes what is there. Retried where that may help.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - body: What is sent, if anything.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    @discardableResult
    public func delete(
        _ path: String, body: Body? = nil, query: Query = [:], headers: Headers = [:], options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send("DELETE", path, query, headers, options, body)
    }

    /// Makes any request. It is retried where its method, or an idempotency key, makes that safe.
    ///
    /// - Parameters:
    ///   - method: The method, such as `POST`.
    ///   - path: Joined to the base URL, such as `/contacts/1`.
    ///   - body: What is sent, if anything.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    @discardableResult
    public func request(
        _ method: String, _ path: String, body: Body? = nil, query: Query = [:], headers: Headers = [:],
        options: RequestOptions = RequestOptions()
    ) async throws -> Response {
        try await send(method, path, query, headers, options, body)
    }

    /// Makes a request whose answer is read piece by piece. Returns with the answer's head; only up to there it is retried.
    ///
    /// - Parameters:
    ///   - method: The method, such as `GET`.
    ///   - path: Joined to the base URL, such as `/export`.
    ///   - body: What is sent, if anything.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: What else differs from the client's settings.
    /// - Throws: ``GatewrightError``; `CancellationError` where the task was cancelled.
    public func stream(
        _ method: String, _ path: String, body: Body? = nil, query: Query = [:], headers: Headers = [:],
        options: RequestOptions = RequestOptions()
    ) async throws -> StreamResponse {
        try await begin(method, path, query, headers, options, body)
    }

    /// The pages of a list, by `Link: rel="next"` or by cursor. Each is a call of its own, made when the loop asks for it.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts`.
    ///   - query: Parameters of the first page.
    ///   - headers: Headers of each page.
    ///   - options: Where the list has its items and cursors.
    public func pages(
        _ path: String, query: Query = [:], headers: Headers = [:], options: PageOptions = PageOptions()
    ) -> Pages {
        Pages(request: ListRequest(client: self, path: path, query: query, headers: headers, options: options))
    }

    /// The items of all pages of a list, decoded by the client's ``Configuration/decoder``.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/contacts`.
    ///   - type: What an item is.
    ///   - query: Parameters of the first page.
    ///   - headers: Headers of each page.
    ///   - options: Where the list has its items and cursors.
    public func items<Item: Decodable & Sendable>(
        _ path: String, as type: Item.Type = Item.self, query: Query = [:], headers: Headers = [:],
        options: PageOptions = PageOptions()
    ) -> Items<Item> {
        Items(request: ListRequest(client: self, path: path, query: query, headers: headers, options: options))
    }

    /// The events of a stream of server-sent events. The connection is made when a loop begins, and made again where it breaks.
    ///
    /// - Parameters:
    ///   - path: Joined to the base URL, such as `/events`.
    ///   - method: The method. Only a GET is made again after it has begun.
    ///   - body: What is sent, if anything: neither a stream nor a file.
    ///   - query: Parameters beside those of the path.
    ///   - headers: Beside the client's own; one of the same name replaces it.
    ///   - options: Where the stream begins and when it counts as broken.
    public func events(
        _ path: String, method: String = "GET", body: Body? = nil, query: Query = [:], headers: Headers = [:],
        options: EventOptions = EventOptions()
    ) -> ServerEvents {
        ServerEvents(
            request: EventRequest(
                client: self, method: method, path: path, query: query, headers: headers, body: body, options: options))
    }
}
