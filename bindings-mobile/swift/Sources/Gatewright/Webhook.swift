import Foundation
internal import GatewrightNative

/// Verifies and signs webhooks, by Standard Webhooks or another ``WebhookScheme``. Synchronous; needs no client and no network.
///
/// ```swift no-run
/// let webhook = try Webhook(secrets: ["whsec_…"])
/// let stripe = try Webhook(.stripe, secrets: ["whsec_…"]) { $0.tolerance = .seconds(60) }
///
/// let verified = try webhook.verify(body, headers: Headers(request.headers))     // the body as it came, before any parsing
/// let event = try verified.decode(Event.self)
/// ```
public final class Webhook: Sendable {
    private let native: NativeWebhook
    private let clock: @Sendable () -> Date
    private let certificates: (any CertificateFetcher)?
    /// Of the default scheme only its own headers are looked at, which is quicker. What explains looks at all, for what else may be wrong.
    private let isDefaultScheme: Bool

    /// A webhook of any scheme.
    ///
    /// - Parameters:
    ///   - scheme: How the sender signs.
    ///   - secrets: What the sender shows you as the secret; several while secrets are being rotated. None for SNS and PayPal.
    ///   - configure: Its settings.
    /// - Throws: ``WebhookError/invalidSecret(_:)`` for a secret or setting that cannot be used.
    public init(_ scheme: WebhookScheme, secrets: [String] = [], configure: (inout WebhookOptions) -> Void = { _ in }) throws {
        var options = WebhookOptions()
        configure(&options)
        do {
            native = try NativeWebhook(settings: options.json(scheme: scheme, secrets: secrets))
        } catch let error as NativeError {
            throw WebhookError.invalidSecret(.init(json: error.json))
        }
        clock = options.clock
        certificates = options.certificates
        isDefaultScheme = scheme == .standardWebhooks
    }

    /// A webhook of Standard Webhooks (v1 and v1a).
    ///
    /// - Parameters:
    ///   - secrets: A `whsec_` secret (verifies and signs), a `whpk_` key (verifies) or a `whsk_` key (signs); several while secrets are
    ///     being rotated.
    ///   - tolerance: How much a timestamp may be off, either way. Default 5 minutes.
    ///   - maxBody: The longest body that is verified, in bytes. Default 1 MiB.
    /// - Throws: ``WebhookError/invalidSecret(_:)`` for a secret or setting that cannot be used.
    public convenience init(secrets: [String], tolerance: Duration = .seconds(300), maxBody: Int = 1024 * 1024) throws {
        try self.init(.standardWebhooks, secrets: secrets) {
            $0.tolerance = tolerance
            $0.maxBody = maxBody
        }
    }

    /// A webhook of Standard Webhooks of one secret, with the usual tolerance.
    public convenience init(secret: String) throws {
        try self.init(secrets: [secret])
    }

    /// Verifies a request.
    ///
    /// - Parameters:
    ///   - body: The bytes that came, before any parsing.
    ///   - headers: The request's headers; a name in any case.
    ///   - now: The time. Default: the clock's.
    ///   - url: The request's URL, for schemes that sign it, unless ``WebhookOptions/url`` has all of it.
    ///   - method: The request's method, for HTTP signatures. Default `POST`.
    /// - Throws: ``WebhookError/notVerified(_:)`` where the request is not what it claims to be, ``WebhookError/missingCertificate(_:url:)``.
    public func verify(_ body: Data, headers: Headers, now: Date? = nil, url: String? = nil, method: String? = nil) throws -> Verified {
        let told = native.verify(body: body, headers: lines(headers, url, method), nowSeconds: at(now))
        guard let verified = Verified(lines: told, body: body) else {
            throw WebhookError.refused(told)
        }
        return verified
    }

    /// Verifies a request whose body is text.
    ///
    /// - Throws: ``WebhookError/notVerified(_:)`` where the request is not what it claims to be, ``WebhookError/missingCertificate(_:url:)``.
    public func verify(_ body: String, headers: Headers, now: Date? = nil, url: String? = nil, method: String? = nil) throws -> Verified {
        try verify(Data(body.utf8), headers: headers, now: now, url: url, method: method)
    }

    /// Verifies a request, and where a certificate is missing (SNS, PayPal) fetches it with ``WebhookOptions/certificates``. It is kept for the
    /// next ones.
    ///
    /// - Throws: ``WebhookError/notVerified(_:)`` where the request is not what it claims to be, ``WebhookError/missingCertificate(_:url:)`` where
    ///   there is no fetcher, and what the fetcher throws.
    public func receive(
        _ body: Data, headers: Headers, now: Date? = nil, url: String? = nil, method: String? = nil
    ) async throws -> Verified {
        do {
            return try verify(body, headers: headers, now: now, url: url, method: method)
        } catch let error as WebhookError {
            guard case .missingCertificate(_, let place) = error, let certificates, let certificateURL = URL(string: place) else {
                throw error
            }
            try addCertificate(await certificates.fetch(certificateURL), from: place, now: now)
            return try verify(body, headers: headers, now: now, url: url, method: method)
        }
    }

    /// Begins to verify a request whose body comes in pieces: the headers are looked at now, the body as it comes. Some schemes make what is
    /// signed out of the body, and keep it until the end.
    ///
    /// - Throws: ``WebhookError/notVerified(_:)`` where the headers are refused already.
    public func verifier(headers: Headers, now: Date? = nil, url: String? = nil, method: String? = nil) throws -> WebhookVerifier {
        do {
            return WebhookVerifier(try native.verifier(headers: lines(headers, url, method), nowSeconds: at(now)))
        } catch let error as NativeError {
            throw WebhookError.refused(error.json)
        }
    }

