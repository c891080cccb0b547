import Foundation
internal import GatewrightNative

/// A login by a browser that was begun: open ``url``, and end it with the URL with which the user comes back.
///
/// ```swift no-run
/// let login = try await client.beginLogin(redirectURI: "com.example.app:/callback")
/// let session = ASWebAuthenticationSession(url: URL(string: login.url)!, callbackURLScheme: "com.example.app") { … }
/// try await login.finish(callbackURL.absoluteString)
/// ```
///
/// It is authorization code with PKCE (S256), `state` and `iss` (RFC 6749, 7636, 9207, and 8252 for apps). A login that nobody holds any more is
/// forgotten.
public final class Login: Sendable {
    /// Where the user's browser goes. It is good for one login.
    public let url: String
    private let begun: BegunLogin

    init(_ begun: BegunLogin, _ json: JSONValue) {
        self.begun = begun
        url = json["url"]?.string ?? ""
    }

    /// Ends the login: the code in `redirect` is exchanged, and the tokens are kept in the credential's ``OAuth/storage``, from where the client
    /// takes them. A login can be ended once, whether that works or not.
    ///
    /// - Parameter redirect: The URL with which the user came back, as a whole.
    /// - Throws: ``GatewrightError/token(_:)`` where it is not that of this login, or where the user or the server refused;
    ///   ``GatewrightError/outcomeUnknown(_:)`` where the connection broke once the code was sent, which is not sent again.
    @discardableResult
    public func finish(_ redirect: String) async throws -> LoginTokens {
        try await begun.end(redirect)
    }
}

/// A login on another device that was begun (RFC 8628): show ``userCode`` and ``verificationURL``, then wait.
public final class DeviceLogin: Sendable {
    /// What the user types in there.
    public let userCode: String
    /// Where the user goes.
    public let verificationURL: String
    /// The same with the code in it, for a QR code.
    public let verificationURLComplete: String?
    /// How long the user has, from when it was begun.
    public let expiresIn: Duration
    private let begun: BegunLogin

    init(_ begun: BegunLogin, _ json: JSONValue) {
        self.begun = begun
        userCode = json["userCode"]?.string ?? ""
        verificationURL = json["verificationUri"]?.string ?? ""
        verificationURLComplete = json["verificationUriComplete"]?.string
        expiresIn = json["expiresInMs"]?.duration ?? .zero
    }

    /// Waits until the user has decided, and keeps the tokens in the credential's ``OAuth/storage``. The server is asked as often as it wants.
    /// Cancelling the task ends the login.
    ///
    /// - Throws: ``GatewrightError/token(_:)`` where the user refused, the code expired or the server refuses.
    @discardableResult
    public func wait() async throws -> LoginTokens {
        try await begun.end(nil)
    }
}

/// What is told of the tokens of a login. The tokens themselves stay in the credential's ``OAuth/storage``.
public struct LoginTokens: Sendable {
    /// `Bearer` or `DPoP`.
    public let tokenType: String
    /// The scopes, where the server told them.
    public let scope: String?
    /// How long the access token is good, where the server told it. It is renewed before that.
    public let expiresIn: Duration?
    /// Whether there is a refresh token: without one, somebody has to log in again when the access token expires.
    public let hasRefreshToken: Bool
    /// The ID token of OpenID Connect. Its signature is not checked: do not trust it for more than showing a name.
    public let idToken: String?
}

extension Client {
    /// Begins a login by a browser, for a credential of OAuth.
    ///
    /// - Parameters:
    ///   - redirectURI: Where the server sends the user back to, as it is registered there: a URL that your app receives.
    ///   - credential: The name of one in ``Configuration/credentials``. Default: the client's own.
    /// - Throws: ``GatewrightError/invalidConfig(_:)`` where the authorization endpoint is not known or has no PKCE,
    ///   ``GatewrightError/invalidRequest(_:)`` where the credential is not of OAuth, ``GatewrightError/token(_:)`` where the server's metadata cannot be
    ///   read.
    public func beginLogin(redirectURI: String, credential: String? = nil) async throws -> Login {
        let (begun, json) = try await begin("authorization", redirectURI: redirectURI, credential)
        return Login(begun, json)
    }

