// Logins by a browser and on another device, logging out, and token stores of a program's own.

import Foundation
import Gatewright
import XCTest

private let path = "/v1/contacts/ct_000001"

/// A store as a program has one, which counts what it is asked.
private actor Store: TokenStore {
    private(set) var tokens: String?
    private(set) var asked: [String] = []
    private var isLocked = false
    private let failure: String?

    init(failure: String? = nil) { self.failure = failure }

    func load() async throws -> String? {
        if let failure { throw Broken(failure) }
        return tokens
    }

    func save(_ tokens: String) async throws {
        asked.append("save")
        XCTAssertTrue(isLocked)
        self.tokens = tokens
    }

    func clear() async throws {
        asked.append("clear")
        tokens = nil
    }

    func lock() async throws -> Bool {
        defer { isLocked = true }
        return !isLocked
    }

    func unlock() async {
        asked.append("unlock")
        isLocked = false
    }
}

/// A client for whom somebody logs in at the session's authorization server.
private func client(_ session: Session, _ storage: OAuth.Storage = .memory) throws -> Client {
    var oauth = OAuth(clientID: "public-client", issuer: "\(session.url)/oauth/generic~\(session.id)")
    oauth.scopes = ["contacts:read"]
    oauth.storage = storage
    return try session.client { $0.auth = .oauth(oauth) }
}

/// Where the server sends the browser that goes to `url`.
private func browse(_ session: Session, _ url: String) async throws -> String {
    let browser = try session.client {
        $0.auth = .none
        $0.maxRedirects = 0
    }
    let answer = try await browser.get(url)
    return answer.headers["location"] ?? ""
}

final class LoginTests: XCTestCase {
    func testALoginBringsTokensForTheClientAndForItsStore() async throws {
        let (session, store) = (try Session(), Store())
        let client = try client(session, .store(store))
        let login = try await client.beginLogin(redirectURI: "https://app.example/callback")
        XCTAssertTrue(login.url.contains("code_challenge_method=S256"), login.url)
        XCTAssertFalse("\(login)".contains("state"))
        let redirect = try await browse(session, login.url)
        XCTAssertTrue(redirect.hasPrefix("https://app.example/callback?"), redirect)
        let tokens = try await login.finish(redirect)
        XCTAssertEqual(tokens.tokenType, "Bearer")
        XCTAssertTrue(tokens.hasRefreshToken)
        let answer = try await client.get(path)
        XCTAssertEqual(answer.status, 200)
        let stored = await store.tokens ?? ""
        XCTAssertTrue(stored.contains("\"refresh_token\""))
        try await until("the lock to be given back") { await store.asked == ["save", "unlock"] }
        // The next run begins with what is stored.
        let next = try await self.next(session, store).get(path)
        XCTAssertEqual(next.status, 200)
        // A code is good for one use, and so is a login.
        let error = try await failed { try await login.finish(redirect) }
        guard case .closed = error else { return XCTFail("\(error)") }
    }

    private func next(_ session: Session, _ store: Store) throws -> Client {
        try client(session, .store(store))
    }

    func testWhoLogsOutIsLoggedOut() async throws {
        let (session, store) = (try Session(), Store())
        let client = try client(session, .store(store))
        let login = try await client.beginLogin(redirectURI: "https://app.example/callback")
        try await login.finish(try await browse(session, login.url))
        try await client.logOut()
        let stored = await store.tokens
        XCTAssertNil(stored)
        let last = try await session.last()
        XCTAssertEqual(last.json["op"]?.string, "oauth.revoke")
    }

    func testARedirectOfAnotherLoginIsRefused() async throws {
        let session = try Session()
        let client = try client(session)
        let login = try await client.beginLogin(redirectURI: "https://app.example/callback")
        let error = try await failed { try await login.finish("https://app.example/callback?code=canary&state=other") }
        guard case .token(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertFalse(failure.message.contains("canary"), failure.message)
    }

    func testADeviceThatIsGivenUpEndsItsLogin() async throws {
        let session = try Session()
        let client = try client(session)
        let login = try await client.beginDeviceLogin()
        XCTAssertFalse(login.userCode.isEmpty)
        XCTAssertTrue(login.verificationURL.hasPrefix(session.url), login.verificationURL)
        let waiting = Task { try await login.wait() }
        waiting.cancel()
        let error = try await thrown { try await waiting.value }
        XCTAssertTrue(error is CancellationError, "\(error)")
    }

    func testWithoutALoginNothingIsSentAndWithoutOAuthThereIsNone() async throws {
        let session = try Session()
        let client = try client(session)
        let error = try await failed { try await client.get(path) }
        guard case .token = error else { return XCTFail("\(error)") }
        let plain = try session.client()
        for credential in [nil, "other"] {
            let refused = try await failed { try await plain.beginDeviceLogin(credential: credential) }
            guard case .invalidRequest = refused else { return XCTFail("\(refused)") }
        }
        plain.close()
        let closed = try await failed { try await plain.logOut() }
        guard case .closed = closed else { return XCTFail("\(closed)") }
        let sent = try await session.journal().count
        XCTAssertEqual(sent, 0)
    }

    func testAStoreThatFailsIsToldOf() async throws {
        let session = try Session()
        let client = try client(session, .store(Store(failure: "the keychain is locked")))
        let error = try await failed { try await client.get(path) }
        guard case .token(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.message.contains("the keychain is locked"), failure.message)
    }

    func testTokensAreKeptInAFile() async throws {
        let session = try Session()
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("gatewright-\(session.id).json").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let client = try client(session, .file(file))
        let login = try await client.beginLogin(redirectURI: "https://app.example/callback")
        try await login.finish(try await browse(session, login.url))
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        XCTAssertEqual(mode, 0o600)
    }
}
