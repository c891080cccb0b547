// Run it: cargo xtask demo swift    (or beside a running gateway: swift run quickstart)
// Everything that an API client should do by itself, seen to happen: pages, retries, exactly once, pacing, webhooks.

import Foundation
import Gatewright

struct Contact: Codable, Sendable {
    var id: String?
    var name: String
    var email: String?
}

@main
struct Quickstart {
    static func main() async throws {
        var quickstart = try Quickstart()
        try await quickstart.pages()
        try await quickstart.exactlyOnce()
        try await quickstart.pacing()
        try await quickstart.webhooks()
        quickstart.terminal.end()
        exit(quickstart.terminal.failed.isEmpty ? 0 : 1)
    }

    private static let environment = ProcessInfo.processInfo.environment
    private let url = environment["GATEWRIGHT_URL"] ?? "http://127.0.0.1:4010"
    private let session = "quickstart-\(UUID().uuidString.prefix(8))"  // a world of its own in the gateway
    private let admin: Client
    private var terminal = Terminal()

    private init() throws {
        let url = Self.environment["GATEWRIGHT_ADMIN_URL"] ?? "http://127.0.0.1:4011"
        admin = try Client(baseURL: "\(url)/admin", auth: .none)
    }

    private func connect(_ key: String) throws -> Client {
        var configuration = Configuration(auth: .bearer(key))
        configuration.headers = ["x-mock-session": session]
        return try Client(baseURL: url, configuration: configuration)
    }

    private mutating func pages() async throws {
        terminal.headline("1  Pages", "client.items() fetches page after page as you go")
        let client = try connect("sk_test_pro_acme")
        var number = 0
        for try await page in client.pages("/v1/contacts", query: ["limit": 20]) {
            number += 1
            let contacts = try page.items(as: Contact.self)
            print("   page \(number): \(contacts.count) contacts, the first is \(contacts[0].name)")
        }
        var names: [String] = []
        for try await contact in client.items("/v1/contacts", as: Contact.self, query: ["limit": 20]) {
            names.append(contact.name)
        }
        terminal.check(names.count == 45, "\(names.count) contacts in all")
    }

    private mutating func exactlyOnce() async throws {
        terminal.headline("2  Exactly once", "a POST through a connection reset and a 503")
        let rule = Rule(match: ["op": "contacts.create"], script: ["reset", "503"])
        try await admin.put("faults", json: ["rules": [rule]], query: ["session": session])
        let client = try connect("sk_test_pro_acme")
        let created = try await client.post("/v1/contacts", json: Contact(name: "Ada Lovelace", email: "ada@example.com"))
        terminal.timeline(created.attempts)
        let effects = try await ask("effects", "contacts.create", as: Effects.self)
        let journal = try await ask("journal", "contacts.create", as: Journal.self)
        let keys = Set(journal.entries.map { $0.header("idempotency-key") })
        let id = try created.decode(Contact.self).id ?? "nothing"
        terminal.check(created.status == 201, "created \(id) with attempt \(created.attempts.count)")
        terminal.check(created.attempts.count == 3 && keys.count == 1, "all attempts carried the same idempotency key")
        terminal.check(effects.count == 1, "the gateway counts \(effects.count) side effect")
    }

    private mutating func pacing() async throws {
        terminal.headline("3  Pacing", "12 calls at once where 3 per 2 s are allowed")
        let client = try connect("sk_test_tiny_acme")
        let clock = ContinuousClock()
        let begun = clock.now
        let answers = try await withThrowingTaskGroup(of: Response.self) { calls in
            for _ in 0..<12 {
                calls.addTask { try await client.get("/v1/whoami") }
            }
            return try await calls.reduce(into: []) { $0.append($1) }
        }
        let took = seconds(clock.now - begun)
        for (index, answer) in answers.enumerated() {
            terminal.sent(index + 1, at: seconds(answer.attempts[0].started), of: took)
        }
        let shortest = Double(12 - 3) * 2 / 3  // a burst of 3 at once, then one every 2/3 s
        let entries = try await ask("journal", "whoami", as: Journal.self).entries
        let refused = entries.count { $0.status == 429 }
        // On a busy machine a call may be long on its way, and the next then comes too early.
        terminal.check(refused <= 2 && entries.count == 12 + refused, "\(refused) answers were 429")
        let times = "took \(decimals(took, 2)) s; the shortest possible time is \(decimals(shortest, 2)) s"
        terminal.check(took <= shortest * 2, times)
    }

    private mutating func webhooks() async throws {
        terminal.headline("4  Webhooks", "a signed event comes in, and a tampered one stays out")
        let receiver = try Receiver()
        let hook = Hook(url: "http://127.0.0.1:\(receiver.port)/hook", types: ["contact.created"])
        let endpoint = try await admin.post("webhooks/endpoints", json: hook, query: ["session": session])
        async let delivery = receiver.request()
        try await connect("sk_test_pro_acme").post("/v1/contacts", json: Contact(name: "Grace Hopper"))
        let (headers, body) = try await delivery

        let webhook = try Webhook(secret: endpoint.decode(Endpoint.self).secret)
        let event = try webhook.verify(body, headers: Headers(headers)).decode(Event.self)
        terminal.check(event.type == "contact.created", "verified \(event.type): \(event.data.name)")
        let tampered = String(decoding: body, as: UTF8.self).replacing("Grace", with: "Mallory")
        do {
            _ = try webhook.verify(Data(tampered.utf8), headers: Headers(headers))
            terminal.check(false, "refused the tampered one")
        } catch let error as WebhookError {
            terminal.check(error.code == "bad_signature", "refused the tampered one: \(error.code)")
        }
    }

    private func ask<Answer: Decodable>(_ what: String, _ operation: String, as type: Answer.Type) async throws -> Answer {
        try await admin.get(what, query: ["session": session, "op": operation]).decode(type)
    }
}
