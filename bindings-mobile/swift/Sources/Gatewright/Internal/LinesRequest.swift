import Foundation
internal import GatewrightNative

/// What a stream of JSON lines is asked for.
struct LinesRequest: Sendable {
    let client: Client
    let method: String
    let path: String
    let query: Query
    let headers: Headers
    let body: Body?
    let options: JSONLinesOptions
    /// Whether the lines are handed over as they are, as texts.
    let asText: Bool

    /// A walk through its values, from the first.
    func walk() -> List {
        List(client.callbacks, goesOnAfterErrors: true) { list in
            let encoded = try body?.encoded(by: client.encoder)
            if encoded?.source != nil {
                throw GatewrightError.invalidRequestHere("`body` is a stream or a file, which a stream of JSON lines cannot send")
            }
            client.native.jsonLines(
                list: list, method: method, path: path, options: Options.json(query, headers, options, encoded), body: encoded?.data,
                style: Options.style(options, asText: asText))
        } ask: { call, list in
            Native.port.nextEvents(call: call, list: list)
        }
    }

    /// The next values of a walk, as a JSON list.
    func batch(of list: List) async throws -> Data? {
        guard case .piece(let json) = try await list.next() else { return nil }
        return json
    }

    /// The values of a batch, each decoded by itself.
    static func values<Value: Decodable & Sendable>(
        of batch: Data, _ decoder: JSONDecoder
    ) throws -> [Result<Value, any Error>] {
        try decoder.decode([Attempted<Value>].self, from: batch).map(\.result)
    }

    /// The error of a value that is of another shape.
    static func undecodable(_ error: any Error, at number: Int) -> GatewrightError {
        let what = "value \(number) of the JSON lines cannot be decoded: \(DecodingFailure.text(error))"
        return .decode(Failure(code: "decode", what: what, advice: "look at that line; the next one can still be asked for", cause: error))
    }

    /// A value, or why it is none: so that one does not spoil the others.
    private struct Attempted<Value: Decodable>: Decodable {
        let result: Result<Value, any Error>

        init(from decoder: any Decoder) throws {
            // By a container, since what a decoder makes of dates and the like is its own.
            result = Result { try decoder.singleValueContainer().decode(Value.self) }
        }
    }
}
