// Calls that come and go leave nothing behind.

import Foundation
@testable import Gatewright
import XCTest

final class GrowthTests: XCTestCase {
    /// Runs so many calls, 64 at a time.
    private func calls(_ count: Int, _ call: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<64 {
                group.addTask {
                    for number in stride(from: lane, to: count, by: 64) {
                        try await call(number)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    func testTenThousandCallsGrowNeitherMemoryNorThreadsNorFiles() async throws {
        let session = try Session()
        try await session.set(["journal_entries": 100])
        let files = openFiles()
        let client = try session.client { $0.afterAttempt = { _ in } }
        let one: @Sendable (Int) async throws -> Void = { number in
            switch number % 5 {
            case 0:
                _ = try await client.post("/v1/echo", json: ["number": number])
            case 1:
                _ = try await thrown { try await client.get("/v1/contacts/nope") }
            case 2:
                let call = Task { _ = try await client.get("/v1/delay/60000") }
                try await Task.sleep(for: .microseconds(number % 7 * 100))
                call.cancel()
                _ = try await thrown { try await call.value }
            case 3:
                let response = try await client.stream("POST", "/v1/echo", body: .replayable { pieces(Data("x".utf8)) })
                if number % 2 == 0 {
                    _ = try await response.data()
                }
            default:
                _ = try await client.get("/v1/whoami").decode(Whoami.self)
            }
        }
        // Allocators, caches and the pool of connections fill up in the first rounds; what leaks grows in each of them.
        try await calls(1_000, one)
        var growth: [Int] = []
        // 100 bytes for each call would be 250 000 a round.
        while growth.count < 4 || (growth.allSatisfy { $0 >= 250_000 } && growth.count < 12) {
            let before = residentBytes()
            try await calls(2_500, one)
            try await client.idle()
            growth.append(residentBytes() - before)
        }
        XCTAssertTrue(growth.contains { $0 < 250_000 }, "\(growth)")
        XCTAssertLessThanOrEqual(libraryThreads().count, 2)
        client.close()
        try await until("the end of all connections") { openFiles() <= files + 16 }
    }

    func testWhatCancelledCallbacksThrowIsNotKept() async throws {
        let session = try Session()
        let asked = Counter()
        let client = try session.client {
            $0.beforeAttempt = { _ in
                asked.add()
                try await Task.sleep(for: .seconds(600))
            }
        }
        let calls = (0..<100).map { _ in Task { _ = try await client.get("/v1/whoami") } }
        try await until { asked.count == 100 }
        calls.forEach { $0.cancel() }
        for call in calls {
            let error = try await thrown { try await call.value }
            XCTAssertTrue(error is CancellationError, "\(error)")
        }
        try await client.idle()
        try await until("the end of what was thrown") { Questions.callsWithCauses == 0 }
    }

    func testAnswersThatAreDroppedAreFreed() async throws {
        let client = try Session().client()
        _ = try await client.get("/v1/bytes/1000000")
        let before = residentBytes()
        for _ in 0..<200 {
            _ = try await client.get("/v1/bytes/1000000")
        }
        XCTAssertLessThan(residentBytes() - before, 50_000_000)
    }
}
