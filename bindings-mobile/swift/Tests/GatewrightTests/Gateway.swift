// The reference gateway as a process, and what a test asks of its admin port. One gateway for all tests, a session for each.

import Foundation
import Gatewright
import XCTest

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The key that most tests use.
let key = "sk_test_unlimited_acme"

/// A time limit within which a call gets to where it is to be cut off, on a busy machine, too.
let aWhile = Duration.seconds(3)

/// The gateway's process. It ends when its standard input is closed, and so with this process.
final class Gateway: Sendable {
    static let shared = Result { try Gateway() }

    let url: String
    let adminURL: String
    private let input = Pipe()

    private struct Ready: Decodable {
        let url: String
        let adminURL: String

        enum CodingKeys: String, CodingKey {
            case url
            case adminURL = "admin_url"
        }
    }

    private init() throws {
        guard let program = ProcessInfo.processInfo.environment["GATEWRIGHT_GATEWAY"] else {
            throw Broken("GATEWRIGHT_GATEWAY must name the program gatewright-gateway")
        }
        let gateway = Process()
        gateway.executableURL = URL(fileURLWithPath: program)
        gateway.arguments = ["serve", "--port", "0", "--print-json", "--until-stdin-closes"]
        let output = Pipe()
        gateway.standardInput = input
        gateway.standardOutput = output
        try gateway.run()
        var line = Data()
        while !line.contains(UInt8(ascii: "\n")) {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty {
                throw Broken("the gateway ended before it was ready")
            }
            line += more
        }
        let ready = try JSONDecoder().decode(Ready.self, from: line)
        url = ready.url
        adminURL = ready.adminURL
    }
}

/// What a test cannot go on with.
struct Broken: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// One test's own world in the gateway.
struct Session: Sendable {
    let id = "swift-\(UUID().uuidString)"
    let url: String
    private let adminURL: String

    init() throws {
        let gateway = try Gateway.shared.get()
        url = gateway.url
        adminURL = gateway.adminURL
    }

    /// Settings of this session; retries do not wait unless told to.
    func configuration(_ change: (inout Configuration) -> Void = { _ in }) -> Configuration {
        var configuration = Configuration(auth: .bearer(key))
        configuration.retry = RetryPolicy(backoffBase: .milliseconds(1), backoffCap: .milliseconds(2))
        change(&configuration)
        configuration.headers["x-mock-session"] = id
        return configuration
    }

    /// A client of this session.
    func client(_ change: (inout Configuration) -> Void = { _ in }) throws -> Client {
        try Client(baseURL: url, configuration: configuration(change))
    }

    @discardableResult
    func admin(_ method: String, _ path: String, _ body: JSONValue? = nil, query: [String: String] = [:]) async throws -> JSONValue {
        var parts = URLComponents(string: "\(adminURL)/admin/\(path)")
        parts?.queryItems = [URLQueryItem(name: "session", value: id)] + query.map { URLQueryItem(name: $0, value: $1) }
        guard let url = parts?.url else { throw Broken("no URL: \(path)") }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.setValue("application/json", forHTTPHeaderField: "content-type")
        request.httpBody = try body.map { try JSONEncoder().encode($0) }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let status = (response as? HTTPURLResponse)?.statusCode, status < 300 else {
            throw Broken("\(method) \(url): \(String(decoding: data, as: UTF8.self))")
        }
        return data.isEmpty ? .null : try JSONDecoder().decode(JSONValue.self, from: data)
    }

    func faults(_ rules: JSONValue...) async throws {
        try await admin("PUT", "faults", ["rules": .array(rules)])
    }

    /// Plays these faults, one for each request of an operation.
    func script(_ op: String, _ faults: String...) async throws {
        try await self.faults(["match": ["op": .string(op)], "script": .array(faults.map { .string($0) })])
    }

    /// What came in, in order.
    func journal() async throws -> [JournalEntry] {
        try await admin("GET", "journal")["entries"]?.array?.map(JournalEntry.init) ?? []
    }

    func last() async throws -> JournalEntry {
        guard let last = try await journal().last else { throw Broken("nothing came in") }
        return last
    }

    /// A header's value in each request that came in.
    func header(_ name: String) async throws -> [String?] {
        try await journal().map { $0.headers[name] }
    }

    func effects(_ op: String = "contacts.create") async throws -> JSONValue {
        try await admin("GET", "effects", query: ["op": op])
    }

    /// Of how many calls the gateway has not sent the last byte. It counts those of tiers with limits.
    func inProgress() async throws -> Int {
        try await admin("GET", "limits")["tenants"]?.array?.reduce(0) { $0 + ($1["in_progress"]?.int ?? 0) } ?? 0
    }

    func set(_ options: JSONValue) async throws {
        try await admin("POST", "session", options)
    }
}

/// A request that came in.
struct JournalEntry: Sendable {
    let json: JSONValue

    var method: String { json["method"]?.string ?? "" }
    var path: String { json["path"]?.string ?? "" }
    var query: String { json["query"]?.string ?? "" }
    var body: Data { json["body_base64"]?.string.flatMap { Data(base64Encoded: $0) } ?? Data() }
    var bodyLength: Int { json["body_length"]?.int ?? 0 }
    var isBodyComplete: Bool { json["body_complete"]?.bool ?? false }
    var fault: String? { json["fault"]?.string }
    var connection: Int? { json["connection"]?.int }
    var headers: Headers {
        Headers((json["headers"]?.array ?? []).map { (name: $0[0]?.string ?? "", value: $0[1]?.string ?? "") })
    }
}

/// Who a key belongs to.
struct Whoami: Codable, Sendable, Equatable {
    let tenant: String
    let tier: String
}

/// A contact of the gateway.
struct Contact: Codable, Sendable, Equatable {
    var id: String?
    var name: String
    var externalID: String?

    enum CodingKeys: String, CodingKey {
        case id, name
        case externalID = "external_id"
    }
}

/// What `/v1/echo` answers.
struct Echo: Decodable, Sendable {
    let method: String
    let bodyBase64: String

    enum CodingKeys: String, CodingKey {
        case method
        case bodyBase64 = "body_base64"
    }

    var body: Data { Data(base64Encoded: bodyBase64) ?? Data() }
}

/// What `/v1/sink` answers.
struct Sunk: Decodable, Sendable {
    let bodyLength: Int
    let bodySHA256: String

    enum CodingKeys: String, CodingKey {
        case bodyLength = "body_length"
        case bodySHA256 = "body_sha256"
    }
}

/// Waits until something is so; what never is throws.
func until(_ what: String = "it", within limit: Duration = .seconds(30), _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        if ContinuousClock.now > deadline {
            throw Broken("\(what) never came to be")
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

extension Client {
    /// Waits until no call has a place any more; what leaks is never idle.
    func idle() async throws {
        try await until("an idle client") { state.limits.allSatisfy { $0.inFlight == 0 && $0.queued == 0 } }
    }

    var isBusy: Bool { state.limits.contains { $0.inFlight > 0 } }
}

/// The error that is thrown.
func thrown<Value>(_ run: () async throws -> Value) async throws -> any Error {
    let value: Value
    do {
        value = try await run()
    } catch {
        return error
    }
    throw Broken("nothing was thrown, but there is \(value)")
}

/// The failed call's error.
func failed<Value>(_ run: () async throws -> Value) async throws -> GatewrightError {
    let error = try await thrown(run)
    guard let failed = error as? GatewrightError else { throw error }
    return failed
}

/// Whether a text fits a regular expression.
func fits(_ text: String, _ pattern: String) throws -> Bool {
    try text.firstMatch(of: Regex(pattern)) != nil
}
