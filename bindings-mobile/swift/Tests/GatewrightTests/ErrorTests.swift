// Which error says what, and how it looks.

import Foundation
@testable import Gatewright
import XCTest

final class ErrorTests: XCTestCase {
    /// The case's name, such as `rateLimited`.
    private func name(_ error: GatewrightError) -> String {
        // Not by reflection, which is our own: by the case that a `switch` sees.
        switch error {
        case .authentication: "authentication"
        case .badRequest: "badRequest"
        case .circuitOpen: "circuitOpen"
        case .closed: "closed"
        case .conflict: "conflict"
        case .connect: "connect"
        case .connectionLost: "connectionLost"
        case .crossOrigin: "crossOrigin"
        case .decode: "decode"
        case .hook: "hook"
        case .insecureURL: "insecureURL"
        case .invalidConfig: "invalidConfig"
        case .invalidRequest: "invalidRequest"
        case .notCached: "notCached"
        case .notFound: "notFound"
        case .outcomeUnknown: "outcomeUnknown"
        case .permissionDenied: "permissionDenied"
        case .preconditionFailed: "preconditionFailed"
        case .protocol: "protocol"
        case .rateLimited: "rateLimited"
        case .redirect: "redirect"
        case .responseTooLarge: "responseTooLarge"
        case .server: "server"
        case .timeout: "timeout"
        case .tls: "tls"
        case .token: "token"
        case .unprocessable: "unprocessable"
        case .unknown: "unknown"
        }
    }

    func testEveryCodeHasACaseOfItsOwn() {
        let codes = GatewrightError.codes
        XCTAssertGreaterThanOrEqual(codes.count, 25)
        for code in codes {
            let words = code.split(separator: "_").map(String.init)
            let camel = words[0] + words.dropFirst().map { $0 == "url" ? "URL" : $0.capitalized }.joined()
            let error = GatewrightError(Failure(code: code, what: "what happened", advice: "what to do", cause: nil))
            XCTAssertEqual(name(error), camel)
            XCTAssertEqual(error.code, code)
            XCTAssertEqual(error.message, "\(code): what happened; what to do")
        }
        let later = GatewrightError(Failure(code: "of_a_later_version", what: "w", advice: "a", cause: nil))
        XCTAssertEqual(name(later), "unknown")
        XCTAssertEqual(later.code, "of_a_later_version")
    }

    func testStatusesHaveTheirKinds() async throws {
        let statuses = [
            400: "badRequest", 401: "authentication", 402: "badRequest", 403: "permissionDenied", 404: "notFound", 408: "timeout",
            409: "conflict", 410: "notFound", 412: "preconditionFailed", 422: "unprocessable", 428: "preconditionFailed",
            429: "rateLimited", 500: "server", 503: "server",
        ]
        let session = try Session()
        let client = try session.client { $0.retry = .none }
        for (status, kind) in statuses {
            let error = try await failed { try await client.get("/v1/whoami", headers: ["x-mock-fault": String(status)]) }
            XCTAssertEqual(name(error), kind)
            XCTAssertEqual(error.status, status)
        }
    }

