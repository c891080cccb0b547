import Foundation

/// Handlers by the type of an event, each with a model of your own.
///
/// ```swift no-run
/// let events = WebhookEvents()
///     .on("user.created", UserCreated.self) { event in try await welcome(event.data.name) }
///     .on("user.deleted", JSONValue.self) { event in try await forget(event) }
///
/// guard try await events.dispatch(webhook.verify(body, headers: headers)) else { return .noContent }
/// ```
public struct WebhookEvents: Sendable {
    private var handlers: [String: @Sendable (Verified) async throws -> Void] = [:]
    private let typeOf: @Sendable (Verified) -> String?

    /// Without handlers yet.
    ///
    /// - Parameter typeOf: Where an event says its type. Default: in the member `type` of its body.
    public init(typeOf: @escaping @Sendable (Verified) -> String? = WebhookEvents.typeMember) {
        self.typeOf = typeOf
    }

    /// The member `type` of a body.
    public static func typeMember(_ verified: Verified) -> String? {
        try? verified.decode(Typed.self).type
    }

    /// The same with a handler for this type of event, which takes what its body is decoded to. The last handler of a type counts.
    public func on<Event: Decodable>(
        _ type: String, _ model: Event.Type = Event.self, handler: @escaping @Sendable (Event) async throws -> Void
    ) -> WebhookEvents {
        var more = self
        more.handlers[type] = { verified in try await handler(verified.decode(Event.self)) }
        return more
    }

    /// Runs the handler of an event's type; `false` where there is none.
    ///
    /// - Throws: `DecodingError` where the body is of another shape than the handler's model, and what the handler throws.
    public func dispatch(_ verified: Verified) async throws -> Bool {
        guard let type = typeOf(verified), let handler = handlers[type] else { return false }
        try await handler(verified)
        return true
    }

    private struct Typed: Decodable {
        let type: String
    }
}
