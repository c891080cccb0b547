// What a client says of itself: explanations, its state, and how the cache took part.

import Foundation
import Gatewright
import XCTest

final class ExplainTests: XCTestCase {
    func testItSaysWhatWouldBeDoneAndSendsNothing() async throws {
        let session = try Session()
        let client = try session.client()
        var supposed = Supposition.status(503)
        supposed.headers = ["retry-after": "7"]
        supposed.path = "/v1/contacts"
        let explained = try client.explain(supposed)
        guard case .retry(_, let wait) = explained.decision else { return XCTFail("\(explained)") }
        XCTAssertGreaterThanOrEqual(wait.lowerBound, .seconds(7))
        XCTAssertEqual(explained.retryAfter, .seconds(7))
        XCTAssertTrue(explained.isRepeatable)
        XCTAssertEqual(explained.counted, .failure)
        XCTAssertFalse(explained.reasons.isEmpty)
        XCTAssertTrue("\(explained)".contains("503"), "\(explained)")
        var post = Supposition.failure(.connectionLost)
        post.method = "POST"
        post.hasIdempotencyKey = false
        guard case .giveUp = try client.explain(post).decision else { return XCTFail() }
        guard case .return = try client.explain(.status(200)).decision else { return XCTFail() }
        let sent = try await session.journal().count
        XCTAssertEqual(sent, 0)
    }

    func testWhatCannotBeSupposedIsRefused() async throws {
        let client = try Session().client()
        let error = try await failed { try client.explain(.status(42)) }
        guard case .invalidRequest = error else { return XCTFail("\(error)") }
    }

    func testTheStateHasBreakerSlotsRegionsAndCache() async throws {
        let session = try Session()
        let client = try session.client {
            $0.retry = .none
            $0.breaker = Breaker(failureRate: 1, minimumCalls: 1, open: .seconds(60))
            $0.maxConcurrency = 3
            $0.cache = Cache(maxBytes: 1_000_000)
            $0.regions = ["http://127.0.0.1:1"]
        }
        let before = client.state
        XCTAssertEqual(before.breaker?.phase, .closed)
        XCTAssertEqual(before.concurrency?.limit, 3)
        XCTAssertEqual(before.cache?.maxBytes, 1_000_000)
        XCTAssertEqual(before.regions.map(\.name), [session.url.replacingOccurrences(of: "http://", with: ""), "127.0.0.1:1"])
        XCTAssertEqual(before.regions.map(\.isHealthy), [true, true])
        try await session.script("contacts.list", "500")
        _ = try await failed { try await client.get("/v1/contacts") }
        let region = client.state.regions[0]
        XCTAssertEqual(region.breaker?.phase, .open)
        XCTAssertNotNil(region.breaker?.retryAfter)
        XCTAssertNotNil(region.breaker?.lastFailure)
        let plain = try session.client { $0.breaker = nil }.state
        XCTAssertNil(plain.breaker)
        XCTAssertNil(plain.concurrency)
        XCTAssertNil(plain.cache)
        XCTAssertEqual(plain.regions, [])
    }

    func testAnAnswerSaysWhatPartTheCacheHad() async throws {
        let session = try Session()
        try await session.set(["response_headers": [["op": "contacts.list", "set": ["cache-control": "max-age=60"]]]])
        let client = try session.client { $0.cache = Cache() }
        let statuses = try await [CacheMode?.none, nil, .reload, .noStore, .onlyIfCached].asyncMap {
            let answer = try await client.get("/v1/contacts", options: RequestOptions(cache: $0))
            XCTAssertEqual(answer.isFromCache, answer.cacheStatus == .hit)
            return answer.cacheStatus
        }
        XCTAssertEqual(statuses, [.miss, .hit, .miss, nil, .hit])
        XCTAssertEqual(client.state.cache?.hits, 2)
        client.clearCache()
        XCTAssertEqual(client.state.cache?.entries, 0)
        let error = try await failed { try await client.get("/v1/contacts", options: RequestOptions(cache: .onlyIfCached)) }
        guard case .notCached = error else { return XCTFail("\(error)") }
    }

    func testACallMayHaveHedgingOfItsOwn() async throws {
        let session = try Session()
        try await session.script("contacts.list", "latency=15000", "ok")
        let client = try session.client()
        let hedged = try await client.get("/v1/contacts", options: RequestOptions(hedge: .after(.milliseconds(20))))
        XCTAssertEqual(hedged.attempts.map(\.isHedge), [false, true])
        try await session.script("contacts.list", "latency=200", "ok")
        let eager = try session.client { $0.hedge = .after(.milliseconds(20)) }
        let plain = try await eager.get("/v1/contacts", options: RequestOptions(hedge: .never))
        XCTAssertEqual(plain.attempts.map(\.isHedge), [false])
    }
}

extension Array {
    /// One after the other.
    fileprivate func asyncMap<Value>(_ change: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self {
            values.append(try await change(element))
        }
        return values
    }
}
