// Traces, floors of throughput, the queue's limit, and the observer of calls.

import Foundation
import Gatewright
import XCTest

final class ObserverTests: XCTestCase {
    private let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    func testEachAttemptIsASpanOfTheCallersTrace() async throws {
        let session = try Session()
        try await session.script("contacts.get", "503", "ok")
        let client = try session.client()
        let trace = TraceContext(traceparent: parent, tracestate: "vendor=abc,other=1")
        try await client.get("/v1/contacts/ct_000001", options: .init(traceContext: trace, urlTemplate: "/v1/contacts/{id}"))
        let sent = try await session.header("traceparent").map { $0 ?? "" }
        XCTAssertEqual(Set(sent).count, 2)
        XCTAssertTrue(sent.allSatisfy { $0.hasPrefix(parent.prefix(36)) && $0.hasSuffix("-01") && $0 != parent }, "\(sent)")
        let states = try await session.header("tracestate")
        XCTAssertEqual(states, ["vendor=abc,other=1", "vendor=abc,other=1"])
    }

    func testATraceThatIsNoneIsRefusedBeforeAnythingIsSent() async throws {
        let session = try Session()
        let error = try await failed {
            try await session.client().get("/v1/whoami", options: .init(traceContext: TraceContext(traceparent: "canary")))
        }
        guard case .invalidRequest(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.message.contains("`traceparent`"), failure.message)
        XCTAssertFalse("\(error)".contains("canary"))
        let journal = try await session.journal()
        XCTAssertEqual(journal.count, 0)
    }

    func testTransfersAndLinesCarryTheTraceToo() async throws {
        let session = try Session()
        let client = try session.client()
        let trace = TraceContext(traceparent: parent)
        for try await _ in client.jsonLines("/v1/lines/1", as: JSONValue.self, options: .init(traceContext: trace)) {}
        for try await _ in try await client.download("/v1/bytes/10", options: .init(traceContext: trace)) {}
        try await client.upload("/v1/files", body: .text("hello"), options: .init(traceContext: trace))
        let sent = try await session.header("traceparent").map { $0 ?? "" }
        XCTAssertEqual(sent.count, Set(sent).count)
        XCTAssertGreaterThanOrEqual(sent.count, 5)
        XCTAssertTrue(sent.allSatisfy { $0.hasPrefix(parent.prefix(36)) }, "\(sent)")
    }

    func testABodySlowerThanTheFloorIsATimeout() async throws {
        let session = try Session()
        let floor = MinThroughput(bytesPerSecond: 1000, grace: .milliseconds(300))
        let strict = try session.client {
            $0.minThroughput = floor
            $0.retry.maxAttempts = 1
        }
        let endless = "/v1/drip?bytes=1000&interval_ms=50"
        let slow = "/v1/drip?bytes=12&interval_ms=50"
        let error = try await failed { try await strict.stream("GET", endless).text() }
        guard case .timeout(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.message.contains("where at least 1000 bytes/s are wanted"), failure.message)
        XCTAssertTrue(failure.message.contains("`minThroughput`"), failure.message)
        let patient = try await strict.stream("GET", slow, options: .init(minThroughput: .off)).text()
        XCTAssertEqual(patient.count, 12)
        let usual = try session.client()
        let own = try await failed { try await usual.stream("GET", endless, options: .init(maxAttempts: 1, minThroughput: floor)).text() }
        guard case .timeout = own else { return XCTFail("\(own)") }
        let wrong = try await failed { try await usual.get("/v1/whoami", options: .init(minThroughput: MinThroughput(bytesPerSecond: -1))) }
        guard case .invalidRequest = wrong else { return XCTFail("\(wrong)") }
    }

    func testMoreCallsThanTheQueueTakesAreRefused() async throws {
        let session = try Session()
        let client = try session.client {
            $0.quota = "1/min"
            $0.maxQueue = 0
        }
        try await client.get("/v1/whoami")
        let error = try await failed { try await client.get("/v1/whoami") }
        guard case .rateLimited = error else { return XCTFail("\(error)") }
        let wrong = try await failed { try session.client { $0.maxQueue = -1 } }
        guard case .invalidConfig = wrong else { return XCTFail("\(wrong)") }
        XCTAssertTrue(wrong.message.contains("`maxQueue` is -1"), wrong.message)
    }

    func testAnObserverIsToldOfEachCallThatIsOver() async throws {
        let session = try Session()
        try await session.script("contacts.get", "503", "ok")
        let (calls, told) = AsyncStream.makeStream(of: ObservedCall.self)
        let client = try session.client { $0.observer = { told.yield($0) } }
        var over = calls.makeAsyncIterator()
        let options = RequestOptions(traceContext: TraceContext(traceparent: parent), urlTemplate: "/v1/contacts/{id}")
        try await client.get("/v1/contacts/ct_000001", options: options)
        let call = await over.next()
        XCTAssertEqual(call?.method, "GET")
        XCTAssertEqual(call?.urlTemplate, "/v1/contacts/{id}")
        XCTAssertEqual(call?.traceparent, parent)
        XCTAssertEqual(call?.host, "127.0.0.1")
        XCTAssertEqual(call?.status, 200)
        XCTAssertNil(call?.error)
        XCTAssertEqual(call?.attempts.map(\.status), [503, 200])
        XCTAssertEqual(call?.attempts.map(\.error), ["503", nil])
        XCTAssertNotNil(call?.attempts.last?.started)
        let task = Task { try await client.get("/v1/delay/60000") }
        try await until("a call") { try await session.journal().count == 3 }
        task.cancel()
        _ = try await thrown { try await task.value }
        let cancelled = await over.next()
        XCTAssertEqual(cancelled?.error, "cancelled")
        XCTAssertEqual(cancelled?.attempts.map(\.error), ["cancelled"])
    }
}
