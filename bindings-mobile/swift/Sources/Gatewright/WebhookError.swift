import Foundation

/// What is wrong with a webhook.
public enum WebhookError: Error, Sendable {
    /// A secret, or what is to be signed, cannot be used.
    case invalidSecret(Details)
    /// A request is not what it claims to be.
    case notVerified(Details)

    /// What is known of it.
    public struct Details: Sendable, Hashable {
        /// The stable code, such as `signature_mismatch`.
        public let code: String
        /// What is wrong, in words, without secrets.
        public let message: String

        init(json: String) {
            let json = JSONReader.read(Array(json.utf8))
            code = json["code"]?.string ?? "webhook"
            message = json["message"]?.string ?? "the webhook cannot be used"
        }
    }

    /// What is known of it.
    public var details: Details {
        switch self {
        case .invalidSecret(let details), .notVerified(let details): details
        }
    }

    /// The stable code, such as `signature_mismatch`.
    public var code: String { details.code }
}

extension WebhookError: LocalizedError, CustomStringConvertible, CustomDebugStringConvertible {
    /// What is wrong, in words.
    public var errorDescription: String? { details.message }

    /// The code, and what is wrong, in words.
    public var description: String { "\(details.code): \(details.message)" }

    /// The same as the description.
    public var debugDescription: String { description }
}
