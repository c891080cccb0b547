// Server-sent events, as they come in and across connections that break.

import Foundation
import Gatewright
import XCTest

final class EventTests: XCTestCase {
    private func ids(_ events: ServerEvents) async throws -> [String] {
        try await events.reduce(into: []) { $0.append($1.id) }
    }

    private let ten = (1...10).map(String.init)

    func testEventsComeAsTheyWereSent() async throws {
        let session = try Session()
        var events: [ServerEvent] = []
        for try await event in try session.client().events("/v1/ticks", query: ["count": 10]) {
            events.append(event)
        }
        XCTAssertEqual(events.map(\.id), ten)
        XCTAssertTrue(events.allSatisfy { !$0.event.isEmpty && !$0.data.isEmpty })
        let values = try events.map { try $0.decode(JSONValue.self) }
        XCTAssertEqual(Set(values).count, 10)
        let error = try await failed { try events[0].decode([Int].self) }
        guard case .decode(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.cause is DecodingError)
    }

    func testFieldsOfAnEvent() async throws {
        let text = ": comment\nid: 7\nevent: price\ndata: {\"a\":\ndata: \"Zoë\"}\n\ndata: second\n\ndata: unfinished"
        let server = try StubServer { request in
            request.text.lowercased().contains("last-event-id")
                ? "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
                : "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\(text)"
        }
        var configuration = Configuration()
        configuration.retry.backoffBase = .milliseconds(1)
        var events: [ServerEvent] = []
        for try await event in try Client(baseURL: server.url, configuration: configuration).events("/events") {
            events.append(event)
        }
        XCTAssertEqual(events.map(\.event), ["price", "message"])
        XCTAssertEqual(events.map(\.id), ["7", "7"])
        XCTAssertEqual(events.map(\.data), ["{\"a\":\n\"Zoë\"}", "second"])
        XCTAssertEqual(try events.first?.decode([String: String].self), ["a": "Zoë"])
    }

    func testNoEventIsLostOrDoubledWhereConnectionsBreak() async throws {
        for fault in ["reset@400", "short", "bad-chunk", "reset"] {
            let session = try Session()
            try await session.script("ticks", fault, fault, "ok")
            let ids = try await ids(session.client().events("/v1/ticks", query: ["count": 10]))
            XCTAssertEqual(ids, ten, fault)
        }
        let session = try Session()
        let ids = try await ids(session.client().events("/v1/ticks", query: ["count": 10, "per_connection": 3]))
        XCTAssertEqual(ids, ten)
        let requests = try await session.header("last-event-id")
        XCTAssertEqual(requests.prefix(4), [nil, "3", "6", "9"])
    }

    func testAStreamBeginsAfterTheEventThatIsNamed() async throws {
        let session = try Session()
        let ids = try await ids(
            session.client().events("/v1/ticks", query: ["count": 10], options: EventOptions(lastEventID: "7")))
        XCTAssertEqual(ids, ["8", "9", "10"])
    }

    func testLeavingTheLoopEndsTheRequest() async throws {
        let session = try Session()
        let client = try session.client { $0.auth = .bearer("sk_test_enterprise_acme") }
        for try await event in client.events("/v1/ticks", query: ["count": 10_000, "interval_ms": 5]) where event.id == "3" {
            break
        }
        try await until("the end of the request") { try await session.inProgress() == 0 }
    }

    func testTheDeadlineIsForConnectingAndSilenceCountsAsBroken() async throws {
        let session = try Session()
        let client = try session.client { $0.timeout = .after(aWhile) }
        let patient = try await ids(client.events("/v1/ticks", query: ["count": 10, "interval_ms": 400]))
        XCTAssertEqual(patient, ten)
        let error = try await failed {
            for try await _ in client.events(
                "/v1/ticks", query: ["count": 10, "interval_ms": 60_000], options: EventOptions(idleTimeout: .milliseconds(20)))
            {}
        }
        guard case .timeout = error else { return XCTFail("\(error)") }
    }

    func testCancellingTheTaskEndsTheLoop() async throws {
        let session = try Session()
        let client = try session.client { $0.auth = .bearer("sk_test_enterprise_acme") }
        let loop = Task {
            for try await _ in client.events("/v1/ticks", query: ["count": 10, "interval_ms": 60_000]) {}
        }
        try await until("the request") { try await session.inProgress() == 1 }
        loop.cancel()
        let error = try await thrown { try await loop.value }
        XCTAssertTrue(error is CancellationError, "\(error)")
        try await until("the end of the request") { try await session.inProgress() == 0 }
        try await client.idle()
    }

    func testABodyThatCannotBeSentAgainIsRefused() async throws {
        let client = try Session().client()
        let error = try await failed { for try await _ in client.events("/v1/ticks", method: "POST", body: .stream(pieces())) {} }
        guard case .invalidRequest = error else { return XCTFail("\(error)") }
    }
}
