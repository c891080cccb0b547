// What is wrong with a client or a request is said before anything is sent, and where.

import Foundation
import Gatewright
import XCTest

final class WrongInputTests: XCTestCase {
    func testAClientThatCannotBeIsRefused() throws {
        typealias Change = (inout Configuration) -> Void
        let https = "https://h"
        let wrong: [(String, String, Change)] = [
            ("not a url", "`baseURL` is no URL", { _ in }),
            ("ftp://example.com", "`baseURL` has the scheme \"ftp\"; it must be https (or http)", { _ in }),
            ("", "`baseURL`", { _ in }),
            (https, "`timeout` is 0", { $0.timeout = .seconds(0) }),
            (https, "`readTimeout` is -1", { $0.readTimeout = .milliseconds(-1) }),
            (https, "`attemptTimeout`", { $0.attemptTimeout = .seconds(-0.5) }),
            (https, "`connectTimeout` is 0", { $0.connectTimeout = .after(.zero) }),
            (https, "`auth`: the credential is empty", { $0.auth = .bearer("") }),
            (https, "`auth`: the credential has a character that no HTTP header can carry", { $0.auth = .bearer("line\nbreak") }),
            (https, "the value of the header x-a has a character that no header can carry", { $0.headers = ["x-a": "line\nbreak"] }),
            (https, "\"a b\" is no header name", { $0.headers = ["a b": "c"] }),
            (https, "`retry.maxAttempts` is 0; it must be a whole number from 1", { $0.retry.maxAttempts = 0 }),
            (https, "`retry.maxAttempts` is -1; it must be a whole number from 1", { $0.retry.maxAttempts = -1 }),
            (https, "`retry.backoffBase` is -1", { $0.retry.backoffBase = .milliseconds(-1) }),
            (https, "`retry.budget` is -1", { $0.retry.budget = -1 }),
            (https, "`maxRedirects` is -1", { $0.maxRedirects = -1 }),
            (https, "`maxResponseBytes` is -1", { $0.maxResponseBytes = -1 }),
            (https, "`quota`: got \"lots\" when expecting calls, a slash and a time", { $0.quota = "lots" }),
            (https, "`proxy` is no proxy URL", { $0.proxy = .url("::") }),
            (https, "`pins`", { $0.pins = ["sha256/nope"] }),
            (https, "`caCertificates` cannot be read: there is no PEM certificate in it", { $0.caCertificates = "none" }),
        ]
        for (url, text, change) in wrong {
            var configuration = Configuration()
            change(&configuration)
            XCTAssertThrowsError(try Client(baseURL: url, configuration: configuration), text) { error in
                guard case GatewrightError.invalidConfig(let failure) = error else { return XCTFail("\(error)") }
                XCTAssertTrue(failure.message.hasPrefix("invalid_config: "), failure.message)
                XCTAssertTrue(failure.message.contains(text), "\(failure.message) without \(text)")
                XCTAssertEqual(failure.attempts, [])
            }
        }
        XCTAssertThrowsError(try Client(baseURL: "http://api.example.com")) { error in
            guard case GatewrightError.insecureURL(let failure) = error else { return XCTFail("\(error)") }
            XCTAssertTrue(failure.message.contains("`allowHTTP`"), failure.message)
        }
    }

    func testARequestThatCannotBeSentIsNotSent() async throws {
        let wrong: [(String, Body?, Headers, RequestOptions)] = [
            ("the value of the header x-a has a character that no header can carry", nil, ["x-a": "line\nbreak"], .init()),
            ("\"\" is no header name", nil, ["": "a"], .init()),
            ("the idempotency key is empty", nil, [:], .init(idempotencyKey: "")),
            ("`maxAttempts` is 0; it must be a whole number from 1", nil, [:], .init(maxAttempts: 0)),
            ("Unable to encode Double.nan directly in JSON at `a.[0]`; ", .json(["a": [Double.nan]]), [:], .init()),
            ("length", .stream(pieces(), length: -1), [:], .init()),
        ]
        let session = try Session()
        let client = try session.client()
        for (text, body, headers, options) in wrong {
            let error = try await failed { try await client.post("/v1/echo", body: body, headers: headers, options: options) }
            guard case .invalidRequest(let failure) = error else {
                XCTFail("\(error)")
                continue
            }
            XCTAssertTrue(failure.message.hasPrefix("invalid_request: "), failure.message)
            XCTAssertTrue(failure.message.contains(text), "\(failure.message) without \(text)")
            XCTAssertTrue(failure.message.hasSuffix("change the request; nothing was sent"), failure.message)
            XCTAssertEqual(failure.attempts, [])
            if body == nil {
                let streamed = try await failed { try await client.stream("POST", "/v1/echo", headers: headers, options: options) }
                XCTAssertEqual(streamed.message, failure.message)
            }
        }
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 0)
    }

    func testATimeThatIsNoneIsRefusedForOneCallToo() async throws {
        let session = try Session()
        let client = try session.client()
        let none: [(String, RequestOptions)] = [
            ("`timeout` is 0", .init(timeout: .seconds(0))), ("`timeout` is NaN", .init(timeout: .seconds(.nan))),
            ("`timeout` is Infinity", .init(timeout: .seconds(.infinity))),
            ("`attemptTimeout` is -1", .init(attemptTimeout: .milliseconds(-1))),
            ("`timeout` is -1000", .init(timeout: .after(.seconds(-1)))),
        ]
        for (text, options) in none {
            let error = try await failed { try await client.get("/v1/echo", options: options) }
            XCTAssertTrue(error.message.contains(text), "\(error.message) without \(text)")
            XCTAssertEqual(error.attempts, [])
        }
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 0)
    }

    func testWhatCannotBeEncodedIsTheCause() async throws {
        struct Stubborn: Encodable, Sendable {
            struct NoJSON: Error {}
            func encode(to encoder: any Encoder) throws { throw NoJSON() }
        }
        let error = try await failed { try await Session().client().post("/v1/echo", json: Stubborn()) }
        guard case .invalidRequest(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.cause is Stubborn.NoJSON)
        let nan = try await failed { try await Session().client().post("/v1/echo", json: [Double.nan]) }
        XCTAssertTrue(nan.cause is EncodingError)
    }

    func testAPathThatLeadsNowhereGood() async throws {
        let session = try Session()
        let client = try session.client()
        for (path, code, text) in [
            ("/a\nb", "invalid_request", "the path has a control character"),
            ("https://elsewhere.example/x", "cross_origin", "the URL leads to https://elsewhere.example, not"),
            ("http://[::1", "invalid_request", "the URL is no URL"),
        ] {
            let error = try await failed { try await client.get(path) }
            XCTAssertEqual(error.code, code)
            XCTAssertTrue(error.message.contains(text), error.message)
        }
        let method = try await failed { try await client.request("GE T", "/v1/echo") }
        XCTAssertTrue(method.message.contains("\"GE T\" is no HTTP method"), method.message)
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 0)
    }
}
