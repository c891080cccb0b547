// The logins of OAuth, with the adapter as the user's browser.

import Foundation
import Gatewright

/// `{"mode": "login", "login": "authorization" | "device" | "revoke", "decision": "approve" | "deny"}`.
func login(_ client: Client, _ request: JSON) async throws -> JSON {
    let tokens: LoginTokens
    switch request.member("login")?.string {
    case "authorization":
        let login = try await client.beginLogin(redirectURI: "https://app.example/callback")
        let redirect: String
        if let tampered = request.member("redirect")?.string {
            redirect = tampered
        } else {
            redirect = try await browse(login.url)
        }
        tokens = try await login.finish(redirect)
    case "device":
        let login = try await client.beginDeviceLogin()
        try await decide(login.verificationURL, login.userCode, request.member("decision")?.string ?? "approve")
        tokens = try await login.wait()
    case "revoke":
        try await client.logOut()
        return ["ok": true]
    case let other:
        throw Unsupported("the login \(other ?? "without a name")")
    }
    return [
        "ok": true,
        "login": [
            "token_type": .string(tokens.tokenType), "scope": JSON(tokens.scope), "refresh_token": .bool(tokens.hasRefreshToken),
        ],
    ]
}

/// A client that does what a browser does with a page, but for redirects.
private func browser(_ url: String) throws -> Client {
    guard let parts = URLComponents(string: url), let scheme = parts.scheme, let host = parts.host else {
        throw Unsupported("a page that is no URL")
    }
    var configuration = Configuration()
    configuration.proxy = .none
    configuration.maxRedirects = 0
    configuration.idempotencyKeys = false
    let port = parts.port.map { ":\($0)" } ?? ""
    return try Client(baseURL: "\(scheme)://\(host)\(port)", configuration: configuration)
}

/// Where the server sends the browser that goes to `url`.
private func browse(_ url: String) async throws -> String {
    do {
        let answer = try await browser(url).get(url)
        guard let location = answer.headers["location"] else { throw Unsupported("an authorization endpoint that sends nobody back") }
        return location
    } catch let error as GatewrightError {
        throw Unsupported("\(error)")
    }
}

/// The user's decision on the page of a device login.
private func decide(_ page: String, _ code: String, _ decision: String) async throws {
    do {
        try await browser(page).post(page, body: .form(["user_code": code, "decision": decision]))
    } catch let error as GatewrightError {
        throw Unsupported("\(error)")
    }
}