    /// Begins a login on another device, for a credential of OAuth.
    ///
    /// - Parameter credential: The name of one in ``Configuration/credentials``. Default: the client's own.
    /// - Throws: ``GatewrightError/invalidConfig(_:)`` where the endpoint is not known, ``GatewrightError/invalidRequest(_:)`` where the credential is
    ///   not of OAuth, ``GatewrightError/token(_:)`` where the server refuses or cannot be asked.
    public func beginDeviceLogin(credential: String? = nil) async throws -> DeviceLogin {
        let (begun, json) = try await begin("device", redirectURI: nil, credential)
        return DeviceLogin(begun, json)
    }

    /// Logs out: the tokens of a credential of OAuth are revoked (RFC 7009) and forgotten. They are forgotten even where the server cannot be
    /// asked.
    ///
    /// - Parameter credential: The name of one in ``Configuration/credentials``. Default: the client's own.
    /// - Throws: ``GatewrightError/token(_:)`` where the server refuses or cannot be asked, ``GatewrightError/invalidConfig(_:)`` where it has no
    ///   revocation endpoint.
    public func logOut(credential: String? = nil) async throws {
        let (call, native) = (Calls.nextNumber(), native)
        defer { Calls.finish(call) }
        _ = try await Calls.wait(call, callbacks) { native.logOut(call: call, credential: credential) }
    }

    private func begin(_ kind: String, redirectURI: String?, _ credential: String?) async throws -> (BegunLogin, JSONValue) {
        var json = JSONWriter()
        json.member("kind", kind)
        if let redirectURI {
            json.member("redirectUri", redirectURI)
        }
        if let credential {
            json.member("credential", credential)
        }
        let begun = BegunLogin(self)
        return (begun, try await begun.begin(json.object ?? "{}"))
    }
}

/// A login on the Rust side, by its number. The client lives as long as it does.
final class BegunLogin: Sendable {
    private let client: Client
    private let number = Calls.nextNumber()

    init(_ client: Client) {
        self.client = client
    }

    deinit {
        client.native.dropLogin(login: number)
    }

    func begin(_ options: String) async throws -> JSONValue {
        let (native, number) = (client.native, number)
        return try await told { native.beginLogin(call: $0, login: number, options: options) }
    }

    func end(_ redirect: String?) async throws -> LoginTokens {
        let (native, number) = (client.native, number)
        let json = try await told { native.endLogin(call: $0, login: number, redirect: redirect) }
        return LoginTokens(json: json)
    }

    private func told(_ begin: (UInt32) -> Void) async throws -> JSONValue {
        let call = Calls.nextNumber()
        defer { Calls.finish(call) }
        let outcome = try await Calls.wait(call, client.callbacks) { begin(call) }
        guard case .piece(let json) = outcome else {
            throw GatewrightError.closedHere("the login came to nothing", advice: "please report this as a bug of Gatewright")
        }
        return JSONReader.read(Array(json))
    }
}

extension LoginTokens {
    init(json: JSONValue) {
        tokenType = json["tokenType"]?.string ?? ""
        scope = json["scope"]?.string
        expiresIn = json["expiresInMs"]?.duration
        hasRefreshToken = json["hasRefreshToken"]?.bool ?? false
        idToken = json["idToken"]?.string
    }
}

extension LoginTokens: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Type and scope, without the ID token.
    public var description: String { "LoginTokens(\(tokenType), scope: \(scope ?? "not told"))" }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Type, scope and lifetime, without the ID token.
    public var customMirror: Mirror {
        Mirror(self, children: ["tokenType": tokenType, "scope": scope as Any, "expiresIn": expiresIn as Any])
    }
}

extension Login: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The type's name: the URL has the login's `state`.
    public var description: String { "Login" }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Nothing beside the description.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}

extension DeviceLogin: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Where the user goes, without the code.
    public var description: String { "DeviceLogin(\(verificationURL))" }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Where the user goes, without the code.
    public var customMirror: Mirror {
        Mirror(self, children: ["verificationURL": verificationURL, "expiresIn": expiresIn])
    }
}
