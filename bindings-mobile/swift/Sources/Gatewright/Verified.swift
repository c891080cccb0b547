import Foundation
internal import GatewrightNative

/// What was really proven about a request.
public struct Verified: Sendable {
    /// The algorithm of a signature.
    public enum Algorithm: String, Sendable, Hashable, CaseIterable {
        /// HMAC with SHA-1.
        case hmacSHA1 = "hmac-sha1"
        /// HMAC with SHA-256.
        case hmacSHA256 = "hmac-sha256"
        /// HMAC with SHA-512.
        case hmacSHA512 = "hmac-sha512"
        /// Ed25519.
        case ed25519
        /// ECDSA with P-256 and SHA-256.
        case ecdsaP256SHA256 = "ecdsa-p256-sha256"
        /// RSA (PKCS #1 v1.5) with SHA-1.
        case rsaSHA1 = "rsa-sha1"
        /// RSA (PKCS #1 v1.5) with SHA-256.
        case rsaSHA256 = "rsa-sha256"
        /// RSA-PSS with SHA-512.
        case rsaPSSSHA512 = "rsa-pss-sha512"
    }

    /// How firmly a signature ties the body down, the weakest first.
    public enum BodyBound: String, Sendable, Hashable, CaseIterable {
        /// The body is not signed at all: whoever was on the way could have written it.
        case none
        /// Only a CRC-32 of the body is signed: anybody can make another body with the same one.
        case crc32
        /// What the body says is signed, not how: a form's parameters (Twilio), some members of JSON (SNS).
        case fields
        /// The whole body is signed.
        case full
    }

    /// How the sender signs.
    public let scheme: WebhookScheme
    /// The algorithm of the signature that fitted.
    public let algorithm: Algorithm
    /// Which of the secrets fitted, 0 for the first.
    public let keyIndex: Int
    /// When it was sent; `nil` where the scheme has no time.
    public let timestamp: Date?
    /// The message's id; the same when it is sent again. `nil` where the scheme has none.
    public let messageID: String?
    /// How the signature binds the body.
    public let bodyBound: BodyBound
    /// Whether the timestamp is signed; if not, anybody on the way could have set it.
    public let isTimestampSigned: Bool
    /// Whether the id is signed; the same holds.
    public let isIDSigned: Bool
    /// Whether the URL is signed.
    public let isURLBound: Bool
    /// The body that was verified; empty where it came in pieces.
    public let body: Data
    /// What the native half said.
    let told: String

    /// Reads what the core tells; `nil` for an error.
    init?(lines: String, body: Data) {
        told = lines
        let lines = lines.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 7, let scheme = WebhookScheme(rawValue: String(lines[0])),
            let algorithm = Algorithm(rawValue: String(lines[1])), let keyIndex = Int(lines[2]),
            let bodyBound = BodyBound(rawValue: String(lines[5]))
        else { return nil }
        self.scheme = scheme
        self.algorithm = algorithm
        self.keyIndex = keyIndex
        timestamp = Double(lines[3]).map(Date.init(timeIntervalSince1970:))
        messageID = lines[4].isEmpty ? nil : String(lines[4])
        self.bodyBound = bodyBound
        let proven = Array(lines[6].utf8)
        func isProven(_ at: Int) -> Bool { at < proven.count && proven[at] == UInt8(ascii: "1") }
        isTimestampSigned = isProven(0)
        isIDSigned = isProven(1)
        isURLBound = isProven(2)
        self.body = body
    }

    /// The key under which a ``ReplayGuard`` remembers this message: made of what was signed alone, the id, or else the time and the body. Where
    /// no id is signed, a replay has the same key, but a retry that was signed anew has another.
    ///
    /// - Parameter sender: Your own name for who sends: ids are unique within one sender only.
    public func replayKey(sender: String) -> String {
        GatewrightNative.replayKey(sender: sender, verdict: told)
    }

    /// The same by an id of your own choice, for schemes that sign none: that of the event, read from the verified body. Then a retry that was
    /// signed anew has the same key, too.
    ///
    /// - Throws: ``WebhookError/invalidSecret(_:)`` for an id that is empty or has a line end.
    public func replayKey(sender: String, messageID: String) throws -> String {
        guard !messageID.isEmpty, !messageID.utf8.contains(0x0A) else {
            throw WebhookError.invalidSecret(.init(code: "bad_message_id", message: "a message's id is a line of text"))
        }
        return GatewrightNative.replayKey(
            sender: sender, verdict: "\(scheme.rawValue)\n\(algorithm.rawValue)\n0\n\n\(messageID)\nfull\n010")
    }

    /// Decodes the body from JSON.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self, decoder: JSONDecoder = JSONDecoder()) throws -> Value {
        try decoder.decode(type, from: body)
    }
}

extension Verified: CustomReflectable {
    /// What was proven, without the body.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "scheme": scheme, "algorithm": algorithm, "keyIndex": keyIndex, "timestamp": timestamp as Any,
                "messageID": messageID as Any, "bodyBound": bodyBound, "isTimestampSigned": isTimestampSigned,
                "isIDSigned": isIDSigned, "isURLBound": isURLBound,
            ]
        )
    }
}
