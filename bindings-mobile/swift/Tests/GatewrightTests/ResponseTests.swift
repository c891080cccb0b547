// Answers that were read whole.

import Foundation
import Gatewright
import XCTest

final class ResponseTests: XCTestCase {
    func testAnAnswerHasEverythingAnyNumberOfTimes() async throws {
        let session = try Session()
        let response = try await session.client().get("/v1/contacts/ct_000001")
        XCTAssertEqual(response.status, 200)
        XCTAssertTrue(response.isOK)
        XCTAssertEqual(response.method, "GET")
        XCTAssertEqual(response.url, "\(session.url)/v1/contacts/ct_000001")
        XCTAssertTrue(response.headers["Content-Type"]?.hasPrefix("application/json") ?? false)
        XCTAssertEqual(response.requestID, response.headers["request-id"])
        XCTAssertGreaterThan(response.elapsed, .zero)
        XCTAssertLessThan(response.elapsed, .seconds(60))
        let contact = try response.decode(Contact.self)
        XCTAssertEqual(contact.id, "ct_000001")
        XCTAssertEqual(try response.decode(), contact)
        XCTAssertEqual(try JSONDecoder().decode(Contact.self, from: response.data), contact)
        XCTAssertEqual(Data(response.text.utf8), response.data)
        XCTAssertEqual(response.data.startIndex, 0)
    }

    func testBodiesOfAnySizeAreAsTheyWereSent() async throws {
        let session = try Session()
        // The gateway makes the whole body before it sends any of it, which takes its time on a busy machine.
        let client = try session.client {
            $0.timeout = .never
            $0.attemptTimeout = .never
        }
        for size in [0, 1, 16_383, 16_384, 16_385, 65_536, 1_000_000, 20_000_000] {
            let response = try await client.get("/v1/bytes/\(size)")
            XCTAssertEqual(response.data.count, size)
            let sunk = try await client.post("/v1/sink", body: .data(response.data)).decode(Sunk.self)
            XCTAssertEqual(sunk.bodySHA256, response.headers["x-content-sha256"], "\(size)")
        }
    }

