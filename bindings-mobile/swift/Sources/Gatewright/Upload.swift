import Foundation

/// How an upload goes, and what else may be said of its requests. What is `nil` is as the client has it.
public struct UploadOptions: Sendable, Hashable {
    /// The size of a piece in bytes, above zero; one is held in memory. The server's own limits win. Default 8 MiB.
    public var chunkSize: Int?
    /// Goes on with an earlier upload, from its ``UploadPosition/location``. The body must be the same. Default: begins a new one.
    public var resume: String?
    /// The server is known to speak the draft: it is not asked. One that does not would take the empty first request for the upload. Default false.
    public var assumeResumable: Bool
    /// For each request, not counting the time in which its body goes out fast enough.
    public var timeout: Timeout?
    /// From sending an attempt to its response head, not counting that time either.
    public var attemptTimeout: Timeout?
    /// Attempts in all, for each request; and breaks in a row that brought nothing.
    public var maxAttempts: Int?
    /// Of the request that makes the upload, in place of one made up.
    public var idempotencyKey: String?
    /// The least that it has to achieve. Default: the client's, else 1 KiB/s over 20 s.
    public var minThroughput: MinThroughput?
    /// The trace that the upload belongs to.
    public var traceContext: TraceContext?
    /// The path with names in place of its variable parts, such as `/contacts/{id}`, for ``Configuration/observer``. It is not sent.
    public var urlTemplate: String?

    /// Options of an upload; what is left out has its default.
    public init(
        chunkSize: Int? = nil,
        resume: String? = nil,
        assumeResumable: Bool = false,
        timeout: Timeout? = nil,
        attemptTimeout: Timeout? = nil,
        maxAttempts: Int? = nil,
        idempotencyKey: String? = nil,
        minThroughput: MinThroughput? = nil,
        traceContext: TraceContext? = nil,
        urlTemplate: String? = nil
    ) {
        self.chunkSize = chunkSize
        self.resume = resume
        self.assumeResumable = assumeResumable
        self.timeout = timeout
        self.attemptTimeout = attemptTimeout
        self.maxAttempts = maxAttempts
        self.idempotencyKey = idempotencyKey
        self.minThroughput = minThroughput
        self.traceContext = traceContext
        self.urlTemplate = urlTemplate
    }
}

/// How far an upload is: what its progress tells, and where it can be gone on with after an error.
public struct UploadPosition: Sendable, Hashable {
    /// Where it can be gone on with (``UploadOptions/resume``), once it was created. Not for logs: whoever has it can write there.
    public let location: String?
    /// The bytes that the server has acknowledged.
    public let offset: Int
    /// The bytes in all, where that is known.
    public let length: Int?

    init(json: JSONValue) {
        location = json["location"]?.string
        offset = json["offset"]?.int ?? 0
        length = json["length"]?.int
    }
}

/// An upload that is complete; see ``Client/upload(_:body:method:query:headers:options:progress:)``.
public struct Uploaded: Sendable {
    /// What the server answered in the end; its attempts and its time are those of all requests. Where that answer was lost, it is the one to the
    /// question how far the server is, which has no body.
    public let response: Response
    /// Whether it went piece by piece; else it went in one request, since the server does not speak the draft.
    public let isResumable: Bool
    /// Whether the final answer was lost: the server said later that it has all of it.
    public let isAnswerLost: Bool

    init(response: Response) {
        let told = response.meta.value
        self.response = response
        isResumable = told["resumable"]?.bool ?? false
        isAnswerLost = told["answerLost"]?.bool ?? false
    }

    /// What was done, attempt by attempt, over all requests.
    public var attempts: [Attempt] { response.attempts }

    /// From the start of the upload to its end.
    public var elapsed: Duration { response.elapsed }
}

extension UploadPosition: CustomStringConvertible, CustomReflectable {
    /// How far it is, without the location.
    public var description: String { "UploadPosition(\(offset) of \(length.map(String.init) ?? "unknown") bytes)" }

    /// How far it is, without the location.
    public var customMirror: Mirror {
        Mirror(self, children: ["offset": offset, "length": length as Any])
    }
}

extension UploadOptions: CustomStringConvertible, CustomReflectable {
    /// The type's name: a location is not for logs.
    public var description: String { "UploadOptions" }

    /// Without the location.
    public var customMirror: Mirror {
        Mirror(self, children: ["chunkSize": chunkSize as Any, "resumes": resume != nil, "assumeResumable": assumeResumable])
    }
}

extension Uploaded: CustomStringConvertible, CustomReflectable {
    /// The answer, and how it went.
    public var description: String { "Uploaded(\(response), isResumable: \(isResumable))" }

    /// The answer, and how it went.
    public var customMirror: Mirror {
        Mirror(self, children: ["response": response, "isResumable": isResumable, "isAnswerLost": isAnswerLost])
    }
}
