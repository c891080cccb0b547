// A secret goes onto the wire and nowhere else.

import Foundation
import Gatewright
import XCTest

final class SecretTests: XCTestCase {
    private static let canary = "canary-s3cret/+&="
    private static let spellings: [String] = {
        let encoded = canary.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? canary
        return [
            canary, encoded, canary.replacingOccurrences(of: "/", with: "\\/"), Data(canary.utf8).base64EncodedString(),
            Data("me:\(canary)".utf8).base64EncodedString(),
        ]
    }()

    private static let auths: [(String, Auth)] = [
        ("bearer", .bearer(canary)), ("basic", .basic(user: "me", password: canary)), ("a header", .apiKey(canary)),
        ("the query", .apiKey(canary, query: "sig")), ("a cookie", .apiKey(canary, cookie: "sid")),
        ("a callback", .token { Token(canary, expiresIn: .seconds(60)) }),
    ]

    /// Everything that Swift can show of something.
    private func shown(_ thing: Any) -> [String] {
        var dumped = ""
        dump(thing, to: &dumped)
        var texts = ["\(thing)", String(reflecting: thing), dumped, mirrored(Mirror(reflecting: thing))]
        if let error = thing as? any Error {
            texts += [error.localizedDescription, (error as NSError).description]
        }
        if let error = thing as? GatewrightError {
            texts += [
                error.timeline, error.message, error.what, String(decoding: error.body, as: UTF8.self),
                "\(String(describing: error.problem))",
                error.headers.map { $0.map { "\($0.name): \($0.value)" }.joined(separator: "\n") } ?? "", "\(error.attempts)",
                error.failureReason ?? "", error.recoverySuggestion ?? "", "\(error.failure)", "\(String(describing: error.cause))",
            ]
        }
        return texts
    }

    /// All that a debugger sees by walking mirrors.
    private func mirrored(_ mirror: Mirror, depth: Int = 0) -> String {
        guard depth < 8 else { return "" }
        return mirror.children.map { "\($0.label ?? ""): \($0.value)\n\(mirrored(Mirror(reflecting: $0.value), depth: depth + 1))" }
            .joined()
    }

    private func check(_ things: Any..., line: UInt = #line) {
        for thing in things {
            for text in shown(thing) {
                for spelling in SecretTests.spellings where text.contains(spelling) {
                    XCTFail(text, line: line)
                }
            }
        }
    }

    func testNoFailureShowsASecret() async throws {
        for (_, auth) in SecretTests.auths {
            let session = try Session()
            try await session.set(["auth": "off"])
            let seen = Collected<any Sendable>()
            let client = try session.client {
                $0.auth = auth
                $0.retry.maxAttempts = 2
                $0.beforeAttempt = { seen.add($0) }
                $0.afterAttempt = { seen.add($0) }
            }
            for fault in ["reset", "503", "401", "422", "short", "bad-chunk", "lost"] {
                let error = try await failed {
                    try await client.post("/v1/contacts", json: [String: String](), headers: ["x-mock-fault": fault])
                }
                check(error)
            }
            XCTAssertGreaterThan(seen.all.count, 14)
            seen.all.forEach { check($0) }
            for case let attempt as AttemptRequest in seen.all {
                check(attempt.headers.map { "\($0.name): \($0.value)" })
            }
            check(client, client.baseURL, client.state)
        }
    }

    func testNoAnswerThatEchoesASecretShowsItInAnError() async throws {
        for (_, auth) in SecretTests.auths {
            let session = try Session()
            try await session.set(["auth": "off"])
            try await session.script("contacts.create", "422;body=\"you sent \(SecretTests.canary)\"")
            let error = try await failed { try await session.client { $0.auth = auth }.post("/v1/contacts", json: [String: String]()) }
            check(error)
        }
    }

    func testNoSuccessShowsASecret() async throws {
        for (_, auth) in SecretTests.auths {
            let session = try Session()
            let client = try session.client {
                $0.auth = auth
                $0.throwOnError = false
            }
            let response = try await client.get("/v1/whoami", headers: ["x-mock-fault": "once:503"])
            check(response, response.url, response.attempts, response.timeline, response.headers.map(\.value))
            let stream = try await client.stream("GET", "/v1/whoami")
            check(stream, stream.url, stream.attempts, stream.body)
            stream.cancel()
            check(client.pages("/v1/contacts"), client.items("/v1/contacts", as: Contact.self))
        }
    }

