import Foundation

/// What is wrong with a webhook.
public enum WebhookError: Error, Sendable {
    /// A secret, a setting, or what is to be signed, cannot be used.
    case invalidSecret(Details)
    /// A request is not what it claims to be. Answer 400, with the same words for every cause.
    case notVerified(Details)
    /// The certificate that a message names is not known yet: fetch it from this URL, whose host and path were checked, and hand it to
    /// ``Webhook/addCertificate(_:from:now:)``; ``Webhook/receive(_:headers:now:url:method:)`` does both.
    case missingCertificate(Details, url: String)

    /// What is known of it.
    public struct Details: Sendable, Hashable {
        /// The stable code, such as `bad_signature`.
        public let code: String
        /// What is wrong, in words, without secrets.
        public let message: String

        init(code: String, message: String) {
            self.code = code
            self.message = message
        }

        init(json: String) {
            let json = JSONReader.read(Array(json.utf8))
            code = json["code"]?.string ?? "webhook"
            message = json["message"]?.string ?? "the webhook cannot be used"
        }
    }

    /// Why a request is refused, from JSON.
    static func refused(_ json: String) -> WebhookError {
        let details = Details(json: json)
        guard let url = JSONReader.read(Array(json.utf8))["url"]?.string else { return .notVerified(details) }
        return .missingCertificate(details, url: url)
    }

    /// What is known of it.
    public var details: Details {
        switch self {
        case .invalidSecret(let details), .notVerified(let details), .missingCertificate(let details, _): details
        }
    }

    /// The stable code, such as `bad_signature`.
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
