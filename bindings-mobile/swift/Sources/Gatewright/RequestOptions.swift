/// What may be said of one call beside its query, headers and body. What is `nil` is as the client has it.
public struct RequestOptions: Sendable, Hashable {
    /// For the whole call.
    public var timeout: Timeout?
    /// From sending an attempt to its response head.
    public var attemptTimeout: Timeout?
    /// Attempts in all.
    public var maxAttempts: Int?
    /// In place of one made up.
    public var idempotencyKey: String?
    /// Whether an error status is thrown.
    public var throwOnError: Bool?
    /// How the call uses the client's cache.
    public var cache: CacheMode?
    /// When a second copy is sent, where the method is GET, HEAD or OPTIONS and the answer is read whole.
    public var hedge: Hedge?
    /// Which of the client's credentials it carries.
    public var credential: RequestCredential?
    /// The least that its bodies have to achieve, in both directions; ``MinThroughput/off`` for nothing.
    public var minThroughput: MinThroughput?
    /// The trace that the call belongs to. Default: none, and no `traceparent` is sent.
    public var traceContext: TraceContext?
    /// The path with names in place of its variable parts, such as `/contacts/{id}`, for ``Configuration/observer``. It is not sent.
    public var urlTemplate: String?

    /// Options; what is left out is as the client has it.
    public init(
        timeout: Timeout? = nil,
        attemptTimeout: Timeout? = nil,
        maxAttempts: Int? = nil,
        idempotencyKey: String? = nil,
        throwOnError: Bool? = nil,
        cache: CacheMode? = nil,
        hedge: Hedge? = nil,
        credential: RequestCredential? = nil,
        minThroughput: MinThroughput? = nil,
        traceContext: TraceContext? = nil,
        urlTemplate: String? = nil
    ) {
        self.timeout = timeout
        self.attemptTimeout = attemptTimeout
        self.maxAttempts = maxAttempts
        self.idempotencyKey = idempotencyKey
        self.throwOnError = throwOnError
        self.cache = cache
        self.hedge = hedge
        self.credential = credential
        self.minThroughput = minThroughput
        self.traceContext = traceContext
        self.urlTemplate = urlTemplate
    }
}

/// Where a list has its items and cursors, and what else may be said of its calls.
///
/// The next page is found by `Link: rel="next"`, else by the body's cursor.
public struct PageOptions: Sendable, Hashable {
    /// The body's member with the items, dots for members of members; a body that is a list is its own items. Default `data`.
    public var items: String
    /// The body's member with the next cursor. Default `next_cursor`.
    public var cursor: String
    /// The query parameter that takes it. Default `cursor`.
    public var cursorParameter: String
    /// For each page.
    public var timeout: Timeout?
    /// From sending an attempt to its response head.
    public var attemptTimeout: Timeout?
    /// Attempts in all, for each page.
    public var maxAttempts: Int?
    /// How each page uses the client's cache.
    public var cache: CacheMode?
    /// When a second copy of a page's request is sent.
    public var hedge: Hedge?
    /// Which of the client's credentials each page carries.
    public var credential: RequestCredential?

    /// Options of a list; what is left out has its default.
    public init(
        items: String = "data",
        cursor: String = "next_cursor",
        cursorParameter: String = "cursor",
        timeout: Timeout? = nil,
        attemptTimeout: Timeout? = nil,
        maxAttempts: Int? = nil,
        cache: CacheMode? = nil,
        hedge: Hedge? = nil,
        credential: RequestCredential? = nil
    ) {
        self.items = items
        self.cursor = cursor
        self.cursorParameter = cursorParameter
        self.timeout = timeout
        self.attemptTimeout = attemptTimeout
        self.maxAttempts = maxAttempts
        self.cache = cache
        self.hedge = hedge
        self.credential = credential
    }
}
