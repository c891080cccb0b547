// Named credentials, tokens of OAuth 2, signatures.

import Foundation
import Gatewright
import XCTest

private let path = "/v1/contacts/ct_000001"

/// A client that gets its tokens of the session's authorization server.
private func client(_ session: Session, _ change: (inout OAuth) -> Void = { _ in }) throws -> Client {
    var oauth = OAuth(clientID: "test-client", tokenURL: "\(session.url)/oauth/generic~\(session.id)/token")
    oauth.clientSecret = "test-secret"
    change(&oauth)
    return try session.client { $0.auth = .oauth(oauth) }
}

private func ops(_ session: Session) async throws -> [String?] {
    try await session.journal().map { $0.json["op"]?.string }
}

final class CredentialTests: XCTestCase {
    func testACallGoesWithTheCredentialThatItNames() async throws {
        let session = try Session()
        let client = try session.client {
            $0.credentials = ["other": .bearer("sk_test_unlimited_globex"), "basic": .basic(user: "user", password: "password")]
            $0.throwOnError = false
        }
        for credential in [nil, .named("other"), .named("basic"), .anonymous] as [RequestCredential?] {
            _ = try await client.get(path, options: RequestOptions(credential: credential))
        }
        for try await _ in client.pages("/v1/contacts", options: PageOptions(credential: .named("other"))) { break }
        // The journal shows just their ends.
        let sent = try await session.header("authorization")
        XCTAssertEqual(sent, ["Bearer ***acme", "Bearer ***obex", "Basic ***", nil, "Bearer ***obex"])
    }

    func testACredentialThatThereIsNotIsRefused() async throws {
        let session = try Session()
        let client = try session.client { $0.credentials = ["one": .bearer("token")] }
        let error = try await failed { try await client.get(path, options: RequestOptions(credential: .named("two"))) }
        guard case .invalidRequest(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.message.contains("two"), failure.message)
        let sent = try await session.journal().count
        XCTAssertEqual(sent, 0)
    }

    func testATokenIsAskedForOnceAndRenewedWhereTheServerRefusesIt() async throws {
        let session = try Session()
        let client = try client(session) {
            $0.scopes = ["contacts:read"]
            $0.parameters = ["color": "blue"]
        }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 { group.addTask { try await client.get(path).status } }
            for try await status in group { XCTAssertEqual(status, 200) }
        }
        var seen = try await ops(session)
        XCTAssertEqual(seen, ["oauth.token", "contacts.get", "contacts.get", "contacts.get"])
        let form = String(decoding: try await session.journal()[0].body, as: UTF8.self)
        for part in ["grant_type=client_credentials", "scope=contacts%3Aread", "color=blue"] {
            XCTAssertTrue(form.contains(part), form)
        }
        try await session.script("contacts.get", "401")
        let again = try await client.get(path)
        XCTAssertEqual(again.attempts.count, 2)
        seen = try await ops(session)
        XCTAssertEqual(seen.filter { $0 == "oauth.token" }.count, 2)
    }

    func testWhatTheServerSaysIsInTheErrorAndNoSecretIs() async throws {
        let session = try Session()
        let client = try client(session) { $0.clientSecret = "not-the-secret" }
        let error = try await failed { try await client.get(path) }
        guard case .token(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.message.contains("invalid_client"), failure.message)
        var shown = ""
        dump(error, to: &shown)
        XCTAssertFalse("\(shown)\(error)".contains("not-the-secret"))
    }

    func testSecretsOfSettingsAreNeverShown() throws {
        var oauth = OAuth(clientID: "app", issuer: "https://as.example")
        oauth.clientSecret = "canary"
        oauth.refreshToken = "canary"
        oauth.dpopKey = "canary"
        let hmac = HMACSignature(keyID: "key", secret: "canary")
        let http = HTTPSignature(keyID: "key", key: "canary")
        let auths: [Auth] = [.oauth(oauth), .hmac(hmac), .httpSignature(http), .dpop(token: "canary", key: "canary")]
        for value in [oauth, hmac, http] + auths + auths.map({ $0.signed(by: hmac) }) as [Any] {
            var shown = "\(value) \(String(reflecting: value))"
            dump(value, to: &shown)
            XCTAssertFalse(shown.contains("canary"), shown)
        }
    }

    func testASignatureIsMadeAnewForEachAttempt() async throws {
        let session = try Session()
        try await session.script("contacts.get", "503")
        let client = try session.client {
            var hmac = HMACSignature(keyID: "key", secret: "secret")
            hmac.encoding = .hex
            hmac.text = "{method}\n{path}\n{nonce}"
            hmac.headers = ["x-nonce": "{nonce}", "x-signature": "{key_id}:{signature}"]
            $0.auth = Auth.bearer(key).signed(by: hmac)
        }
        _ = try await client.get(path)
        let signatures = try await session.header("x-signature")
        XCTAssertEqual(signatures.count, 2)
        XCTAssertEqual(Set(signatures).count, 2)
        for signature in signatures {
            XCTAssertTrue(try fits(signature ?? "", "^key:[0-9a-f]{64}$"))
        }
        let credentials = try await session.header("authorization")
        XCTAssertEqual(credentials, ["Bearer ***acme", "Bearer ***acme"])
    }

    func testAMessageSignatureGoesBesideACredential() async throws {
        let session = try Session()
        let client = try session.client {
            var http = HTTPSignature(keyID: "key", key: try! SigningKey.generateP256())
            http.components = ["@method", "@path"]
            http.label = "mine"
            $0.auth = Auth.bearer(key).signed(by: http)
        }
        _ = try await client.get(path)
        let last = try await session.last()
        XCTAssertTrue(try fits(last.headers["signature-input"] ?? "", #"^mine=\("@method" "@path"\);.*keyid="key""#))
        XCTAssertTrue(last.headers["signature"]?.hasPrefix("mine=:") ?? false)
    }

    func testWhatCannotBeIsRefusedWhenTheClientIsMade() async throws {
        var plain = OAuth(clientID: "id", tokenURL: "http://auth.example.com/token")
        plain.clientSecret = "canary"
        let wrong: [(Auth, String)] = [
            (.oauth(plain), "`tokenURL` must be https"), (.oauth(OAuth(clientID: "", issuer: "https://as.example")), "`clientID`"),
            (.hmac(HMACSignature(keyID: "k", secret: "")), "secret"), (.dpop(token: "canary", key: "canary"), "key"),
        ]
        for (auth, name) in wrong {
            let error = try await failed { try Client(baseURL: "https://api.example.com", auth: auth) }
            guard case .invalidConfig(let failure) = error else { return XCTFail("\(error)") }
            XCTAssertTrue(failure.message.contains(name), failure.message)
            XCTAssertFalse(failure.message.contains("canary"), failure.message)
        }
    }
}
