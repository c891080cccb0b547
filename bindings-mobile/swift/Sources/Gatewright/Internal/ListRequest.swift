import Foundation
internal import GatewrightNative

/// What a list of pages is asked for.
struct ListRequest: Sendable {
    let client: Client
    let path: String
    let query: Query
    let headers: Headers
    let options: PageOptions

    /// A walk through its pages, from the first.
    func walk() -> List {
        List(client.callbacks) { list in
            client.native.pages(
                list: list, path: path, options: Options.json(query, headers, options), style: Options.style(options))
        } ask: { call, list in
            Native.port.nextPage(call: call, list: list)
        }
    }

    /// The next page of a walk.
    func page(of list: List) async throws -> Page? {
        guard case .answer(let status, let meta, let data) = try await list.next() else { return nil }
        let response = Response(status: status, data: data, meta: Meta(meta), decoder: client.decoder)
        return Page(response: response, path: options.items)
    }
}
