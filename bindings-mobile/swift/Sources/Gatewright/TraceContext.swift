/// The place of a call in a distributed trace (W3C Trace Context). Each attempt of the call is a span of its own in it: `traceparent` has a new
/// span id, `tracestate` goes along as it is. Neither is sent to another origin.
///
/// ```swift no-run
/// let trace = TraceContext(traceparent: incoming.headers["traceparent"] ?? "")
/// try await client.get("/contacts/1", options: RequestOptions(traceContext: trace))
/// ```
public struct TraceContext: Sendable, Hashable {
    /// `00-` with 32 hex digits of the trace's id, 16 of the caller's span, and 2 of flags. Anything else is a
    /// ``GatewrightError/invalidRequest(_:)`` of the call, before anything is sent.
    public var traceparent: String
    /// What tracing systems say of it to themselves. One that cannot be a header, or is longer than 4096 bytes, is left out. Default: nothing.
    public var tracestate: String?

    /// A place in a trace, from the headers of the request that is being worked on.
    public init(traceparent: String, tracestate: String? = nil) {
        self.traceparent = traceparent
        self.tracestate = tracestate
    }

    var json: String {
        var json = JSONWriter()
        json.member("traceparent", traceparent)
        if let tracestate {
            json.member("tracestate", tracestate)
        }
        return json.object ?? "{}"
    }
}
