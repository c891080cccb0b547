// Token callbacks and hooks.

import Foundation
import Gatewright
import XCTest

private struct VaultShut: Error, Equatable, LocalizedError {
    let number: Int
    var errorDescription: String? { "the vault is shut" }
}

final class CallbackTests: XCTestCase {
    func testATokenIsFetchedOnceHoweverManyCallsWaitForIt() async throws {
        let session = try Session()
        let asked = Counter()
        let client = try session.client {
            $0.auth = .token {
                asked.add()
                try await Task.sleep(for: .milliseconds(20))
                return Token(key, expiresIn: .seconds(3600))
            }
        }
        XCTAssertEqual(asked.count, 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask { _ = try await client.get("/v1/whoami") }
            }
            try await group.waitForAll()
        }
        _ = try await client.get("/v1/whoami")
        XCTAssertEqual(asked.count, 1)
    }

    func testATokenThatIsRefusedIsFetchedAnewOnce() async throws {
        let session = try Session()
        let expired = try await session.admin("POST", "tokens", ["tier": "pro", "tenant": "acme", "ttl_ms": 1])["token"]?.string ?? ""
        try await session.admin("POST", "clock", ["advance_ms": 10])
        let asked = Counter()
        let client = try session.client { $0.auth = .token { Token(asked.add() == 1 ? expired : "sk_test_pro_acme") } }
        try await withThrowingTaskGroup(of: Response.self) { group in
            for _ in 0..<10 {
                group.addTask { try await client.get("/v1/whoami") }
            }
            for try await answer in group {
                XCTAssertTrue(answer.isOK)
            }
        }
        XCTAssertEqual(asked.count, 2)
    }

    func testWhatATokenCallbackThrowsIsTheCauseForAllThatWait() async throws {
        let session = try Session()
        let client = try session.client {
            $0.auth = .token {
                try await Task.sleep(for: .milliseconds(5))
                throw VaultShut(number: 7)
            }
        }
        try await withThrowingTaskGroup(of: GatewrightError.self) { group in
            for _ in 0..<20 {
                group.addTask { try await failed { try await client.get("/v1/whoami") } }
            }
            for try await error in group {
                guard case .token(let failure) = error else { return XCTFail("\(error)") }
                XCTAssertEqual(failure.cause as? VaultShut, VaultShut(number: 7))
                XCTAssertTrue(failure.message.contains("the vault is shut"), failure.message)
            }
        }
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 0)
    }

    func testATokenCallbackMayUseAnotherClient() async throws {
        let session = try Session()
        let other = try session.client()
        let client = try session.client {
            $0.auth = .token {
                Token(try await other.get("/v1/whoami").decode(Whoami.self).tier == "unlimited" ? key : "")
            }
        }
        let answer = try await client.get("/v1/whoami")
        XCTAssertTrue(answer.isOK)
    }

    func testATokenWithAWrongLifetimeIsToldSo() async throws {
        let session = try Session()
        let client = try session.client { $0.auth = .token { Token(key, expiresIn: .seconds(-1)) } }
        let error = try await failed { try await client.get("/v1/whoami") }
        guard case .token = error else { return XCTFail("\(error)") }
        XCTAssertFalse(error.message.contains(key), error.message)
    }

    func testHooksSeeEveryAttemptAndNoCredential() async throws {
        let session = try Session()
        try await session.script("whoami", "503", "reset", "ok")
        let before = Collected<AttemptRequest>()
        let after = Collected<AttemptResult>()
        let client = try session.client {
            $0.beforeAttempt = { attempt in
                before.add(attempt)
                attempt.headers["X-Trace"] = "attempt-\(attempt.number)"
            }
            $0.afterAttempt = { attempt in
                await Task.yield()
                after.add(attempt)
            }
        }
        let response = try await client.get("/v1/whoami")
        XCTAssertEqual(before.all.map(\.number), [1, 2, 3])
        for attempt in before.all {
            XCTAssertEqual(attempt.method, "GET")
            XCTAssertEqual(attempt.url, "\(session.url)/v1/whoami")
            XCTAssertNil(attempt.headers["authorization"])
        }
        let traces = try await session.header("x-trace")
        XCTAssertEqual(traces, ["attempt-1", "attempt-2", "attempt-3"])
        XCTAssertEqual(after.all.map(\.number), [1, 2, 3])
        XCTAssertEqual(after.all.map(\.status), [503, nil, 200])
        XCTAssertEqual(after.all.map { $0.error == nil }, [true, false, true])
        XCTAssertEqual(after.all.map { $0.headers == nil }, [false, true, false])
        XCTAssertEqual(after.all.last?.headers?["request-id"], response.requestID)
        XCTAssertTrue(after.all.allSatisfy { $0.took >= .zero })
    }

    func testAHookMayTakeAHeaderAwayAndSetAnAuthorizationThatWins() async throws {
        let session = try Session()
        let client = try session.client {
            $0.headers = ["x-gone": "1"]
            $0.beforeAttempt = {
                $0.headers["x-gone"] = nil
                $0.headers["authorization"] = "Bearer sk_test_pro_globex"
            }
        }
        let who = try await client.get("/v1/whoami").decode(Whoami.self)
        XCTAssertEqual(who.tenant, "globex")
        let gone = try await session.header("x-gone")
        XCTAssertEqual(gone, [nil])
    }

    func testWhatAHookThrowsIsTheCause() async throws {
        for isBefore in [true, false] {
            let session = try Session()
            let client = try session.client {
                if isBefore {
                    $0.beforeAttempt = { _ in throw VaultShut(number: 1) }
                } else {
                    $0.afterAttempt = { _ in throw VaultShut(number: 1) }
                }
            }
            let error = try await failed { try await client.get("/v1/whoami") }
            guard case .hook(let failure) = error else { return XCTFail("\(error)") }
            XCTAssertEqual(failure.cause as? VaultShut, VaultShut(number: 1))
            XCTAssertTrue(failure.message.contains("the vault is shut"), failure.message)
            let requests = try await session.journal().count
            XCTAssertEqual(requests, isBefore ? 0 : 1)
            try await client.idle()
        }
    }

    func testAHookThatSetsAHeaderWhichCannotBeIsToldSo() async throws {
        let session = try Session()
        let client = try session.client { $0.beforeAttempt = { $0.headers["a b"] = "c" } }
        let error = try await failed { try await client.get("/v1/whoami") }
        guard case .hook = error else { return XCTFail("\(error)") }
        XCTAssertTrue(error.message.contains("\"a b\" is no header name"), error.message)
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 0)
    }

    func testACancellationThatACallbackThrowsOfItsOwnIsACauseAndNoCancellation() async throws {
        let client = try Session().client { $0.beforeAttempt = { _ in throw CancellationError() } }
        let error = try await failed { try await client.get("/v1/whoami") }
        guard case .hook(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.cause is CancellationError)
    }

    func testAHookThatNeverAnswersEndsWithTheDeadlineAndIsCancelled() async throws {
        let cancelled = Counter()
        let client = try Session().client {
            $0.timeout = .after(aWhile)
            $0.beforeAttempt = { _ in
                do {
                    try await Task.sleep(for: .seconds(600))
                } catch {
                    cancelled.add()
                    throw error
                }
            }
        }
        let error = try await failed { try await client.get("/v1/whoami") }
        guard case .timeout = error else { return XCTFail("\(error)") }
        try await client.idle()
        try await until("the end of the callback") { cancelled.count == 1 }
    }

    func testATokenThatComesTooLateForOneCallIsThereForTheNext() async throws {
        let asked = Counter()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let client = try Session().client {
            $0.auth = .token {
                asked.add()
                for await _ in gate {}
                return Token(key)
            }
        }
        let error = try await failed { try await client.get("/v1/whoami", options: .init(timeout: .after(aWhile))) }
        guard case .timeout = error else { return XCTFail("\(error)") }
        try await client.idle()
        open.finish()
        let answer = try await client.get("/v1/whoami")
        XCTAssertTrue(answer.isOK)
        XCTAssertEqual(asked.count, 1)
    }

    func testCallbacksOfAClientThatIsNotHeldAnyMoreAreStillCalledForItsCalls() async throws {
        let session = try Session()
        let asked = Counter()
        func call() async throws -> Response {
            try await session.client {
                $0.auth = .token {
                    try await Task.sleep(for: .milliseconds(1))
                    asked.add()
                    return Token(key)
                }
            }.get("/v1/whoami")
        }
        for _ in 0..<20 {
            let answer = try await call()
            XCTAssertTrue(answer.isOK)
        }
        XCTAssertEqual(asked.count, 20)
    }

    func testWhatCallbacksHoldIsLetGoWithTheClient() async throws {
        final class Held: Sendable {}
        let session = try Session()
        weak var gone: Held?
        func use() async throws {
            let held = Held()
            gone = held
            let client = try session.client { $0.beforeAttempt = { _ in _ = held } }
            _ = try await client.get("/v1/whoami")
        }
        try await use()
        try await until("the end of the client") { gone == nil }
    }
}
