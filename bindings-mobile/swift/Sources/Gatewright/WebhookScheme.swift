/// How a sender signs. Each has a page with its traps in the guide to webhooks.
public enum WebhookScheme: String, Sendable, Hashable, CaseIterable {
    /// Standard Webhooks, v1 and v1a.
    case standardWebhooks = "standard-webhooks"
    /// Svix: the same under names of its own.
    case svix
    /// Stripe; the secret is the whole `whsec_…`.
    case stripe
    /// GitHub; the delivery's id is not signed.
    case github
    /// Slack; see ``Webhook/challenge(_:)``.
    case slack
    /// Zoom; see ``Webhook/challenge(_:)``.
    case zoom
    /// Shopify.
    case shopify
    /// Twilio; signs the URL.
    case twilio
    /// Square; signs the URL.
    case square
    /// Discord; the secret is the application's public key.
    case discord
    /// Linear; the time is in the body.
    case linear
    /// Paddle.
    case paddle
    /// Mailgun; the body is not signed.
    case mailgun
    /// SendGrid; the secret is its public key.
    case sendGrid = "sendgrid"
    /// AWS SNS: by certificate, and ``WebhookOptions/topicARN``.
    case sns
    /// PayPal: by certificate, and ``WebhookOptions/webhookID``.
    case payPal = "paypal"
    /// HTTP Message Signatures (RFC 9421).
    case httpSignature = "http-signature"
    /// One's own: ``WebhookOptions/template``.
    case custom
}
