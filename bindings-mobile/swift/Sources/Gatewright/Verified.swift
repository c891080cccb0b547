import Foundation

/// What was really proven about a request.
public struct Verified: Sendable {
    /// How the key and the body were put together.
    public enum Algorithm: String, Sendable, Hashable {
        /// A shared secret (`v1`).
        case hmacSHA256 = "hmac-sha256"
        /// A key pair (`v1a`).
        case ed25519
    }

    /// The scheme, such as `standard-webhooks`.
    public let scheme: String
    /// The algorithm.
    public let algorithm: Algorithm
    /// Which of the secrets fitted, 0 for the first.
    public let keyIndex: Int
    /// When it was sent.
    public let timestamp: Date?
    /// The message's id; the same when it is sent again.
    public let messageID: String?
    /// How the signature binds the body.
    public let bodyBound: String
    /// Whether the timestamp is signed.
    public let isTimestampSigned: Bool
    /// Whether the id is signed.
    public let isIDSigned: Bool
    /// Whether the URL is signed.
    public let isURLBound: Bool
    /// The body that was verified.
    public let body: Data

    /// Reads what the core tells; `nil` for an error.
    init?(lines: String, body: Data) {
        let lines = lines.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 7, let algorithm = Algorithm(rawValue: String(lines[1])), let keyIndex = Int(lines[2]) else { return nil }
        scheme = String(lines[0])
        self.algorithm = algorithm
        self.keyIndex = keyIndex
        timestamp = Double(lines[3]).map(Date.init(timeIntervalSince1970:))
        messageID = lines[4].isEmpty ? nil : String(lines[4])
        bodyBound = String(lines[5])
        let proven = Array(lines[6].utf8)
        func isProven(_ at: Int) -> Bool { at < proven.count && proven[at] == UInt8(ascii: "1") }
        isTimestampSigned = isProven(0)
        isIDSigned = isProven(1)
        isURLBound = isProven(2)
        self.body = body
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
