// What goes onto the wire.

import Gatewright
import XCTest

final class RequestTests: XCTestCase {
    func testEachVerbSendsItsMethod() async throws {
        let session = try Session()
        let client = try session.client()
        let answers = [
            try await client.get("/v1/echo"), try await client.head("/v1/echo"), try await client.options("/v1/echo"),
            try await client.post("/v1/echo"), try await client.put("/v1/echo"), try await client.patch("/v1/echo"),
            try await client.delete("/v1/echo"), try await client.request("purge", "/v1/echo", options: .init(throwOnError: false)),
        ]
        let methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PURGE"]
        XCTAssertEqual(answers.map(\.method), methods)
        let journal = try await session.journal()
        XCTAssertEqual(journal.map(\.method), methods)
    }

    func testQueriesAreEncodedInTheirOrder() async throws {
        let session = try Session()
        let client = try session.client()
        let none: String? = nil
        let queries: [(Query, String)] = [
            (["a": 1, "b": "x y", "c": 1.5, "d": UInt64(12_345_678_901_234_567_890)], "a=1&b=x+y&c=1.5&d=12345678901234567890"),
            (["yes": true, "no": false, "nothing": nil, "none": none], "yes=true&no=false"),
            (["many": ["a", "b"]], "many=a&many=b"),
            (Query([("a", "1"), ("a", "2")]), "a=1&a=2"),
            (Query(["b": "2", "a": "1"]), "a=1&b=2"),
            (["utf8": "ä&=+"], "utf8=%C3%A4%26%3D%2B"),
        ]
        for (query, _) in queries {
            _ = try await client.get("/v1/echo", query: query)
            _ = try await client.get("/v1/echo?first=0", query: query)
        }
        let sent = try await session.journal().map(\.query)
        XCTAssertEqual(sent, queries.flatMap { [$0.1, "first=0&\($0.1)"] })
    }

    func testAnEnumOfOnesOwnIsAQueryValue() async throws {
        enum Order: String, QueryValue { case newest, oldest }
        let session = try Session()
        _ = try await session.client().get("/v1/echo", query: ["order": Order.oldest, "orders": [Order.newest, .oldest]])
        let sent = try await session.last().query
        XCTAssertEqual(sent, "order=oldest&orders=newest&orders=oldest")
    }

    func testAHeaderOfTheCallReplacesThatOfTheClient() async throws {
        let session = try Session()
        let client = try session.client { $0.headers = ["x-a": "client", "x-b": "client"] }
        var headers: Headers = ["X-A": "call"]
        headers.append("x-many", "a")
        headers.append("x-many", "b")
        _ = try await client.get("/v1/echo", headers: headers)
        let sent = try await session.last().headers
        XCTAssertEqual([sent["x-a"], sent["x-b"]], ["call", "client"])
        XCTAssertEqual(sent["x-many"], "a, b")
    }

    func testPostsAndPatchesCarryAnIdempotencyKeyAndOthersNone() async throws {
        let session = try Session()
        let client = try session.client()
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            try await client.request(method, "/v1/echo")
        }
        let keys = try await session.header("idempotency-key")
        XCTAssertEqual(keys.map { $0 != nil }, [false, true, false, true, false])
        try await client.post("/v1/echo", options: .init(idempotencyKey: "mine"))
        let last = try await session.last().headers
        XCTAssertEqual(last["idempotency-key"], "mine")
    }

    func testSettingsOfIdempotencyKeys() async throws {
        let session = try Session()
        try await session.client { $0.idempotencyKeys = false }.post("/v1/echo")
        try await session.client { $0.idempotencyHeader = "x-once" }.post("/v1/echo")
        try await session.client { $0.idempotencyQuoted = true }.post("/v1/echo", options: .init(idempotencyKey: "q"))
        let sent = try await session.journal().map(\.headers)
        XCTAssertNil(sent[0]["idempotency-key"])
        XCTAssertGreaterThan(sent[1]["x-once"]?.count ?? 0, 8)
        XCTAssertEqual(sent[2]["idempotency-key"], "\"q\"")
    }

    func testEveryKindOfCredentialIsAccepted() async throws {
        let pro = "sk_test_pro_acme"
        let auths: [(Auth, String)] = [
            (.bearer(pro), "authorization"), (.basic(user: pro, password: ""), "authorization"), (.apiKey(pro), "x-api-key"),
            (.apiKey(pro, header: "X-API-Key"), "x-api-key"), (.apiKey(pro, cookie: "api_key"), "cookie"),
            (.token { Token(pro) }, "authorization"), (.token { Token(pro, expiresIn: .seconds(60)) }, "authorization"),
        ]
        for (auth, header) in auths {
            let session = try Session()
            let who = try await session.client { $0.auth = auth }.get("/v1/whoami").decode(Whoami.self)
            XCTAssertEqual(who, Whoami(tenant: "acme", tier: "pro"))
            let sent = try await session.last().headers
            XCTAssertNotNil(sent[header], "\(auth)")
        }
        let session = try Session()
        let who = try await session.client { $0.auth = .apiKey(pro, query: "api_key") }.get("/v1/whoami").decode(Whoami.self)
        XCTAssertEqual(who.tier, "pro")
        let query = try await session.last().query
        XCTAssertTrue(try fits(query, #"^api_key=\*+acme$"#), query)
    }

    func testPathsAreJoinedToTheBaseURL() async throws {
        let session = try Session()
        let client = try Client(baseURL: "\(session.url)/v1", configuration: session.configuration())
        let response = try await client.get("whoami")
        _ = try await client.get("/whoami")
        XCTAssertEqual(response.url, "\(session.url)/v1/whoami")
        let paths = try await session.journal().map(\.path)
        XCTAssertEqual(paths, ["/v1/whoami", "/v1/whoami"])
        XCTAssertTrue(client.baseURL.hasPrefix("\(session.url)/v1"))
    }

    func testSettingsOfOneCall() async throws {
        let session = try Session()
        let client = try session.client()
        try await session.script("whoami", "503", "503", "503")
        let one = try await client.get("/v1/whoami", options: .init(maxAttempts: 1, throwOnError: false))
        XCTAssertEqual(one.status, 503)
        XCTAssertFalse(one.isOK)
        XCTAssertEqual(one.attempts.count, 1)
        let late = try await failed { try await client.get("/v1/delay/60000", options: .init(timeout: .milliseconds(30))) }
        guard case .timeout = late else { return XCTFail("\(late)") }
        let attempt = try await failed {
            try await client.get("/v1/delay/60000", options: .init(attemptTimeout: .milliseconds(20), maxAttempts: 2))
        }
        guard case .timeout(let failure) = attempt else { return XCTFail("\(attempt)") }
        XCTAssertEqual(failure.attempts.count, 2)
        let patient = try await session.client { $0.timeout = .milliseconds(10) }.get("/v1/delay/30", options: .init(timeout: .never))
        XCTAssertTrue(patient.isOK)
    }

    func testRetryPolicyNoneSendsOnce() async throws {
        let session = try Session()
        try await session.script("whoami", "503", "503", "503", "ok")
        let error = try await failed { try await session.client { $0.retry = .none }.get("/v1/whoami") }
        guard case .server = error else { return XCTFail("\(error)") }
        let count = try await session.journal().count
        XCTAssertEqual(count, 1)
    }
}
