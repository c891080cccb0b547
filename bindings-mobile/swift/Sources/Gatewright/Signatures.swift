import Foundation

/// A provider's own scheme of signing requests by HMAC. What goes onto the wire is signed, anew for each attempt.
///
/// ```swift no-run
/// var scheme = HMACSignature(keyID: "key-1", secret: secret)
/// scheme.text = "{timestamp}.{method}.{path_and_query}.{body_sha256}"
/// scheme.headers = ["x-timestamp": "{timestamp}", "x-signature": "v1={signature}"]
/// let client = try Client(baseURL: "https://api.example.com", auth: .hmac(scheme))
/// ```
///
/// Places of texts: `{method}`, `{scheme}`, `{host}`, `{path}`, `{query}`, `{sorted_query}`, `{path_and_query}`, `{url}`, `{timestamp}` (seconds),
/// `{timestamp_ms}`, `{nonce}`, `{key_id}`, `{body_sha256}` (hex), `{body_sha256_base64}`, `{body}`, `{header:NAME}`; in headers also `{signature}`.
public struct HMACSignature: Sendable {
    /// How the signature is written.
    public enum Encoding: String, Sendable, Hashable {
        /// Base64, as in RFC 4648, section 4.
        case base64
        /// Base64 for URLs, without padding.
        case base64URL = "base64url"
        /// Hexadecimal, in lower case.
        case hex
    }

    /// The key's name, which the server knows.
    public var keyID: String
    /// The secret that both sides have.
    public var secret: String
    /// The hash function. Default SHA-256.
    public var algorithm = HashAlgorithm.sha256
    /// How the signature is written. Default Base64.
    public var encoding = Encoding.base64
    /// What is signed, with places. Default `{method}\n{path_and_query}\n{timestamp}\n{nonce}\n{body_sha256_base64}`.
    public var text: String?
    /// The headers that are sent, with places. Default `Authorization: HMAC-SHA256 keyid="…", ts="…", nonce="…", signature="…"`.
    public var headers: Headers = [:]
    /// What stands in the place of the digest of a body that is a stream, such as `UNSIGNED-PAYLOAD`. Default: such a request is refused before
    /// anything is sent.
    public var unsignedStreams: String?

    /// A scheme with this key; all else has its default.
    public init(keyID: String, secret: String) {
        self.keyID = keyID
        self.secret = secret
    }

    func write(into json: inout JSONWriter) {
        json.member("kind", "hmac")
        json.member("keyId", keyID)
        json.member("secret", secret)
        json.member("algorithm", algorithm.rawValue)
        json.member("encoding", encoding.rawValue)
        if let text {
            json.member("text", text)
        }
        if !headers.isEmpty {
            json.member("headers", pairs: headers)
        }
        if let unsignedStreams {
            json.member("unsignedStreams", unsignedStreams)
        }
    }
}

/// HTTP Message Signatures (RFC 9421): `Signature-Input`, `Signature` and `Content-Digest`, anew for each attempt.
public struct HTTPSignature: Sendable {
    enum Key: Sendable {
        case pem(String)
        case secret(Data)
    }

    /// The key's name, which the server knows.
    public var keyID: String
    let key: Key
    /// What is signed, such as `@method`, `@target-uri`, `content-digest` or the name of a header. Default: these three, the digest where there is a
    /// body.
    public var components: [String]?
    /// The signature's name among several. Default `sig1`.
    public var label: String?
    /// The application's own tag (RFC 9421, section 2.3).
    public var tag: String?
    /// How long a signature is good. Default: it does not say.
    public var expires: Duration?
    /// Whether each has a nonce. Default true.
    public var nonce = true
    /// Whether the algorithm is named. Default true.
    public var namesAlgorithm = true
    /// The hash function of `Content-Digest`. Default SHA-256.
    public var digest = HashAlgorithm.sha256
    /// Whether a body that is a stream goes without a digest. Default false: such a request is refused before anything is sent.
    public var unsignedStreams = false

    /// Signatures by a private key in PEM: P-256, Ed25519 or RSA.
    public init(keyID: String, key: String) {
        self.keyID = keyID
        self.key = .pem(key)
    }

    /// Signatures by a secret that both sides have (`hmac-sha256`).
    public init(keyID: String, secret: Data) {
        self.keyID = keyID
        key = .secret(secret)
    }

    func write(into json: inout JSONWriter) {
        json.member("kind", "httpSignature")
        json.member("keyId", keyID)
        switch key {
        case .pem(let pem): json.member("key", pem)
        case .secret(let secret): json.member("secret", secret.base64EncodedString())
        }
        if let components {
            json.member("components", components)
        }
        if let label {
            json.member("label", label)
        }
        if let tag {
            json.member("tag", tag)
        }
        if let expires {
            json.member("expiresMs", expires)
        }
        json.member("nonce", nonce)
        json.member("nameAlgorithm", namesAlgorithm)
        json.member("digest", digest.rawValue)
        json.member("unsignedStreams", unsignedStreams)
    }
}

/// A hash function of signatures.
public enum HashAlgorithm: String, Sendable, Hashable {
    /// SHA-256.
    case sha256
    /// SHA-512.
    case sha512
}

/// Private keys for ``HTTPSignature``, ``OAuth/dpopKey`` and ``Auth/dpop(token:key:)``.
public enum SigningKey {
    /// A new P-256 key in PEM (PKCS #8). It is a secret: keep it in a keychain.
    ///
    /// - Throws: ``GatewrightError/invalidConfig(_:)`` where the system gives no random numbers.
    public static func generateP256() throws -> String {
        try Native.generateSigningKey()
    }
}

extension HMACSignature: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The key's name, without the secret.
    public var description: String { "HMACSignature(keyID: \(keyID))" }

    /// The same as the description.
    public var debugDescription: String { description }

    /// The key's name, without the secret.
    public var customMirror: Mirror {
        Mirror(self, children: ["keyID": keyID])
    }
}

extension HTTPSignature: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The key's name, without the key.
    public var description: String { "HTTPSignature(keyID: \(keyID))" }

    /// The same as the description.
    public var debugDescription: String { description }

    /// The key's name, without the key.
    public var customMirror: Mirror {
        Mirror(self, children: ["keyID": keyID])
    }
}