    func testManyAnswersAtOnceDoNotMix() async throws {
        struct Sent: Codable, Sendable { let number: Int, filler: String }
        let session = try Session()
        let client = try session.client()
        let answers = try await withThrowingTaskGroup(of: (Int, Response).self) { group in
            for number in 0..<300 {
                group.addTask {
                    let sent = Sent(number: number, filler: String(repeating: "ü", count: number * 97))
                    return (number, try await client.post("/v1/echo", json: sent))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for (number, answer) in answers {
            let sent = try JSONDecoder().decode(Sent.self, from: answer.decode(Echo.self).body)
            XCTAssertEqual(sent.number, number)
            XCTAssertEqual(sent.filler.count, number * 97)
            XCTAssertEqual(answer.requestID, answer.headers["request-id"])
        }
        XCTAssertEqual(Set(answers.map(\.1.requestID)).count, 300)
    }

    func testTextThatIsNotASCIIWithAByteOrderMark() async throws {
        let session = try Session()
        let client = try session.client()
        let name = "Zoë \u{1F980} \u{0}"
        let contact = try await client.post("/v1/contacts", json: Contact(name: name)).decode(Contact.self)
        XCTAssertEqual(contact.name, name)
        try await session.script("whoami", "418;body=\"\u{FEFF}{}\"")
        let marked = try await client.get("/v1/whoami", options: .init(throwOnError: false))
        XCTAssertEqual(marked.text, "{}")
    }

    func testAnswersAreDecodedByTheClientsDecoder() async throws {
        struct Stamped: Decodable { let createdAt: String }
        let session = try Session()
        let client = try session.client {
            $0.decoder.keyDecodingStrategy = .convertFromSnakeCase
        }
        let contact = try await client.get("/v1/contacts/ct_000001")
        XCTAssertTrue(try contact.decode(Stamped.self).createdAt.hasPrefix("20"))
    }

    func testABodyThatCannotBeDecodedSaysWhichAnswerItWasAndWhy() async throws {
        let session = try Session()
        let client = try session.client()
        let lines = try await client.get("/v1/lines/2")
        let error = try await failed { try lines.decode(Whoami.self) }
        guard case .decode(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertEqual(failure.status, 200)
        XCTAssertEqual(failure.requestID, lines.requestID)
        XCTAssertTrue(failure.cause is DecodingError)
        XCTAssertTrue(
            failure.message.hasPrefix(
                "decode: GET \(session.url)/v1/lines/2 was answered 200 OK with a body that cannot be decoded: it is no JSON (1 attempt, "),
            failure.message)
        XCTAssertEqual(lines.text.split(separator: "\n").count, 2)
        let empty = try await client.delete("/v1/contacts/ct_000002")
        XCTAssertEqual(empty.status, 204)
        XCTAssertEqual(empty.text, "")
        let none = try await failed { try empty.decode(Whoami.self) }
        guard case .decode = none else { return XCTFail("\(none)") }
        struct Other: Decodable { let tenant: [Int] }
        let who = try await client.get("/v1/whoami")
        let other = try await failed { try who.decode(Other.self) }
        XCTAssertTrue(other.message.contains("no Array<Any> at `tenant`") || other.message.contains("at `tenant`"), other.message)
        XCTAssertFalse(other.message.contains("acme"), other.message)
        struct Missing: Decodable { let nothing: Int }
        let missing = try await failed { try who.decode(Missing.self) }
        XCTAssertTrue(missing.message.contains("no member `nothing`"), missing.message)
    }

    func testAttemptsAndTheTimelineTellWhatWasDone() async throws {
        let session = try Session()
        try await session.script("whoami", "503", "reset", "ok")
        let response = try await session.client().get("/v1/whoami")
        let attempts = response.attempts
        XCTAssertEqual(attempts.map(\.number), [1, 2, 3])
        XCTAssertEqual(attempts.map(\.status), [503, nil, 200])
        XCTAssertEqual(attempts.map(\.decision), [.retry, .retry, .return])
        XCTAssertTrue(attempts[1].error?.contains("connection") ?? false)
        XCTAssertNil(attempts[2].error)
        XCTAssertLessThan(attempts[0].started, attempts[1].started)
        XCTAssertLessThan(attempts[1].started, attempts[2].started)
        XCTAssertNotNil(attempts[0].wait)
        XCTAssertNil(attempts[2].wait)
        XCTAssertLessThan(attempts[2].budgetLeft, 500)
        let lines = response.timeline.split(separator: "\n").map(String.init)
        XCTAssertEqual(lines.count, 3)
        XCTAssertTrue(try fits(lines[0], #"#1 at [\d.]+ m?s: 503 .* -> retry"#), lines[0])
        XCTAssertTrue(try fits(lines[2], #"#3 .*: 200 .* -> return"#), lines[2])
    }

    func testRedirectsOfTheSameOriginAreFollowed() async throws {
        let session = try Session()
        let response = try await session.client().get("/v1/redirect/302?to=/v1/whoami")
        XCTAssertEqual(response.status, 200)
        XCTAssertEqual(response.url, "\(session.url)/v1/whoami")
    }

    func testAnErrorStatusCanBeAnAnswer() async throws {
        let session = try Session()
        let client = try session.client { $0.throwOnError = false }
        let response = try await client.get("/v1/contacts/nope")
        XCTAssertEqual(response.status, 404)
        XCTAssertEqual(try response.decode(JSONValue.self)["code"], "not_found")
        let error = try await failed { try await client.get("/v1/contacts/nope", options: .init(throwOnError: true)) }
        guard case .notFound = error else { return XCTFail("\(error)") }
    }

    func testStateTellsBudgetAndLimits() async throws {
        let session = try Session()
        let client = try session.client { $0.auth = .bearer("sk_test_free_acme") }
        XCTAssertEqual([client.state.budgetLeft, client.state.budgetCapacity, client.state.limits.count], [500, 500, 0])
        _ = try await client.get("/v1/whoami")
        let limits = client.state.limits
        XCTAssertEqual(limits.count, 1)
        XCTAssertEqual(limits.first?.inFlight, 0)
        XCTAssertNil(limits.first?.pausedFor)
        let burst = try XCTUnwrap(limits.first?.quotas.first { $0.policy == "burst" })
        XCTAssertEqual(burst.limit, 10)
        XCTAssertEqual(burst.remaining, 9)
        XCTAssertEqual(burst.window, .seconds(10))
        XCTAssertFalse(burst.isShared)
    }

    func testAClosedClientRefusesCallsAndThoseUnderWayGoOn() async throws {
        let session = try Session()
        let client = try session.client()
        let (pieces, more) = AsyncStream.makeStream(of: Data.self)
        async let under = client.post("/v1/sink", body: .stream(pieces))
        try await until { client.isBusy }
        client.close()
        client.close()
        let error = try await failed { try await client.get("/v1/whoami") }
        guard case .closed(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertEqual(failure.message, "closed: the client is closed; make a new client, or close this one later")
        more.finish()
        let answer = try await under
        XCTAssertTrue(answer.isOK)
    }

    func testHeadersHaveNamesInAnyCase() {
        var headers: Headers = ["Accept": "a", "X-Many": "1"]
        headers.append("x-many", "2")
        XCTAssertEqual(headers["x-MANY"], "1, 2")
        XCTAssertEqual(headers.values(for: "X-many"), ["1", "2"])
        XCTAssertNil(headers["x"])
        headers["X-MANY"] = "3"
        XCTAssertEqual(headers.map(\.value), ["a", "3"])
        headers["accept"] = nil
        XCTAssertEqual(headers, ["x-many": "3"])
        XCTAssertEqual(headers.hashValue, (["X-Many": "3"] as Headers).hashValue)
        XCTAssertEqual(Headers(["b": "2", "a": "1"]).map(\.name), ["a", "b"])
    }
}
