import Foundation
internal import GatewrightNative

/// Verifies and signs webhooks by Standard Webhooks (v1 and v1a). Synchronous; needs no client and no network.
///
/// ```swift no-run
/// let webhook = try Webhook(secrets: ["whsec_…"])
/// let verified = try webhook.verify(body, headers: Headers(request.headers))     // the body as it came, before any parsing
/// let event = try verified.decode(Event.self)
/// ```
public final class Webhook: Sendable {
    private let native: NativeWebhook

    /// A webhook of these secrets.
    ///
    /// - Parameters:
    ///   - secrets: A `whsec_` secret (verifies and signs), a `whpk_` key (verifies) or a `whsk_` key (signs); several while secrets are
    ///     being rotated.
    ///   - tolerance: How much a timestamp may be off, either way. Default 5 minutes.
    ///   - maxBody: The longest body that is verified, in bytes. Default 1 MiB.
    /// - Throws: ``WebhookError/invalidSecret(_:)`` for a secret or setting that cannot be used.
    public init(secrets: [String], tolerance: Duration = .seconds(300), maxBody: Int = 1024 * 1024) throws {
        do {
            native = try NativeWebhook(secrets: secrets, toleranceSeconds: tolerance.milliseconds / 1000, maxBody: Double(maxBody))
        } catch let error as NativeError {
            throw WebhookError.invalidSecret(.init(json: error.json))
        }
    }

    /// A webhook of one secret, with the usual tolerance.
    public convenience init(secret: String) throws {
        try self.init(secrets: [secret])
    }

    /// Verifies a request.
    ///
    /// - Parameters:
    ///   - body: The bytes that came, before any parsing.
    ///   - headers: The request's headers; a name in any case.
    ///   - now: The time. Default: the clock's.
    /// - Throws: ``WebhookError/notVerified(_:)`` where the request is not what it claims to be.
    public func verify(_ body: Data, headers: Headers, now: Date = Date()) throws -> Verified {
        let told = native.verify(
            body: body, headers: Webhook.lines(headers, onlySigned: true), nowSeconds: now.timeIntervalSince1970.rounded(.down))
        guard let verified = Verified(lines: told, body: body) else {
            throw WebhookError.notVerified(.init(json: told))
        }
        return verified
    }

    /// Verifies a request whose body is text.
    ///
    /// - Throws: ``WebhookError/notVerified(_:)`` where the request is not what it claims to be.
    public func verify(_ body: String, headers: Headers, now: Date = Date()) throws -> Verified {
        try verify(Data(body.utf8), headers: headers, now: now)
    }

    /// Says why a request does not verify, in words for the developer. Never show it to the sender.
    public func explain(_ body: Data, headers: Headers, now: Date = Date()) -> String {
        native.explain(
            body: body, headers: Webhook.lines(headers, onlySigned: false), nowSeconds: now.timeIntervalSince1970.rounded(.down))
    }

    /// Says why a request does not verify whose body is text, in words for the developer. Never show it to the sender.
    public func explain(_ body: String, headers: Headers, now: Date = Date()) -> String {
        explain(Data(body.utf8), headers: headers, now: now)
    }

    /// Signs a body, for tests and for senders: the three headers to send with it.
    ///
    /// - Parameters:
    ///   - messageID: The message's id; the same when it is sent again.
    ///   - timestamp: When it is sent. Default: now.
    /// - Throws: ``WebhookError/invalidSecret(_:)`` where no secret can sign, or the id cannot be sent.
    public func sign(_ body: Data, messageID: String, timestamp: Date = Date()) throws -> Headers {
        let told = native.sign(body: body, messageId: messageID, timestampSeconds: timestamp.timeIntervalSince1970.rounded(.down))
        guard let members = JSONReader.read(Array(told.utf8)).object, members["code"] == nil else {
            throw WebhookError.invalidSecret(.init(json: told))
        }
        return Headers(members.compactMapValues(\.string))
    }

    /// Signs a body that is text.
    ///
    /// - Throws: ``WebhookError/invalidSecret(_:)`` where no secret can sign, or the id cannot be sent.
    public func sign(_ body: String, messageID: String, timestamp: Date = Date()) throws -> Headers {
        try sign(Data(body.utf8), messageID: messageID, timestamp: timestamp)
    }

    /// A new `whsec_` secret, of 32 bytes from a cryptographic source.
    ///
    /// - Throws: ``WebhookError/invalidSecret(_:)`` where the system has no randomness.
    public static func generateSecret() throws -> String {
        do {
            return try GatewrightNative.generateSecret()
        } catch let error as NativeError {
            throw WebhookError.invalidSecret(.init(json: error.json))
        }
    }

    /// Headers as lines, a name and a value in turns. No header has a line break; were there one, what comes after it is no other header.
    private static func lines(_ headers: Headers, onlySigned: Bool) -> String {
        var lines = ""
        for (name, value) in headers where !onlySigned || name.lowercased().hasPrefix("webhook-") {
            for text in [name, value] {
                lines += text.utf8.contains(0x0A) ? text.replacing("\n", with: " ") : text
                lines += "\n"
            }
        }
        return lines
    }
}

extension Webhook: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The type's name, without any secret.
    public var description: String { "Webhook" }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Nothing beside the description.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}
