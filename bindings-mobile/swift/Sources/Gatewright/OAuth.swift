/// OAuth 2: which server, which client, and how its tokens come.
///
/// ```swift no-run
/// // A service that speaks for itself.
/// var service = OAuth(clientID: "my-service", tokenURL: "https://login.example.com/token")
/// service.clientSecret = secret
///
/// // An app that somebody logs in to; see `Client.beginLogin(redirectURI:credential:)`.
/// var app = OAuth(clientID: "my-app", issuer: "https://login.example.com")
/// app.storage = .store(Keychain())
/// let client = try Client(baseURL: "https://api.example.com", auth: .oauth(app))
/// ```
///
/// A token is fetched before the first call, ahead of its expiry, and once more after a 401; one fetch is under way, however many calls wait
/// for it. Addresses are https, or on this machine.
public struct OAuth: Sendable {
    /// How tokens come.
    public enum Grant: String, Sendable, Hashable {
        /// Somebody logs in; from then on by refresh token.
        case login
        /// The client speaks for itself (RFC 6749, section 4.4).
        case clientCredentials
    }

    /// How the client proves who it is at the token endpoint.
    public enum ClientAuthentication: String, Sendable, Hashable {
        /// `client_secret_basic`: the header `Authorization: Basic`.
        case basic
        /// `client_secret_post`: the secret in the form.
        case post
        /// A public client: its id alone.
        case none
        /// `private_key_jwt`: an assertion that is signed by ``OAuth/clientKey`` (RFC 7523).
        case privateKeyJWT = "privateKeyJwt"
    }

    /// Where tokens are kept between calls, and between runs.
    public enum Storage: Sendable {
        /// In memory: they are gone with the client.
        case memory
        /// In the file of this path, which nobody else may read. Processes that share it refresh one at a time.
        case file(String)
        /// In a store of your own, such as a keychain.
        case store(any TokenStore)
    }

    /// The client's id at the server.
    public var clientID: String
    /// The server's issuer: its endpoints are read from its metadata (RFC 8414, OpenID Connect Discovery) when they are first needed. One of
    /// issuer and ``tokenURL`` is required.
    public var issuer: String?
    /// The token endpoint. It wins over the metadata, as the other endpoints do.
    public var tokenURL: String?
    /// The authorization endpoint, where users log in.
    public var authorizationURL: String?
    /// The device authorization endpoint (RFC 8628).
    public var deviceAuthorizationURL: String?
    /// The revocation endpoint (RFC 7009).
    public var revocationURL: String?
    /// How tokens come. Default: ``Grant/clientCredentials`` where there is a secret or a key, no ``refreshToken``, and tokens are kept in memory;
    /// else ``Grant/login``.
    public var grant: Grant?
    /// The client's secret. Default: none, a public client; an app for phones is one.
    public var clientSecret: String?
    /// How the client proves who it is. Default: by its key, else by its secret in a header, else not at all.
    public var clientAuthentication: ClientAuthentication?
    /// The client's private key in PEM, for ``ClientAuthentication/privateKeyJWT``.
    public var clientKey: String?
    /// The key's name, where the server knows several.
    public var clientKeyID: String?
    /// The scopes that are asked for. Default: what the server gives.
    public var scopes: [String] = []
    /// For whom the token is to be, as many servers want it.
    public var audience: String?
    /// Resources for which the token is to be (RFC 8707).
    public var resources: [String] = []
    /// A refresh token to begin with, where the storage has none.
    public var refreshToken: String?
    /// Where tokens are kept. Default: in memory.
    public var storage = Storage.memory
    /// Further parameters of requests to the server, such as `prompt`.
    public var parameters: [String: String] = [:]
    /// Headers of requests to the OAuth server. The client's own do not go there.
    public var headers: Headers = [:]
    /// Allows a server that is reached by plain http, in a network of your own. Default false: loopback only.
    public var allowHTTP = false
    /// How long getting a token may take, over all its attempts. Default 30 s.
    public var timeout: Duration = .seconds(30)
    /// A private key in PEM to which tokens are bound (DPoP, RFC 9449), such as ``SigningKey/generateP256()`` gives. Keep it as long as the
    /// refresh token, which is bound to it, too. It does not go together with a signature beside the credential.
    public var dpopKey: String?

    /// Settings of a client at a server that is found by its issuer.
    public init(clientID: String, issuer: String) {
        self.clientID = clientID
        self.issuer = issuer
    }

    /// Settings of a client at a server of which the token endpoint is known.
    public init(clientID: String, tokenURL: String) {
        self.clientID = clientID
        self.tokenURL = tokenURL
    }

    func write(into json: inout JSONWriter) {
        json.member("kind", "oauth")
        json.member("clientId", clientID)
        for (name, value) in [
            ("issuer", issuer), ("tokenUrl", tokenURL), ("authorizationUrl", authorizationURL),
            ("deviceAuthorizationUrl", deviceAuthorizationURL), ("revocationUrl", revocationURL), ("grant", grant?.rawValue),
            ("clientSecret", clientSecret), ("clientAuth", clientAuthentication?.rawValue), ("clientKey", clientKey),
            ("clientKeyId", clientKeyID), ("audience", audience), ("refreshToken", refreshToken), ("dpopKey", dpopKey),
        ] {
            if let value {
                json.member(name, value)
            }
        }
        if !scopes.isEmpty {
            json.member("scopes", scopes)
        }
        if !resources.isEmpty {
            json.member("resources", resources)
        }
        switch storage {
        case .memory: break
        case .file(let path): json.member("tokenFile", path)
        case .store: json.member("store", true)
        }
        if !parameters.isEmpty {
            json.member("parameters", pairs: parameters.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) })
        }
        if !headers.isEmpty {
            json.member("headers", pairs: headers)
        }
        json.member("allowHttp", allowHTTP)
        json.member("timeoutMs", timeout)
    }
}

extension OAuth: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The client's id, without its secrets.
    public var description: String { "OAuth(clientID: \(clientID))" }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Client, issuer and scopes, without secrets.
    public var customMirror: Mirror {
        Mirror(self, children: ["clientID": clientID, "issuer": issuer as Any, "scopes": scopes])
    }
}
