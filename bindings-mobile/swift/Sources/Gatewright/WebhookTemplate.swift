/// How a sender signs that is not among the schemes.
///
/// ```swift no-run
/// // Acme-Signature: t=1700000000,v1=5f…  signs "1700000000.body"
/// var template = WebhookTemplate(signatureHeader: "acme-signature", signed: "{timestamp}.{body}")
/// template.timestampItem = "t="
/// template.prefix = "v1="
/// template.separator = ","
/// ```
public struct WebhookTemplate: Sendable, Hashable {
    /// How signatures are written.
    public enum Encoding: String, Sendable, Hashable {
        /// In hexadecimal.
        case hex
        /// In standard base64 with its padding.
        case base64
    }

    /// How secrets are written.
    public enum SecretEncoding: String, Sendable, Hashable {
        /// The key is the text's own bytes; only for HMAC.
        case text
        /// In standard base64 with its padding.
        case base64
        /// In hexadecimal.
        case hex
    }

    /// The header with the signature.
    public var signatureHeader: String
    /// What is signed: text with the places `{id}`, `{timestamp}`, `{body}` and `{url}`.
    public var signed: String
    /// The header with the time, in unix seconds.
    public var timestampHeader: String?
    /// Or what stands before the time in the signature's header: `t=`.
    public var timestampItem: String?
    /// The header with the message's id.
    public var idHeader: String?
    /// An HMAC or Ed25519. Default HMAC with SHA-256.
    public var algorithm: Verified.Algorithm = .hmacSHA256
    /// How signatures are written. Default hexadecimal.
    public var encoding: Encoding = .hex
    /// What stands before each signature: `sha256=`, `v1=`.
    public var prefix: String = ""
    /// What separates the items of the header, an ASCII character. Default: there is one item.
    public var separator: Character?
    /// How secrets are written. Default as text.
    public var secretEncoding: SecretEncoding = .text

    /// A template with the usual settings.
    public init(signatureHeader: String, signed: String) {
        self.signatureHeader = signatureHeader
        self.signed = signed
    }
}

extension WebhookTemplate {
    var json: String {
        var json = JSONWriter()
        json.member("signatureHeader", signatureHeader)
        json.member("signed", signed)
        for (name, value) in [("timestampHeader", timestampHeader), ("timestampItem", timestampItem), ("idHeader", idHeader)] {
            if let value {
                json.member(name, value)
            }
        }
        json.member("algorithm", algorithm.rawValue)
        json.member("encoding", encoding.rawValue)
        json.member("prefix", prefix)
        if let separator {
            json.member("separator", String(separator))
        }
        json.member("secretEncoding", secretEncoding.rawValue)
        return json.object ?? "{}"
    }
}
