// Answers whose body comes in as it is read.

import Foundation
import Gatewright
import XCTest

final class StreamTests: XCTestCase {
    /// A tier with limits: the gateway counts what is in progress.
    private func counted(_ session: Session, _ change: (inout Configuration) -> Void = { _ in }) throws -> Client {
        try session.client {
            $0.auth = .bearer("sk_test_enterprise_acme")
            change(&$0)
        }
    }

    /// Waits until the gateway sends nothing any more.
    private func over(_ session: Session) async throws {
        try await until("the end of the request") { try await session.inProgress() == 0 }
    }

    private let forever = RequestOptions(timeout: .never)

    func testTheHeadComesFirstAndTheBodyAsItIsRead() async throws {
        let session = try Session()
        let response = try await session.client().stream("GET", "/v1/drip?bytes=60&interval_ms=50")
        XCTAssertEqual(response.status, 200)
        XCTAssertTrue(response.isOK)
        XCTAssertEqual(response.method, "GET")
        XCTAssertNotNil(response.requestID)
        XCTAssertEqual(response.attempts.count, 1)
        var pieces: [String] = []
        for try await piece in response.body {
            pieces.append(String(decoding: piece, as: UTF8.self))
        }
        XCTAssertEqual(pieces.joined(), String(repeating: "*", count: 60))
        XCTAssertGreaterThan(pieces.count, 1)
    }

    func testStreamedBodiesOfAnySizeAreAsTheyWereSent() async throws {
        let session = try Session()
        let client = try counted(session) {
            $0.timeout = .never
            $0.attemptTimeout = .never
        }
        for size in [0, 1, 100_000, 20_000_000] {
            let whole = try await client.get("/v1/bytes/\(size)").data
            let read = try await client.stream("GET", "/v1/bytes/\(size)").data()
            XCTAssertEqual(read, whole)
            var joined = Data()
            for try await piece in try await client.stream("GET", "/v1/bytes/\(size)").body {
                XCTAssertEqual(piece.startIndex, 0)
                XCTAssertFalse(piece.isEmpty)
                joined += piece
            }
            XCTAssertEqual(joined, whole)
        }
        try await over(session)
    }

    func testTextAndDecodeReadToTheEnd() async throws {
        let session = try Session()
        let client = try session.client()
        let text = try await client.stream("GET", "/v1/lines/3").text()
        XCTAssertEqual(text.split(separator: "\n").count, 3)
        let echo = try await client.stream("POST", "/v1/echo", body: .json(["name": "Zoë"])).decode(Echo.self)
        XCTAssertEqual(try JSONDecoder().decode([String: String].self, from: echo.body), ["name": "Zoë"])
        let lines = try await client.stream("GET", "/v1/lines/2")
        let error = try await failed { try await lines.decode(Whoami.self) }
        guard case .decode = error else { return XCTFail("\(error)") }
    }

    func testABodyIsReadOnce() async throws {
        let session = try Session()
        let response = try await session.client().stream("GET", "/v1/lines/3")
        _ = try await response.text()
        let again = try await failed { try await response.text() }
        guard case .closed = again else { return XCTFail("\(again)") }
        XCTAssertTrue(again.message.contains("read once"), again.message)
        let loop = try await failed { for try await _ in response.body {} }
        XCTAssertTrue(loop.message.contains("read once"), loop.message)
    }

