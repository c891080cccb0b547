import Foundation
internal import GatewrightNative

/// What a stream of events is asked for.
struct EventRequest: Sendable {
    let client: Client
    let method: String
    let path: String
    let query: Query
    let headers: Headers
    let body: Body?
    let options: EventOptions

    /// A walk through its events, from the first, or from the one after ``EventOptions/lastEventID``.
    func walk() -> List {
        List(client.callbacks) { list in
            let encoded = try body?.encoded(by: client.encoder)
            if encoded?.source != nil {
                throw GatewrightError.invalidRequestHere("`body` is a stream or a file, which a stream of events cannot send again")
            }
            client.native.events(
                list: list, method: method, path: path, options: Options.json(query, headers, options, encoded), body: encoded?.data,
                style: Options.style(options))
        } ask: { call, list in
            Native.port.nextEvents(call: call, list: list)
        }
    }

    /// The next events of a walk.
    func events(of list: List) async throws -> [ServerEvent]? {
        guard case .piece(let json) = try await list.next() else { return nil }
        return JSONReader.read([UInt8](json)).array?.map { ServerEvent(json: $0, decoder: client.decoder) }
    }
}
