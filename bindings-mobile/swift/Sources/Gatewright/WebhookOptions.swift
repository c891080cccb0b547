import Foundation

/// Settings of a ``Webhook``; what is `nil` is as the scheme has it.
public struct WebhookOptions: Sendable {
    /// How far a timestamp may be off. Default as the scheme's: 5 minutes for most.
    public var tolerance: Duration?
    /// How far a timestamp may be in the future. Default: as ``tolerance``.
    public var futureTolerance: Duration?
    /// The longest body that is verified, in bytes. Default 1 MiB.
    public var maxBody: Int?
    /// The URL that the sender was told, for schemes that sign it; it wins over that of a request. What it leaves out (path, query) is the
    /// request's.
    public var url: String?
    /// PayPal: the id of the webhook. Required there.
    public var webhookID: String?
    /// SNS: the topic that messages come from. Required there.
    public var topicARN: String?
    /// HTTP signatures: the key id of each secret; none: any.
    public var keyIDs: [String] = []
    /// HTTP signatures: what has to be signed. Default `content-digest`.
    public var components: [String]?
    /// The template of ``WebhookScheme/custom``.
    public var template: WebhookTemplate?
    /// The keys that sign, where they are others than those that verify (Discord: 64 hexadecimal digits of the private key).
    public var signingSecrets: [String]?
    /// The clock. Tests may give another.
    public var clock: @Sendable () -> Date = { Date() }
    /// Where ``Webhook/receive(_:headers:now:url:method:)`` has certificates from (SNS, PayPal).
    public var certificates: (any CertificateFetcher)?

    /// The scheme's own settings.
    public init() {}

    func json(scheme: WebhookScheme, secrets: [String]) -> String {
        var json = JSONWriter()
        json.member("scheme", scheme.rawValue)
        json.member("secrets", secrets)
        for (name, time) in [("tolerance", tolerance), ("futureTolerance", futureTolerance)] {
            if let time {
                json.member(name, whole: time)
            }
        }
        if let maxBody {
            json.member("maxBody", maxBody)
        }
        for (name, text) in [("url", url), ("webhookId", webhookID), ("topicArn", topicARN)] {
            if let text {
                json.member(name, text)
            }
        }
        let keyIDs = keyIDs.isEmpty ? nil : keyIDs
        for (name, texts) in [("signingSecrets", signingSecrets), ("keyIds", keyIDs), ("components", components)] {
            if let texts {
                json.member(name, texts)
            }
        }
        if let template {
            json.member("template", raw: template.json)
        }
        return json.object ?? "{}"
    }
}

extension JSONWriter {
    /// Whole milliseconds.
    mutating func member(_ name: String, whole time: Duration) {
        let (seconds, attoseconds) = time.components
        let (milliseconds, isTooLong) = seconds.multipliedReportingOverflow(by: 1000)
        if isTooLong {
            member(name, raw: seconds > 0 ? "\"Infinity\"" : "-1")
        } else {
            member(name, raw: String(milliseconds &+ attoseconds / 1_000_000_000_000_000))
        }
    }
}
