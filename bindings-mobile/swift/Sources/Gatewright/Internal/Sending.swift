import Foundation
internal import GatewrightNative

// How requests begin, and what comes of them.

extension Client {
    /// Sends a request and reads its answer whole.
    func send(
        _ method: String, _ path: String, _ query: Query, _ headers: Headers, _ options: RequestOptions, _ body: Body? = nil
    ) async throws -> Response {
        let outcome = try await begin(method, path, mode: 0, query, headers, options, body).outcome
        guard case .answer(let status, let meta, let data) = outcome else {
            throw GatewrightError.closedHere("the call came to no answer", advice: "please report this as a bug of Gatewright")
        }
        return Response(status: status, data: data, meta: Meta(meta), decoder: decoder)
    }

    /// Sends a request and returns with its answer's head.
    func begin(
        _ method: String, _ path: String, _ query: Query, _ headers: Headers, _ options: RequestOptions, _ body: Body?
    ) async throws -> StreamResponse {
        let (call, outcome) = try await begin(method, path, mode: 1, query, headers, options, body)
        guard case .head(let status, let meta) = outcome else {
            throw GatewrightError.closedHere("the call came to no answer", advice: "please report this as a bug of Gatewright")
        }
        let body = ByteStream(incoming: Incoming(call: call, callbacks: callbacks))
        return StreamResponse(status: status, body: body, meta: Meta(meta), decoder: decoder)
    }

    func begin(
        _ method: String, _ path: String, mode: UInt32, _ query: Query, _ headers: Headers, _ options: RequestOptions, _ body: Body?
    ) async throws -> (call: UInt32, outcome: Outcome) {
        let encoded = try body?.encoded(by: encoder)
        let json = Options.json(query, headers, options, encoded)
        let call = Calls.nextNumber()
        if let source = encoded?.source {
            try Uploads.keep(call, source)
        }
        let native = native
        let outcome = try await Calls.wait(call, callbacks) {
            native.start(call: call, method: method, path: path, mode: mode, options: json, body: encoded?.data)
        }
        return (call, outcome)
    }
}
