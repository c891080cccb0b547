import Foundation
internal import GatewrightNative

/// Remembers which messages were handled, so that each is handled once.
///
/// Reserve its key (``Verified/replayKey(sender:)``), handle it, then commit, or release where the handler failed; ``once(_:now:handle:)`` does all
/// three. A handler that crashes loses its reservation when the lease ends. ``MemoryReplayGuard`` is for one process. Where several receive,
/// implement this over a store of your own; each function must be atomic among all users of the store.
public protocol ReplayGuard: Sendable {
    /// Asks for the message of this key, 64 hexadecimal digits. What this throws, answer with 503: the sender tries again.
    func reserve(_ key: String, now: Date) async throws -> Reserved
    /// The handler succeeded: the message is done. `false` where the lease had ended, and another may have handled it.
    func commit(_ key: String, token: String, now: Date) async throws -> Bool
    /// The handler failed: the message may be tried again at once. `false` where the lease had ended.
    func release(_ key: String, token: String, now: Date) async throws -> Bool
}

/// The answer to ``ReplayGuard/reserve(_:now:)``.
public enum Reserved: Sendable, Hashable {
    /// Never seen, or its handler failed: handle it now, then commit or release. The token tells this reservation from every other.
    case new(token: String)
    /// Another handler has it until then at the latest. Answer 503: should that one fail, the sender tries again.
    case inProgress(until: Date)
    /// Already handled. Answer 200 and do nothing.
    case alreadyDone
    /// The store has no room. Answer 503.
    case full
}

/// What became of a message; see ``ReplayGuard/once(_:now:handle:)``.
public enum Once: Sendable, Hashable {
    /// The handler has handled it.
    case handled
    /// It was handled before; nothing was done.
    case alreadyDone
    /// Another handler has it; the sender shall try again.
    case inProgress
    /// There is no room to remember it; the sender shall try again.
    case full

    /// What to answer the sender with.
    public var status: Int {
        switch self {
        case .handled, .alreadyDone: 200
        case .inProgress, .full: 503
        }
    }
}

extension ReplayGuard {
    /// Handles the message of this key if nobody has: reserves it, runs the handler, and commits; or releases it where the handler throws, and
    /// throws that on.
    ///
    /// ```swift no-run
    /// let status = try await guard.once(verified.replayKey(sender: "billing")) { try await handle(verified.decode(Event.self)) }.status
    /// ```
    public func once(
        _ key: String, now: @Sendable () -> Date = { Date() }, handle: () async throws -> Void
    ) async throws -> Once {
        let token: String
        switch try await reserve(key, now: now()) {
        case .new(let reserved): token = reserved
        case .inProgress: return .inProgress
        case .alreadyDone: return .alreadyDone
        case .full: return .full
        }
        do {
            try await handle()
        } catch {
            let at = now()
            // In a task of its own: who was cancelled must not leave the message reserved. The handler's own error is the one to tell.
            _ = await Task { try await release(key, token: token, now: at) }.result
            throw error
        }
        let at = now()
        _ = try await Task { try await commit(key, token: token, now: at) }.value
        return .handled
    }
}

/// Remembers messages in memory: bounded, gone with the process.
///
/// When it is full, those done longest ago make room, but none within the replay window; if there are none, the answer is ``Reserved/full``.
public final class MemoryReplayGuard: ReplayGuard {
    private let native: NativeReplayGuard

    /// A guard.
    ///
    /// - Parameters:
    ///   - entries: The most messages remembered, about 200 bytes each.
    ///   - retention: How long a handled message is remembered: at least the sender's whole span of retries.
    ///   - lease: How long a handler may take before it is taken for crashed.
    ///   - replayWindow: How long a handled message is never forgotten, however full it is: at least both tolerances of the webhook together.
    /// - Throws: ``WebhookError/invalidSecret(_:)`` for a setting that cannot be used.
    public init(
        entries: Int = 100_000, retention: Duration = .seconds(4 * 24 * 3600), lease: Duration = .seconds(300),
        replayWindow: Duration = .seconds(600)
    ) throws {
        var json = JSONWriter()
        json.member("entries", entries)
        json.member("retention", whole: retention)
        json.member("lease", whole: lease)
        json.member("replayWindow", whole: replayWindow)
        do {
            native = try NativeReplayGuard(settings: json.object ?? "{}")
        } catch let error as NativeError {
            throw WebhookError.invalidSecret(.init(json: error.json))
        }
    }

    /// Asks for the message of this key.
    ///
    /// - Throws: ``WebhookError/invalidSecret(_:)`` for what is no key.
    public func reserve(_ key: String, now: Date) throws -> Reserved {
        let told = native.reserve(key: key, nowSeconds: now.wholeSeconds)
        let lines = told.split(separator: "\n")
        switch lines.first {
        case "new" where lines.count == 2: return .new(token: String(lines[1]))
        case "in_progress" where lines.count == 2: return .inProgress(until: Date(timeIntervalSince1970: Double(lines[1]) ?? 0))
        case "already_done": return .alreadyDone
        case "full": return .full
        default: throw WebhookError.invalidSecret(.init(json: told))
        }
    }

    /// The handler succeeded.
    ///
    /// - Throws: ``WebhookError/invalidSecret(_:)`` for what is no key or token.
    public func commit(_ key: String, token: String, now: Date) throws -> Bool {
        try MemoryReplayGuard.settled(native.commit(key: key, token: token, nowSeconds: now.wholeSeconds))
    }

    /// The handler failed.
    ///
    /// - Throws: ``WebhookError/invalidSecret(_:)`` for what is no key or token.
    public func release(_ key: String, token: String, now: Date) throws -> Bool {
        try MemoryReplayGuard.settled(native.release(key: key, token: token, nowSeconds: now.wholeSeconds))
    }

    private static func settled(_ told: String) throws -> Bool {
        switch told {
        case "settled": return true
        case "lost": return false
        default: throw WebhookError.invalidSecret(.init(json: told))
        }
    }
}

extension Date {
    /// Unix seconds, whole.
    var wholeSeconds: Double { timeIntervalSince1970.rounded(.down) }
}
