import Foundation
import Gatewright

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A client that is measured. `open` makes it, once for a process, and gives what makes one call.
struct Candidate: Sendable {
    let name: String
    let title: String
    let open: @Sendable (_ url: String) throws -> @Sendable () async throws -> Void
}

/// All of them. Each is made once and kept, as its documentation shows, with its defaults but for what keeps 64 calls at
/// once from waiting; each decodes with JSONDecoder.
let candidates = [
    Candidate(name: "gatewright", title: "gatewright 0.1.0") { try gatewright($0, path) },
    Candidate(name: "gatewright, RateLimit headers read", title: "gatewright, RateLimit headers read") {
        try gatewright($0, "/limited" + path)
    },
    Candidate(name: "URLSession", title: "URLSession (Foundation of Swift \(swiftVersion))", open: urlSession),
]

private func gatewright(_ url: String, _ path: String) throws -> @Sendable () async throws -> Void {
    let client = try Client(baseURL: url, auth: .bearer(key))
    return { try await client.get(path).decode(Contact.self).check() }
}

struct UnexpectedStatus: Error {
    let response: URLResponse
}

/// Of its defaults, 6 connections to a host are too few for 64 calls at once.
@Sendable private func urlSession(_ url: String) throws -> @Sendable () async throws -> Void {
    let configuration = URLSessionConfiguration.default
    configuration.httpMaximumConnectionsPerHost = 64
    let session = URLSession(configuration: configuration)
    guard let contact = URL(string: url + path) else { throw URLError(.badURL) }
    return {
        var request = URLRequest(url: contact)
        request.setValue("Bearer " + key, forHTTPHeaderField: "Authorization")
        let (data, response) = try await session.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { throw UnexpectedStatus(response: response) }
        try JSONDecoder().decode(Contact.self, from: data).check()
    }
}

#if swift(>=6.4)
    private let swiftVersion = "6.4 or later"
#elseif swift(>=6.3)
    private let swiftVersion = "6.3"
#elseif swift(>=6.2)
    private let swiftVersion = "6.2"
#elseif swift(>=6.1)
    private let swiftVersion = "6.1"
#else
    private let swiftVersion = "6.0"
#endif