    func testNoMistakeShowsASecret() async throws {
        for (_, auth) in SecretTests.auths {
            let mistakes: [(inout Configuration) -> Void] = [
                { $0.timeout = .seconds(0) }, { $0.headers = ["a b": "c"] }, { $0.quota = "lots" }, { $0.retry.maxAttempts = 0 },
            ]
            for mistake in mistakes {
                var configuration = Configuration(auth: auth)
                mistake(&configuration)
                check(configuration)
                XCTAssertThrowsError(try Client(baseURL: "https://h", configuration: configuration)) { check($0) }
            }
            var configuration = Configuration(auth: auth)
            configuration.retry = .none
            let client = try Client(baseURL: "http://127.0.0.1:1", configuration: configuration)
            check(try await failed { try await client.get("/x") })
        }
    }

    func testWhatCannotBeDecodedIsNotShown() async throws {
        enum Kind: String, Codable, Sendable { case known }
        struct Answer: Decodable { let kind: Kind }
        let body = "{\"kind\": \"\(SecretTests.canary)\"}"
        let server = try StubServer { _ in StubServer.json(body) }
        let error = try await failed { try await Client(baseURL: server.url).get("/token").decode(Answer.self) }
        guard case .decode(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.cause is DecodingError)
        XCTAssertTrue(failure.message.contains("a value that cannot be used at `kind`"), failure.message)
        for text in shown(error).dropLast() {
            XCTAssertFalse(text.contains("canary"), text)
        }
    }

    func testACredentialThatCannotBeIsRefusedWithoutBeingShown() throws {
        let canary = SecretTests.canary
        let auths: [Auth] = [
            .bearer("\(canary)\n"), .bearer("\(canary)\u{20AC}"), .apiKey("\(canary)\n"), .apiKey(canary, header: "a b"),
            .basic(user: "a:b", password: canary),
        ]
        for auth in auths {
            XCTAssertThrowsError(try Client(baseURL: "https://h", auth: auth)) { error in
                check(error)
                guard case GatewrightError.invalidConfig = error else { return XCTFail("\(error)") }
            }
        }
    }

    func testNoErrorShowsThePasswordOfAURL() throws {
        let password = SecretTests.spellings[1]
        for url in ["ftp://me:\(password)@h.example", "http://me:\(password)@h.example", "https://me:\(password)@h.example"] {
            XCTAssertThrowsError(try Client(baseURL: url)) { check($0) }
        }
        var configuration = Configuration()
        configuration.proxy = .url("http://me:\(password)@h example")
        check(configuration, configuration.proxy)
        XCTAssertThrowsError(try Client(baseURL: "https://h", configuration: configuration)) { check($0) }
    }

    func testSettingsAndBodiesShowNoSecret() {
        let canary = SecretTests.canary
        for (name, auth) in SecretTests.auths {
            var configuration = Configuration(auth: auth)
            configuration.headers = ["x-secret": canary]
            configuration.proxy = .url("http://me:\(canary)@proxy")
            configuration.caCertificates = canary
            check(auth, configuration, configuration.headers, Token(canary), Token(canary, expiresIn: .seconds(5)))
            XCTAssertTrue("\(auth)".hasPrefix("Auth."), name)
        }
        check(
            Body.text(canary), Body.json(["a": canary]), Body.form(["a": canary]), Body.data(Data(canary.utf8)),
            Body.Part.field("a", canary), Query(["a": canary]), ["x": canary] as Headers)
    }

    func testAWebhookShowsNoSecret() throws {
        let secret = try Webhook.generateSecret()
        let webhook = try Webhook(secret: secret)
        let headers = try webhook.sign("{}", messageID: "m")
        let verified = try webhook.verify("{}", headers: headers)
        let key = secret.dropFirst("whsec_".count).prefix(8)
        var things: [Any] = [webhook, verified, webhook.explain("x", headers: headers)]
        XCTAssertThrowsError(try webhook.verify("{}!", headers: headers)) { things.append($0) }
        XCTAssertThrowsError(try Webhook(secret: "\(secret)%")) { things.append($0) }
        for text in things.flatMap(shown) {
            XCTAssertFalse(text.contains(key), text)
        }
    }
}