    func testErrorStatusesAreThrownAfterRetries() async throws {
        let session = try Session()
        let client = try counted(session)
        let error = try await failed { try await client.stream("GET", "/v1/contacts/nope") }
        guard case .notFound(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertEqual(failure.problem?["code"], "not_found")
        try await session.script("lines", "503", "ok")
        let response = try await client.stream("GET", "/v1/lines/1")
        XCTAssertEqual(response.attempts.count, 2)
        XCTAssertTrue(response.timeline.contains("503"), response.timeline)
        response.cancel()
        let handed = try await client.stream("GET", "/v1/contacts/nope", options: .init(throwOnError: false)).decode(JSONValue.self)
        XCTAssertEqual(handed["code"], "not_found")
    }

    func testLeavingTheLoopEndsTheRequest() async throws {
        let session = try Session()
        let response = try await counted(session).stream("GET", "/v1/drip?bytes=1000&interval_ms=50", options: forever)
        for try await piece in response.body {
            XCTAssertLessThan(piece.count, 1000)
            break
        }
        try await over(session)
        XCTAssertEqual(response.status, 200)
    }

    func testCancellingEndsTheRequestAndWhatIsReadThenIsRefused() async throws {
        let session = try Session()
        let client = try counted(session)
        let response = try await client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000", options: forever)
        async let reading = failed { try await response.text() }
        try await Task.sleep(for: .milliseconds(10))
        response.cancel()
        response.cancel()
        let error = try await reading
        guard case .closed = error else { return XCTFail("\(error)") }
        XCTAssertTrue(error.message.contains("the stream was cancelled"), error.message)
        try await over(session)
    }

    func testAStreamThatNobodyHoldsAnyMoreGivesItsConnectionBack() async throws {
        let session = try Session()
        let client = try counted(session)
        func hold() async throws {
            var held: [StreamResponse] = []
            for _ in 0..<5 {
                held.append(try await client.stream("GET", "/v1/drip?bytes=1000&interval_ms=1000", options: forever))
            }
            let inProgress = try await session.inProgress()
            XCTAssertEqual(inProgress, held.count)
        }
        try await hold()
        try await over(session)
    }

    func testABodyThatBreaksOffIsAnErrorAndWhatCameBeforeStaysGood() async throws {
        let session = try Session()
        try await session.script("bytes", "reset@30000")
        let client = try session.client()
        var came = Data()
        let error = try await failed {
            for try await piece in try await client.stream("GET", "/v1/bytes/100000?chunk=1000").body {
                came += piece
            }
        }
        guard case .connectionLost = error else { return XCTFail("\(error)") }
        let whole = try await client.get("/v1/bytes/100000?chunk=1000").data
        XCTAssertGreaterThan(came.count, 0)
        XCTAssertLessThan(came.count, 30_000)
        XCTAssertEqual(came, whole.prefix(came.count))
    }

    func testTheDeadlineCoversTheBodyAndNeverLiftsIt() async throws {
        let session = try Session()
        let client = try session.client { $0.timeout = .milliseconds(400) }
        let error = try await failed { try await client.stream("GET", "/v1/drip?bytes=100&interval_ms=50").text() }
        guard case .timeout = error else { return XCTFail("\(error)") }
        let patient = try await client.stream("GET", "/v1/drip?bytes=12&interval_ms=50", options: forever).text()
        XCTAssertEqual(patient, String(repeating: "*", count: 12))
    }

    func testReadingAheadStopsWhereNobodyReads() async throws {
        let session = try Session()
        // The gateway makes the whole body before it sends any of it, which takes its time on a busy machine.
        let response = try await counted(session) { $0.attemptTimeout = .never }.stream("GET", "/v1/bytes/50000000", options: forever)
        var pieces = response.body.makeAsyncIterator()
        _ = try await pieces.next()
        let before = residentBytes()
        try await Task.sleep(for: .milliseconds(200))
        XCTAssertLessThan(residentBytes() - before, 15_000_000)
        response.cancel()
        try await over(session)
    }

    func testUploadingGoesOnWhileTheAnswerComesIn() async throws {
        let numbers = AsyncStream<Data> { stream in
            (0..<100).forEach { stream.yield(Data("\($0)\n".utf8)) }
            stream.finish()
        }
        let sunk = try await Session().client().stream("POST", "/v1/sink", body: .stream(numbers)).decode(Sunk.self)
        XCTAssertEqual(sunk.bodyLength, 290)
    }

    func testAStreamOutlivesItsClient() async throws {
        let session = try Session()
        func begin() async throws -> StreamResponse {
            try await session.client().stream("GET", "/v1/drip?bytes=20&interval_ms=10")
        }
        let text = try await begin().text()
        XCTAssertEqual(text, String(repeating: "*", count: 20))
    }
}
