import Foundation
internal import GatewrightNative

/// What a list is asked for.
struct ListRequest: Sendable {
    let client: Client
    let path: String
    let query: Query
    let headers: Headers
    let options: PageOptions
}

/// One walk through a list: for one loop, which asks for one page after the other.
final class List: Sendable {
    private enum State: Sendable {
        case new
        case begun(UInt32)
        case over
    }

    private let request: ListRequest
    private let state = Locked(State.new)

    init(_ request: ListRequest) {
        self.request = request
    }

    deinit {
        end()
    }

    func next() async throws -> Page? {
        guard let list = begin() else { return nil }
        do {
            let call = Calls.nextNumber()
            let outcome = try await Calls.wait(call, request.client.callbacks) { Native.port.nextPage(call: call, list: list) }
            if case .answer(let status, let meta, let data) = outcome {
                let response = Response(status: status, data: data, meta: Meta(meta), decoder: request.client.decoder)
                return Page(response: response, path: request.options.items)
            }
            end()
            return nil
        } catch {
            end()
            throw error
        }
    }

    /// The list's number, made with the first page; nothing where it is over.
    private func begin() -> UInt32? {
        switch state.withLock({ $0 }) {
        case .over:
            return nil
        case .begun(let list):
            return list
        case .new:
            let list = Calls.nextNumber()
            let options = request.options
            request.client.native.pages(
                list: list, path: request.path, options: Options.json(request.query, request.headers, options),
                style: Options.style(options))
            state.withLock { $0 = .begun(list) }
            return list
        }
    }

    private func end() {
        let before = state.withLock { state in
            defer { state = .over }
            return state
        }
        if case .begun(let list) = before {
            Native.port.dropPages(list: list)
        }
    }
}
