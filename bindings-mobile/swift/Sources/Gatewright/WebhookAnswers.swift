import Foundation

/// The answer to a request that is no event but a question to the endpoint; see ``Webhook/challenge(_:)``.
public struct WebhookChallenge: Sendable, Hashable {
    /// The status to answer with.
    public let status: Int
    /// The answer's `content-type`.
    public let contentType: String
    /// The answer's body.
    public let body: String
    /// A URL to call with GET, which confirms the subscription (SNS). It is one of AWS's own; call it only if you want that topic.
    public let visit: String?
}

/// Why a request does not verify; see ``Webhook/diagnose(_:headers:now:url:method:)``. Never show it to the sender.
public struct WebhookDiagnosis: Sendable, Hashable {
    /// The stable code, such as `body_changed` or `clock_off`.
    public let code: String
    /// What is wrong and what to do, in words.
    public let message: String
}

/// A request that was signed; see ``Webhook/signRequest(_:messageID:url:timestamp:)``.
public struct SignedWebhook: Sendable {
    /// The headers to send with it.
    public let headers: Headers
    /// The body to send: what was given, but for schemes that have the signature in it (Mailgun).
    public let body: Data
    /// The URL to send it to: what was given, but for schemes that have a hash in it (Twilio with JSON).
    public let url: String?
}
