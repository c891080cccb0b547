// Carries out the operations of the protocol: each in a task of its own, many at once.

import Foundation
import Gatewright
import Synchronization

/// What the harness asked for and the adapter cannot do.
struct Unsupported: Error {
    let what: String

    init(_ what: String) { self.what = what }
}

/// A client of a scenario, and how often it called back.
struct Opened {
    let client: Client
    let counts: Counts
}

final class Adapter: Sendable {
    static let capabilities: JSON = [
        "api_key_cookie", "breaker", "cache", "cancel", "concurrency", "connections", "credentials", "download", "events", "explain",
        "failure_kinds", "float_times", "hedging", "hooks", "idempotency", "input_errors", "interruptible_callbacks", "json_lines",
        "min_throughput", "oauth", "oauth_login", "only_cache", "pages", "pacing", "partial_bodies", "redirects", "regions",
        "replayable_upload", "signatures", "stream_download", "stream_upload", "tls", "token_callback", "trace_context",
        "truncated_encodings", "upload", "webhook_asymmetric", "webhook_schemes", "webhook_sign", "webhook_verify",
    ]

    static let lacks: JSON = [:]

    private let clients = Mutex<[String: Opened]>([:])
    private let underWay = Mutex<[JSON: Task<Void, Never>]>([:])

    /// Begins to carry a request out; its answer is written when it is there.
    func begin(_ request: JSON) {
        let id = request.member("id") ?? .null
        if request.member("op")?.string == "cancel" {
            // It may just have ended by itself.
            let target = underWay.withLock { tasks in request.member("target").flatMap { tasks[$0] } }
            target?.cancel()
            return Lines.write(["id": id, "ok": true])
        }
        // Held while the task is made, so that its end cannot come before its name is known.
        underWay.withLock { tasks in
            tasks[id] = Task.detached {
                let answer = await self.answer(request)
                self.underWay.withLock { _ = $0.removeValue(forKey: id) }
                Lines.write(answer.with(["id": id]))
            }
        }
    }

    private func answer(_ request: JSON) async -> JSON {
        do {
            return try await carryOut(request)
        } catch let error as Unsupported {
            return ["unsupported": .string(error.what)]
        } catch {
            return failed(error)
        }
    }

    private func carryOut(_ request: JSON) async throws -> JSON {
        switch request.member("op")?.string {
        case "hello":
            return [
                "protocol": 1, "sdk": .string("Gatewright \(Gatewright.version) for Swift"),
                "capabilities": Self.capabilities, "lacks": Self.lacks,
            ]
        case "client.open":
            return try open(request)
        case "client.clear_cache":
            try opened(request).client.clearCache()
            return ["ok": true]
        case "client.shut":
            try opened(request).client.close()
            return ["ok": true]
        case "client.close":
            let opened = try opened(request)
            clients.withLock { _ = $0.removeValue(forKey: name(request)) }
            opened.client.close()
            return opened.counts.shown()
        case "call":
            return try await call(opened(request).client, request.member("request") ?? [:])
        case "webhook.sign", "webhook.verify":
            return try webhook(request)
        case let other:
            throw Unsupported("the operation \(other ?? "without a name")")
        }
    }

    private func name(_ request: JSON) -> String { request.member("client")?.string ?? "" }

    private func opened(_ request: JSON) throws -> Opened {
        guard let opened = clients.withLock({ $0[name(request)] }) else {
            throw Unsupported("the client \(name(request)), which is not open")
        }
        return opened
    }

    private func open(_ request: JSON) throws -> JSON {
        let options = request.member("options") ?? [:]
        let counts = Counts()
        let client = try Client(
            baseURL: options.member("base_url")?.string ?? "", configuration: configuration(options, counts))
        clients.withLock { $0[name(request)] = Opened(client: client, counts: counts) }
        return ["ok": true, "shown": .array(shown(client))]
    }

    private func call(_ client: Client, _ request: JSON) async throws -> JSON {
        switch request.member("mode")?.string ?? "whole" {
        case "whole": try await whole(client, request)
        case "stream": try await streamed(client, request)
        case "pages": try await pages(client, request)
        case "events": try await events(client, request)
        case "explain": try explain(client, request)
        case "login": try await login(client, request)
        case "json_lines": try await jsonLines(client, request)
        case "download": try await download(client, request)
        case "upload": try await upload(client, request)
        case let other: throw Unsupported("the mode \(other)")
        }
    }
}
