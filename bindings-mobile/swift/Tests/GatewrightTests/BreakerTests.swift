// The breaker, regions, hedging and the cache, as they are set.

import Foundation
import Gatewright
import XCTest

final class BreakerTests: XCTestCase {
    func testABreakerOpensAsItIsSet() async throws {
        let session = try Session()
        try await session.faults(["match": ["op": "contacts.list"], "script": ["500", "500", "500"]])
        let client = try session.client {
            $0.retry = .none
            $0.breaker = Breaker(failureRate: 1, minimumCalls: 2, open: .seconds(60))
        }
        for _ in 0..<2 {
            let error = try await failed { _ = try await client.get("/v1/contacts") }
            XCTAssertEqual(error.status, 500)
        }
        let error = try await failed { _ = try await client.get("/v1/contacts") }
        guard case .circuitOpen(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertNotNil(failure.retryAfter)
        let sent = try await session.journal().count
        XCTAssertEqual(sent, 2)
    }

    func testWithoutABreakerEverythingIsSent() async throws {
        let session = try Session()
        try await session.faults(["match": ["op": "contacts.list"], "random": ["p": 1, "kinds": ["500"]]])
        let client = try session.client {
            $0.retry = .none
            $0.breaker = nil
        }
        for _ in 0..<40 {
            _ = try await failed { _ = try await client.get("/v1/contacts") }
        }
        let sent = try await session.journal().count
        XCTAssertEqual(sent, 40)
    }

    func testARegionThatIsDownIsLeftForAnother() async throws {
        let session = try Session()
        let elsewhere = session.configuration { $0.regions = [session.url] }
        let client = try Client(baseURL: "http://127.0.0.1:1", configuration: elsewhere)
        let response = try await client.get("/v1/contacts")
        XCTAssertEqual(response.attempts.map(\.region), ["127.0.0.1:1", session.url.replacingOccurrences(of: "http://", with: "")])
    }

    func testASlowAnswerIsHedged() async throws {
        let session = try Session()
        try await session.faults(["match": ["op": "contacts.list"], "script": ["latency=15000", "ok"]])
        let client = try session.client { $0.hedge = .after(.milliseconds(20)) }
        let response = try await client.get("/v1/contacts")
        XCTAssertEqual(response.attempts.map(\.isHedge), [false, true])
    }

    func testAFreshAnswerIsSentOnce() async throws {
        let session = try Session()
        try await session.set(["response_headers": [["op": "contacts.list", "set": ["cache-control": "max-age=60"]]]])
        let client = try session.client { $0.cache = Cache(maxBytes: 1_000_000) }
        let first = try await client.get("/v1/contacts")
        let second = try await client.get("/v1/contacts")
        XCTAssertEqual(second.data, first.data)
        let sent = try await session.journal().count
        XCTAssertEqual(sent, 1)
    }

    func testWrongSettingsAreNamed() async throws {
        var rate = Configuration()
        rate.breaker = Breaker(failureRate: 2)
        var none = Configuration()
        none.maxConcurrency = 0
        var zero = Configuration()
        zero.hedge = .after(.zero)
        for (configuration, name) in [(rate, "breaker.failureRate"), (none, "maxConcurrency"), (zero, "hedge")] {
            let error = try await failed { try Client(baseURL: "https://api.example.com", configuration: configuration) }
            XCTAssertTrue(error.message.contains(name), error.message)
        }
    }
}
