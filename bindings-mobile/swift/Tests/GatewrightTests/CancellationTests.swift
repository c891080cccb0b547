// Cancelling a task ends its call at once, wherever that call is, and gives its place back.

import Foundation
import Gatewright
import XCTest

final class CancellationTests: XCTestCase {
    /// On a machine that has more to do than it can, everything takes its time; but no call here would end by itself so soon.
    private let atOnce = Duration.seconds(20)

    /// Cancels, and checks that the call throws `CancellationError` at once.
    private func assertCancelledAtOnce<Value: Sendable>(_ call: Task<Value, any Error>, line: UInt = #line) async {
        let begun = ContinuousClock.now
        call.cancel()
        do {
            let value = try await call.value
            XCTFail("it was not cancelled, but gave \(value)", line: line)
        } catch {
            XCTAssertTrue(error is CancellationError, "\(error)", line: line)
        }
        let took = ContinuousClock.now - begun
        XCTAssertLessThan(took, atOnce, line: line)
    }

    private func begin<Value: Sendable>(_ call: @escaping @Sendable () async throws -> Value) -> Task<Value, any Error> {
        Task { try await call() }
    }

    func testATaskThatIsCancelledAlreadySendsNothing() async throws {
        let session = try Session()
        let client = try session.client()
        let read = Counter()
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await client.get("/v1/whoami") },
            { _ = try await client.stream("GET", "/v1/whoami") },
            { for try await _ in client.pages("/v1/contacts") {} },
            { for try await _ in client.items("/v1/contacts", as: Contact.self) {} },
            {
                try await client.post(
                    "/v1/sink",
                    body: .replayable {
                        read.add()
                        return pieces()
                    })
            },
        ]
        for call in calls {
            let task = Task {
                while !Task.isCancelled {
                    await Task.yield()
                }
                try await call()
            }
            await assertCancelledAtOnce(task)
        }
        XCTAssertEqual(read.count, 0)
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 0)
    }

    func testInTheMomentInWhichItWasBegun() async throws {
        let session = try Session()
        let client = try session.client()
        for _ in 0..<200 {
            let call = begin { try await client.get("/v1/delay/60000") }
            await assertCancelledAtOnce(call)
        }
        try await client.idle()
    }

    func testWhileItIsQueued() async throws {
        let session = try Session()
        let client = try session.client { $0.quota = "1/min, burst 1" }
        _ = try await client.get("/v1/whoami")
        let call = begin { try await client.get("/v1/whoami", options: .init(timeout: .never)) }
        try await until { client.state.limits.first?.queued == 1 }
        await assertCancelledAtOnce(call)
        try await client.idle()
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 1)
    }

    func testWhileItWaitsToBeRetried() async throws {
        let session = try Session()
        try await session.faults(["random": ["p": 1, "kinds": ["503;ra=30"]]])
        let client = try session.client()
        let call = begin { try await client.get("/v1/whoami") }
        try await until { client.state.budgetLeft < 500 }
        await assertCancelledAtOnce(call)
        try await client.idle()
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 1)
    }

    func testWhileItConnects() async throws {
        // Nobody accepts, and TLS waits for an answer: connecting takes for ever.
        let server = try StubServer()
        var configuration = Configuration()
        configuration.connectTimeout = .never
        let client = try Client(baseURL: "https://127.0.0.1:\(server.port)", configuration: configuration)
        let call = begin { try await client.get("/") }
        try await until { client.isBusy }
        await assertCancelledAtOnce(call)
        try await client.idle()
    }

    func testWhileItWaitsForItsAnswer() async throws {
        let session = try Session()
        let client = try session.client()
        let call = begin { try await client.get("/v1/delay/60000") }
        try await until { client.isBusy }
        await assertCancelledAtOnce(call)
        try await client.idle()
    }

    func testWhileItReadsItsAnswer() async throws {
        let session = try Session()
        let client = try session.client { $0.auth = .bearer("sk_test_enterprise_acme") }
        let call = begin { try await client.get("/v1/drip?bytes=1000&interval_ms=100") }
        try await until { try await session.inProgress() == 1 }
        try await Task.sleep(for: .milliseconds(30))
        await assertCancelledAtOnce(call)
        try await client.idle()
        try await until { try await session.inProgress() == 0 }
    }

    func testWhileItSendsItsBodyAndTheStreamIsToldSo() async throws {
        let session = try Session()
        let client = try session.client()
        for isReplayable in [false, true] {
            let asked = Counter()
            let ended = Counter()
            let endless = Endless(asked: asked, ended: ended)
            let call = begin { try await client.post("/v1/sink", body: isReplayable ? .replayable { endless } : .stream(endless)) }
            try await until { asked.count > 2 }
            await assertCancelledAtOnce(call)
            try await client.idle()
            try await until("the end of the stream") { ended.count == 1 }
        }
    }

    func testWhileAHookIsAskedAndTheHookIsToldSo() async throws {
        let session = try Session()
        let (asked, cancelled) = (Counter(), Counter())
        let client = try session.client {
            $0.beforeAttempt = { _ in
                asked.add()
                try await withTaskCancellationHandler {
                    try await Task.sleep(for: .seconds(600))
                } onCancel: {
                    cancelled.add()
                }
            }
        }
        let call = begin { try await client.get("/v1/whoami") }
        try await until { asked.count == 1 }
        await assertCancelledAtOnce(call)
        try await client.idle()
        try await until("the end of the hook") { cancelled.count == 1 }
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 0)
    }

    func testWhileATokenIsAskedForAndOthersStillGetIt() async throws {
        let session = try Session()
        let asked = Counter()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let client = try session.client {
            $0.auth = .token {
                asked.add()
                for await _ in gate {}
                return Token(key)
            }
        }
        let call = begin { try await client.get("/v1/whoami") }
        try await until { asked.count == 1 }
        let other = begin { try await client.get("/v1/whoami") }
        await assertCancelledAtOnce(call)
        open.finish()
        let answer = try await other.value
        XCTAssertTrue(answer.isOK)
        XCTAssertEqual(asked.count, 1)
        try await client.idle()
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 1)
    }

    func testWhileAStreamWaitsForItsHeadAndForItsNextPiece() async throws {
        let session = try Session()
        let client = try session.client { $0.auth = .bearer("sk_test_enterprise_acme") }
        let head = begin { _ = try await client.stream("GET", "/v1/delay/60000") }
        try await until { client.isBusy }
        await assertCancelledAtOnce(head)
        let response = try await client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000")
        let reading = begin { try await response.text() }
        try await Task.sleep(for: .milliseconds(10))
        await assertCancelledAtOnce(reading)
        try await client.idle()
        try await until { try await session.inProgress() == 0 }
        let again = try await thrown { try await response.text() }
        XCTAssertTrue(again is GatewrightError, "\(again)")
    }

    func testALoopWhoseTaskIsCancelledBetweenPiecesThrowsAndDoesNotEndAsIfAllHadCome() async throws {
        let session = try Session()
        let client = try session.client { $0.auth = .bearer("sk_test_enterprise_acme") }
        let response = try await client.stream("GET", "/v1/drip?bytes=10000&interval_ms=20", options: .init(timeout: .never))
        let task = Task {
            var count = 0
            for try await piece in response.body {
                count += piece.count
                withUnsafeCurrentTask { $0?.cancel() }
            }
            return count
        }
        let error = try await thrown { try await task.value }
        XCTAssertTrue(error is CancellationError, "\(error)")
        // It is held, and nobody cancelled it: what ended the request was the cancellation.
        try await until("the end of the request") { try await session.inProgress() == 0 }
        XCTAssertEqual(response.status, 200)
    }

    func testWhileAPageIsUnderWay() async throws {
        let session = try Session()
        try await session.script("contacts.list", "ok", "hang")
        let client = try session.client()
        let seen = Counter()
        let call = begin {
            for try await _ in client.pages("/v1/contacts", query: ["limit": 20]) {
                seen.add()
            }
        }
        try await until { seen.count == 1 && client.isBusy }
        await assertCancelledAtOnce(call)
        try await client.idle()
    }

    func testAfterTheAnswerItChangesNothing() async throws {
        let client = try Session().client()
        let call = begin { try await client.get("/v1/whoami") }
        let response = try await call.value
        call.cancel()
        XCTAssertEqual(try response.decode(Whoami.self).tier, "unlimited")
    }

    func testACallThatIsCancelledGivesItsPlaceInTheQueueToTheNext() async throws {
        // The last of them would come after a minute.
        let client = try Session().client { $0.quota = "1/s, burst 1" }
        _ = try await client.get("/v1/whoami")
        let done = Counter()
        let queued = (0..<60).map { _ in
            begin {
                _ = try await client.get("/v1/whoami", options: .init(timeout: .never))
                done.add()
            }
        }
        try await until { (client.state.limits.first?.queued ?? 0) + done.count >= 60 }
        let last = begin { try await client.get("/v1/whoami", options: .init(timeout: .never)) }
        try await until { (client.state.limits.first?.queued ?? 0) + done.count >= 61 }
        queued.forEach { $0.cancel() }
        let begun = ContinuousClock.now
        let answer = try await last.value
        XCTAssertTrue(answer.isOK)
        XCTAssertLessThan(ContinuousClock.now - begun, .seconds(20))
        var cancelled = 0
        for call in queued {
            do {
                try await call.value
            } catch is CancellationError {
                cancelled += 1
            }
        }
        XCTAssertGreaterThan(cancelled, 0)
    }

    func testAnswersThatRaceWithCancellationsAreHarmless() async throws {
        let session = try Session()
        let client = try session.client()
        let outcomes = Collected<Bool>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<1_000 {
                group.addTask {
                    let call = Task { try await client.get("/v1/whoami") }
                    try await Task.sleep(for: .microseconds(number % 100 * 20))
                    call.cancel()
                    do {
                        _ = try await call.value
                        outcomes.add(true)
                    } catch is CancellationError {
                        outcomes.add(false)
                    }
                }
            }
            try await group.waitForAll()
        }
        XCTAssertEqual(outcomes.all.count, 1_000)
        XCTAssertTrue(outcomes.all.contains(false))
        try await client.idle()
        let answer = try await client.get("/v1/whoami")
        XCTAssertTrue(answer.isOK)
    }
}

/// Pieces without end: counts what is asked for, and the iterators that are gone.
private struct Endless: AsyncSequence, Sendable {
    typealias Element = Data

    let asked: Counter
    let ended: Counter

    final class Gone: Sendable {
        let ended: Counter

        init(_ ended: Counter) {
            self.ended = ended
        }

        deinit {
            ended.add()
        }
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let asked: Counter
        let gone: Gone

        mutating func next() async throws -> Data? {
            asked.add()
            try await Task.sleep(for: .milliseconds(1))
            return Data(count: 1)
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(asked: asked, gone: Gone(ended))
    }
}
