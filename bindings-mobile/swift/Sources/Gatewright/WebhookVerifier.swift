import Foundation
internal import GatewrightNative

/// A verification whose body comes in pieces; see ``Webhook/verifier(headers:now:url:method:)``. Trust nothing before ``finish()`` has returned.
public final class WebhookVerifier: Sendable {
    private let native: NativeVerifier

    init(_ native: NativeVerifier) {
        self.native = native
    }

    /// Takes the next piece of the body.
    ///
    /// - Throws: ``WebhookError/notVerified(_:)`` where the body is too large; read no further.
    public func update(_ piece: Data) throws {
        let wrong = native.update(piece: piece)
        if !wrong.isEmpty {
            throw WebhookError.refused(wrong)
        }
    }

    /// Ends it, once: what was proven. The body was not kept, so ``Verified/body`` is empty.
    ///
    /// - Throws: ``WebhookError/notVerified(_:)`` where the request is not what it claims to be.
    public func finish() throws -> Verified {
        let told = native.finish()
        guard let verified = Verified(lines: told, body: Data()) else {
            throw WebhookError.refused(told)
        }
        return verified
    }
}
