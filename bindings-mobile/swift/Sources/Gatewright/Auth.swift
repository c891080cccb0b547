/// How requests prove who they are. The credential goes to the base URL's origin only, and is never shown.
public struct Auth: Sendable {
    enum Credential: Sendable {
        case none
        case bearer(String)
        case basic(user: String, password: String)
        case apiKey(String, place: Place)
        case callback(@Sendable () async throws -> Token)
    }

    enum Place: Sendable {
        case header(String)
        case query(String)
        case cookie(String)
    }

    let credential: Credential

    /// No credential.
    public static let none = Auth(credential: .none)

    /// `Authorization: Bearer TOKEN`.
    public static func bearer(_ token: String) -> Auth {
        Auth(credential: .bearer(token))
    }

    /// `Authorization: Basic …` of user and password.
    public static func basic(user: String, password: String) -> Auth {
        Auth(credential: .basic(user: user, password: password))
    }

    /// A key in a header.
    public static func apiKey(_ key: String, header: String = "X-API-Key") -> Auth {
        Auth(credential: .apiKey(key, place: .header(header)))
    }

    /// A key in a parameter of the query.
    public static func apiKey(_ key: String, query: String) -> Auth {
        Auth(credential: .apiKey(key, place: .query(query)))
    }

    /// A key in a cookie.
    public static func apiKey(_ key: String, cookie: String) -> Auth {
        Auth(credential: .apiKey(key, place: .cookie(cookie)))
    }

    /// Bearer tokens from a callback: called before the first request, ahead of expiry, and once more after a 401; one call at a time,
    /// on which all requests wait that need the token. What it throws is the ``Failure/cause`` of a ``GatewrightError/token(_:)``.
    public static func token(_ fetch: @escaping @Sendable () async throws -> Token) -> Auth {
        Auth(credential: .callback(fetch))
    }
}

/// A token and how long it is good.
public struct Token: Sendable {
    /// The token itself.
    public var value: String
    /// Its lifetime; it is renewed before that. `nil`: it does not expire.
    public var expiresIn: Duration?

    /// A token with its lifetime.
    public init(_ value: String, expiresIn: Duration? = nil) {
        self.value = value
        self.expiresIn = expiresIn
    }
}

extension Auth: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The kind of credential, without the credential.
    public var description: String {
        switch credential {
        case .none: "Auth.none"
        case .bearer: "Auth.bearer(***)"
        case .basic: "Auth.basic(***)"
        case .apiKey: "Auth.apiKey(***)"
        case .callback: "Auth.token(…)"
        }
    }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Nothing beside the description.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}

extension Token: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The lifetime, without the token.
    public var description: String {
        expiresIn.map { "Token(***, expiresIn: \($0))" } ?? "Token(***)"
    }

    /// The same as the description.
    public var debugDescription: String { description }

    /// The lifetime, without the token.
    public var customMirror: Mirror {
        Mirror(self, children: ["expiresIn": expiresIn as Any])
    }
}