    /// Keeps the certificate (PEM) that was fetched from the URL of ``WebhookError/missingCertificate(_:url:)``. Up to 16 are kept, each until it
    /// ends.
    ///
    /// - Throws: ``WebhookError/notVerified(_:)`` where the URL is not of the provider, or this is no certificate that is good now.
    public func addCertificate(_ pem: Data, from url: String, now: Date? = nil) throws {
        let wrong = native.addCertificate(url: url, pem: pem, nowSeconds: at(now))
        if !wrong.isEmpty {
            throw WebhookError.refused(wrong)
        }
    }

    /// The answer to a verified request that is no event but a question to the endpoint: Slack's `url_verification`, Zoom's validation, Discord's
    /// PING, the confirmation of an SNS subscription. `nil` for everything else, and for a body that came in pieces.
    public func challenge(_ verified: Verified) -> WebhookChallenge? {
        let told = native.challenge(verdict: verified.told, body: verified.body)
        guard !told.isEmpty else { return nil }
        let json = JSONReader.read(Array(told.utf8))
        guard let status = json["status"]?.int, let type = json["contentType"]?.string, let body = json["body"]?.string else { return nil }
        return WebhookChallenge(status: status, contentType: type, body: body, visit: json["visit"]?.string)
    }

    /// Says why a request does not verify: tries what commonly goes wrong, and names the first cause that fits. Never show it to the sender.
    public func diagnose(
        _ body: Data, headers: Headers, now: Date? = nil, url: String? = nil, method: String? = nil
    ) -> WebhookDiagnosis {
        let told = native.diagnose(body: body, headers: lines(headers, url, method, all: true), nowSeconds: at(now))
        guard let end = told.firstIndex(of: "\n"), told.utf8.first != 0x7B else {
            let details = WebhookError.Details(json: told)
            return WebhookDiagnosis(code: details.code, message: details.message)
        }
        return WebhookDiagnosis(code: String(told[..<end]), message: String(told[told.index(after: end)...]))
    }

    /// Says why a request does not verify, in words for the developer. Never show it to the sender.
    public func explain(_ body: Data, headers: Headers, now: Date? = nil, url: String? = nil, method: String? = nil) -> String {
        diagnose(body, headers: headers, now: now, url: url, method: method).message
    }

    /// Says why a request does not verify whose body is text, in words for the developer. Never show it to the sender.
    public func explain(_ body: String, headers: Headers, now: Date? = nil, url: String? = nil, method: String? = nil) -> String {
        explain(Data(body.utf8), headers: headers, now: now, url: url, method: method)
    }

    /// Signs a body, for tests and for senders: the headers to send with it.
    ///
    /// - Parameters:
    ///   - messageID: The message's id; the same when it is sent again.
    ///   - timestamp: When it is sent. Default: now.
    /// - Throws: ``WebhookError/invalidSecret(_:)`` where no secret can sign, or the id cannot be sent.
    public func sign(_ body: Data, messageID: String, timestamp: Date? = nil) throws -> Headers {
        try signRequest(body, messageID: messageID, timestamp: timestamp).headers
    }

    /// Signs a body that is text.
    ///
    /// - Throws: ``WebhookError/invalidSecret(_:)`` where no secret can sign, or the id cannot be sent.
    public func sign(_ body: String, messageID: String, timestamp: Date? = nil) throws -> Headers {
        try sign(Data(body.utf8), messageID: messageID, timestamp: timestamp)
    }

    /// Signs a request by any scheme but SendGrid, SNS and PayPal, which sign with keys that only they have.
    ///
    /// - Parameters:
    ///   - messageID: The message's id, for schemes that have one.
    ///   - url: Where it is sent, for schemes that sign it.
    ///   - timestamp: When it is sent. Default: now.
    /// - Throws: ``WebhookError/invalidSecret(_:)`` where no secret can sign, or the scheme needs more.
    public func signRequest(
        _ body: Data, messageID: String? = nil, url: String? = nil, timestamp: Date? = nil
    ) throws -> SignedWebhook {
        let told = native.signRequest(body: body, id: messageID ?? "", url: url ?? "", timestampSeconds: at(timestamp))
        let json = JSONReader.read(Array(told.utf8))
        guard let pairs = json["headers"]?.array else {
            throw WebhookError.invalidSecret(.init(json: told))
        }
        let headers = pairs.compactMap { pair -> (String, String)? in
            guard let name = pair[0]?.string, let value = pair[1]?.string else { return nil }
            return (name, value)
        }
        return SignedWebhook(
            headers: Headers(headers), body: json["body"]?.string.map { Data($0.utf8) } ?? body, url: json["url"]?.string ?? url)
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

    private func at(_ time: Date?) -> Double {
        (time ?? clock()).wholeSeconds
    }

    /// A request as lines, a name and a value in turns, before the headers those of `:url` and `:method`. No header has a line break; were there
    /// one, what comes after it is no other header, but a control character, which is refused where it matters. None begins with a colon either,
    /// but HTTP/2's own, which are no part of it.
    private func lines(_ headers: Headers, _ url: String?, _ method: String?, all: Bool = false) -> String {
        var lines = ""
        func line(_ text: String) {
            if text.utf8.contains(0x0A) {
                lines.unicodeScalars.append(contentsOf: text.unicodeScalars.map { $0 == "\n" ? "\r" : $0 })
            } else {
                lines += text
            }
            lines.unicodeScalars.append("\n")
        }
        for (name, value) in [(":url", url), (":method", method)] {
            if let value {
                line(name)
                line(value)
            }
        }
        for (name, value) in headers where !name.hasPrefix(":") && (all || !isDefaultScheme || name.lowercased().hasPrefix("webhook-")) {
            line(name)
            line(value)
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
