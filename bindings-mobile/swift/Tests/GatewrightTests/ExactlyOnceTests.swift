// 2 000 POSTs through 30 % faults of every kind are 2 000 side effects: none lost, none doubled.

import Foundation
import Gatewright
import XCTest

final class ExactlyOnceTests: XCTestCase {
    private static let calls = 2_000
    private static let atOnce = 64

    func testExactlyOnceSeedOne() async throws {
        try await exactlyOnce(seed: 1)
    }

    func testExactlyOnceSeedTwo() async throws {
        try await exactlyOnce(seed: 2)
    }

    private func exactlyOnce(seed: Int64) async throws {
        let kinds: JSONValue = ["reset", "commit_reset", "503", "429", "lost", "commit_fin", "fin", "reset@100", "short"]
        let session = try Session()
        try await session.faults([
            // At most ten faults a call, so that twelve attempts are always enough.
            "match": ["op": "contacts.create"], "random": ["p": 0.3, "seed": .integer(seed), "kinds": kinds, "max_per_call": 10],
        ])
        let client = try session.client {
            // Faults by design are no reason to leave the host alone.
            $0.breaker = nil
            $0.retry = RetryPolicy(maxAttempts: 12, backoffBase: .milliseconds(1), backoffCap: .milliseconds(5), budget: 100_000)
            $0.timeout = .seconds(120)
        }
        let answers = try await withThrowingTaskGroup(of: [Response].self) { group in
            for lane in 0..<ExactlyOnceTests.atOnce {
                group.addTask {
                    var answers: [Response] = []
                    for number in stride(from: lane, to: ExactlyOnceTests.calls, by: ExactlyOnceTests.atOnce) {
                        let contact = Contact(name: "Contact \(number)", externalID: "x-\(number)")
                        answers.append(try await client.post("/v1/contacts", json: contact))
                    }
                    return answers
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let ids = try answers.map { try $0.decode(Contact.self).id }
        XCTAssertEqual(Set(ids).count, ExactlyOnceTests.calls)
        let effects = try await session.effects()
        XCTAssertEqual(effects["count"]?.int, ExactlyOnceTests.calls)
        XCTAssertEqual(effects["by_key"], ["distinct": .integer(Int64(ExactlyOnceTests.calls)), "duplicates": 0, "without_key": 0])
        XCTAssertEqual(effects["distinct_external_ids"]?.int, ExactlyOnceTests.calls)
        XCTAssertEqual(effects["doubled"], [])
        let faults = try await session.journal().filter { $0.fault != nil }.count
        XCTAssertEqual(faults, answers.reduce(0) { $0 + $1.attempts.count - 1 })
        XCTAssertGreaterThan(Double(faults), Double(ExactlyOnceTests.calls) * 0.3)
    }
}
