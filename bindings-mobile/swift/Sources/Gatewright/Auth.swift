/// How requests prove who they are. The credential goes to the base URL's origin only, and is never shown.
public struct Auth: Sendable {
    enum Credential: Sendable {
        case none
        case bearer(String)
        case basic(user: String, password: String)
        case apiKey(String, place: Place)
        case callback(@Sendable () async throws -> Token)
        case oauth(OAuth)
        case dpop(token: String, key: String)
        case hmac(HMACSignature)
        case httpSignature(HTTPSignature)
    }

    enum Signer: Sendable {
        case hmac(HMACSignature)
        case http(HTTPSignature)
    }

    enum Place: Sendable {
        case header(String)
        case query(String)
        case cookie(String)
    }

    let credential: Credential
    var signer: Signer?

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

    /// Tokens by OAuth 2, which the client fetches itself.
    public static func oauth(_ oauth: OAuth) -> Auth {
        Auth(credential: .oauth(oauth))
    }

    /// A token that is bound to a key (DPoP, RFC 9449): `Authorization: DPoP TOKEN`, with a proof on each attempt.
    ///
    /// - Parameters:
    ///   - token: The token.
    ///   - key: The private key in PEM, see ``SigningKey``.
    public static func dpop(token: String, key: String) -> Auth {
        Auth(credential: .dpop(token: token, key: key))
    }

    /// Requests signed by a provider's own scheme, and no other credential.
    public static func hmac(_ signature: HMACSignature) -> Auth {
        Auth(credential: .hmac(signature))
    }

    /// Requests signed by HTTP Message Signatures (RFC 9421), and no other credential.
    public static func httpSignature(_ signature: HTTPSignature) -> Auth {
        Auth(credential: .httpSignature(signature))
    }

    /// This credential, and a signature beside it. It is for credentials that sign nothing themselves, and not for a token callback.
    public func signed(by signature: HMACSignature) -> Auth {
        var signed = self
        signed.signer = .hmac(signature)
        return signed
    }

    /// This credential, and a signature beside it. It is for credentials that sign nothing themselves, and not for a token callback.
    public func signed(by signature: HTTPSignature) -> Auth {
        var signed = self
        signed.signer = .http(signature)
        return signed
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
        signer == nil ? kind : "\(kind).signed(…)"
    }

    private var kind: String {
        switch credential {
        case .none: "Auth.none"
        case .bearer: "Auth.bearer(***)"
        case .basic: "Auth.basic(***)"
        case .apiKey: "Auth.apiKey(***)"
        case .callback: "Auth.token(…)"
        case .oauth: "Auth.oauth(…)"
        case .dpop: "Auth.dpop(***)"
        case .hmac: "Auth.hmac(…)"
        case .httpSignature: "Auth.httpSignature(…)"
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