    func testAnErrorHasAllItsFacts() async throws {
        let session = try Session()
        let error = try await failed { try await session.client { $0.auth = .bearer("sk_wrong_key") }.get("/v1/whoami") }
        guard case .authentication(let failure) = error else { return XCTFail("\(error)") }
        let detail = try XCTUnwrap(failure.problem?["detail"]?.string)
        let id = try XCTUnwrap(failure.requestID)
        let pattern =
            "^authentication: GET \(session.url)/v1/whoami was answered 401 Unauthorized: \(NSRegularExpression.escapedPattern(for: detail)) "
            + #"\(1 attempt, [\d.]+ m?s, request id \#(id)\); check the API key or token$"#
        XCTAssertTrue(try fits(failure.message, pattern), failure.message)
        XCTAssertEqual(failure.code, "authentication")
        XCTAssertEqual(failure.status, 401)
        XCTAssertEqual(failure.method, "GET")
        XCTAssertEqual(failure.url, "\(session.url)/v1/whoami")
        XCTAssertEqual(failure.requestID, failure.problem?["request_id"]?.string)
        XCTAssertEqual(failure.retryability, .permanent)
        XCTAssertEqual(failure.noRetry, "another attempt would not change it")
        XCTAssertEqual(failure.advice, "check the API key or token")
        XCTAssertNil(failure.retryAfter)
        XCTAssertNotNil(failure.headers?["www-authenticate"])
        XCTAssertEqual(try JSONDecoder().decode(JSONValue.self, from: failure.body)["code"], "invalid_api_key")
        XCTAssertEqual(failure.attempts.map(\.status), [401])
        XCTAssertEqual(failure.attempts.map(\.decision), [.giveUp])
        XCTAssertTrue(try fits(failure.timeline, #"#1 at [\d.]+ m?s: 401"#), failure.timeline)
        XCTAssertNil(failure.cause)
        XCTAssertGreaterThan(failure.elapsed, .zero)
        XCTAssertEqual(error.localizedDescription, failure.message)
        XCTAssertEqual(error.recoverySuggestion, failure.advice)
        XCTAssertEqual("\(error)", failure.message)
    }

    func testRetryAfterIsTold() async throws {
        let session = try Session()
        let error = try await failed { try await session.client().get("/v1/whoami", headers: ["x-mock-fault": "429;ra=120"]) }
        guard case .rateLimited(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertEqual(failure.retryAfter, .seconds(120))
        XCTAssertEqual(failure.attempts.count, 1)
    }

    func testARefusedConnectionIsRetriedAndThenTold() async throws {
        // A port on which nobody listens.
        var configuration = Configuration()
        configuration.retry = RetryPolicy(maxAttempts: 2, backoffBase: .milliseconds(1))
        let client = try Client(baseURL: "http://127.0.0.1:1", configuration: configuration)
        let error = try await failed { try await client.get("/x") }
        XCTAssertTrue(
            try fits(
                error.message,
                #"^connect: GET http://127\.0\.0\.1:\d+/x failed: no connection \(Connection refused \(os error \d+\)\) \(2 attempts, .*\); "#
                    + #"no other attempt: all attempts are used up; check the address, and that the server runs and can be reached$"#),
            error.message)
        guard case .connect = error else { return XCTFail("\(error)") }
        XCTAssertNil(error.status)
        XCTAssertNil(error.headers)
        XCTAssertNil(error.problem)
        XCTAssertEqual(error.body, Data())
        XCTAssertEqual(error.retryability, .exhausted)
    }

    func testFailuresOfTransportHaveKindsOfTheirOwn() async throws {
        let session = try Session()
        let client = try session.client {
            $0.retry = .none
            $0.idempotencyKeys = false
        }
        for (fault, kind) in ["garbage": "protocol", "reset": "connectionLost", "truncated-gzip": "decode"] {
            let error = try await failed { try await client.get("/v1/whoami", headers: ["x-mock-fault": fault]) }
            XCTAssertEqual(name(error), kind)
        }
        let lost = try await failed { try await client.post("/v1/contacts", json: Contact(name: "Ada"), headers: ["x-mock-fault": "lost"]) }
        guard case .outcomeUnknown(let failure) = lost else { return XCTFail("\(lost)") }
        XCTAssertTrue(failure.message.contains("look whether it took effect"), failure.message)
        var configuration = Configuration()
        configuration.retry = .none
        let https = session.url.replacingOccurrences(of: "http:", with: "https:")
        let tls = try await failed { try await Client(baseURL: https, configuration: configuration).get("/x") }
        XCTAssertEqual(name(tls), "tls")
    }

    func testRedirectsAndSizesThatGoAstrayHaveKindsOfTheirOwn() async throws {
        let session = try Session()
        let client = try session.client {
            $0.maxRedirects = 2
            $0.maxResponseBytes = 1000
        }
        let elsewhere = try await failed { try await client.get("/v1/redirect/302", query: ["to": "http://127.0.0.1:1/"]) }
        XCTAssertEqual(name(elsewhere), "crossOrigin")
        let again = "/v1/redirect/307?to=/v1/redirect/307?to=/v1/whoami"
        let round = try await failed { try await client.get("/v1/redirect/307", query: ["to": again]) }
        XCTAssertEqual(name(round), "redirect")
        let fitting = try await client.get("/v1/bytes/1000")
        XCTAssertTrue(fitting.isOK)
        let large = try await failed { try await client.get("/v1/bytes/1001") }
        XCTAssertEqual(name(large), "responseTooLarge")
        XCTAssertTrue(large.message.contains("raise `maxResponseBytes`"), large.message)
    }

    func testTimeoutsSayWhich() async throws {
        let session = try Session()
        let late = try await failed { try await session.client { $0.timeout = .milliseconds(50) }.get("/v1/delay/60000") }
        XCTAssertTrue(late.message.contains("its deadline was 50 ms"), late.message)
        let slow = try await failed {
            try await session.client {
                $0.attemptTimeout = .milliseconds(20)
                $0.retry.maxAttempts = 2
            }.get("/v1/delay/60000")
        }
        XCTAssertTrue(slow.message.contains("an attempt may take 20 ms"), slow.message)
        XCTAssertEqual(slow.attempts.count, 2)
    }

    func testWhatIsPrintedReadsWell() async throws {
        let session = try Session()
        let client = try session.client()
        let error = try await failed { try await client.get("/v1/contacts/ct_999999") }
        let pattern = #"^not_found: GET http.* was answered 404 Not Found: .*request id .*; check the path and the id$"#
        XCTAssertTrue(try fits("\(error)", pattern), "\(error)")
        var dumped = ""
        dump(error, to: &dumped)
        for member in ["- code: \"not_found\"", "- status: 404", "- advice: \"check the path and the id\"", "problem: "] {
            XCTAssertTrue(dumped.contains(member), dumped)
        }
        XCTAssertFalse(dumped.contains("\n  - retryAfter: nil"), dumped)
        try await session.script("contacts.get", "503", "503", "503")
        let retried = try await failed { try await client.get("/v1/contacts/ct_999999") }
        XCTAssertTrue(
            try fits("\(retried)", #"^server: GET .*\n  .*#1 at [\d.]+ m?s: 503 .*\n  .*#2 .*\n  .*#3 .*$"#), "\(retried)")
    }

    func testTheCauseIsShownWhenDebugging() async throws {
        struct NotToday: Error {}
        let client = try Session().client { $0.beforeAttempt = { _ in throw NotToday() } }
        let error = try await failed { try await client.get("/v1/whoami") }
        XCTAssertTrue(error.cause is NotToday)
        XCTAssertTrue(String(reflecting: error).contains("\n  cause: "), String(reflecting: error))
        XCTAssertTrue(String(reflecting: error).contains("NotToday()"))
        XCTAssertFalse("\(error)".contains("cause:"))
    }
}
