// No threads before the first call, at most two after, none when all is closed.

import Foundation
@testable import Gatewright
import XCTest

final class ThreadTests: XCTestCase {
    /// Waits until what other tests left is gone.
    private func quiet() async throws {
        do {
            try await until("the end of all threads") { libraryThreads().isEmpty }
        } catch {
            XCTFail("\(libraryThreads()) never ended; \(Native.port.waiting()) are waited for")
        }
    }

    func testThreadsBeginWithTheFirstCallAndEndWithTheLastClient() async throws {
        try await quiet()
        let session = try Session()
        let client = try session.client()
        let second = try session.client()
        _ = client.state
        _ = try Webhook(secret: Webhook.generateSecret())
        XCTAssertEqual(libraryThreads(), [])
        for _ in 0..<3 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask { _ = try await (number % 2 == 0 ? client : second).get("/v1/whoami") }
                }
                try await group.waitForAll()
            }
            XCTAssertEqual(libraryThreads(), ["driver"])
        }
        client.close()
        _ = try await second.get("/v1/whoami")
        XCTAssertFalse(libraryThreads().isEmpty)
        second.close()
        try await quiet()
        // A closed client is told so, and what was told needs no thread afterwards.
        let error = try await failed { try await second.get("/v1/whoami") }
        guard case .closed = error else { return XCTFail("\(error)") }
        try await quiet()
    }

    func testNamesAreLookedUpBesideAndStillTwoThreadsAreEnough() async throws {
        let session = try Session()
        let url = session.url.replacingOccurrences(of: "127.0.0.1", with: "localhost")
        let client = try Client(baseURL: url, configuration: session.configuration())
        for _ in 0..<10 {
            _ = try await client.get("/v1/whoami")
        }
        // The one that looks up names ends by itself when it has nothing to do.
        XCTAssertTrue([["gatewright-dns", "driver"], ["driver"]].contains(libraryThreads()), "\(libraryThreads())")
        client.close()
        try await quiet()
    }

    func testClientsThatComeAndGoBeginAndEndTheThreadEachTime() async throws {
        let session = try Session()
        for _ in 0..<200 {
            let client = try session.client()
            _ = try await client.get("/v1/whoami")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<50 {
                        let client = try session.client()
                        _ = try await client.get("/v1/whoami")
                        client.close()
                    }
                }
            }
            try await group.waitForAll()
        }
        try await quiet()
    }

    func testManyTasksCallAtOnceAndEachGetsItsOwnAnswers() async throws {
        struct Sent: Codable, Sendable, Equatable { let task: Int, call: Int }
        let session = try Session()
        let client = try session.client()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<200 {
                group.addTask {
                    for call in 0..<10 {
                        let sent = Sent(task: task, call: call)
                        let echo = try await client.post("/v1/echo", json: sent).decode(Echo.self)
                        XCTAssertEqual(try JSONDecoder().decode(Sent.self, from: echo.body), sent)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await client.idle()
    }
}
