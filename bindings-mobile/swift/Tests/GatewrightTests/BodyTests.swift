// Bodies of requests of every kind, compared with what arrived.

import Foundation
import Gatewright
import XCTest

/// Pieces, one after the other.
func pieces(_ parts: Data...) -> AsyncStream<Data> {
    AsyncStream { stream in
        parts.forEach { stream.yield($0) }
        stream.finish()
    }
}

final class BodyTests: XCTestCase {
    static let text = "tëxt \u{1F980}"
    static let bytes = Data(text.utf8)

    /// A file that is there for one test.
    private func file(_ content: Data, _ name: String = "file.bin") throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gatewright-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let url = folder.appendingPathComponent(name)
        try content.write(to: url)
        addTeardownBlock { try FileManager.default.removeItem(at: folder) }
        return url
    }

    func testBodiesArriveAsTheyWereGiven() async throws {
        let (text, bytes) = (BodyTests.text, BodyTests.bytes)
        let file = try file(bytes)
        let bodies: [(String, Body, Data, String?)] = [
            ("text", .text(text), bytes, "text/plain;charset=UTF-8"),
            ("empty text", .text(""), Data(), "text/plain;charset=UTF-8"),
            ("text of a type", .text(text, contentType: "text/csv"), bytes, "text/csv"),
            ("data", .data(bytes), bytes, nil),
            ("a part of data", .data((Data("..".utf8) + bytes + Data("..".utf8)).dropFirst(2).dropLast(2)), bytes, nil),
            ("data of a type", .data(bytes, contentType: "text/markdown"), bytes, "text/markdown"),
            (
                "form", .form(["a": "x y", "b": "ä", "c": ["1", "2"], "d": nil]), Data("a=x+y&b=%C3%A4&c=1&c=2".utf8),
                "application/x-www-form-urlencoded;charset=UTF-8"
            ),
            ("file", .file(file), bytes, nil),
            ("file of a type", .file(file, contentType: "text/csv"), bytes, "text/csv"),
            ("stream", .stream(pieces(bytes)), bytes, nil),
            ("stream in pieces", .stream(pieces(bytes.prefix(3), Data(), bytes.dropFirst(3))), bytes, nil),
            ("stream with length", .stream(pieces(bytes), length: bytes.count, contentType: "x/y"), bytes, "x/y"),
            ("empty stream", .stream(pieces()), Data(), nil),
            ("replayable", .replayable { pieces(bytes) }, bytes, nil),
            ("json", .json(["a": 1]), Data(#"{"a":1}"#.utf8), "application/json"),
        ]
        for (name, body, arrived, contentType) in bodies {
            let session = try Session()
            try await session.client().post("/v1/echo", body: body)
            let entry = try await session.last()
            XCTAssertEqual(entry.body, arrived, name)
            XCTAssertTrue(entry.isBodyComplete, name)
            XCTAssertEqual(entry.headers["content-type"], contentType, name)
        }
    }

    func testAStreamOfByteArrays() async throws {
        let session = try Session()
        let stream = AsyncStream<[UInt8]> { stream in
            stream.yield([1, 2])
            stream.yield([3])
            stream.finish()
        }
        try await session.client().post("/v1/echo", body: .stream(stream))
        let sent = try await session.last().body
        XCTAssertEqual(sent, Data([1, 2, 3]))
    }

    func testJSONIsEncodedByTheClientsEncoder() async throws {
        let session = try Session()
        let client = try session.client {
            $0.encoder.keyEncodingStrategy = .convertToSnakeCase
            $0.encoder.outputFormatting = .sortedKeys
        }
        struct Given: Encodable, Sendable {
            let givenName = "Zoë"
            let listOf = [1.5, 2]
        }
        try await client.put("/v1/echo", json: Given())
        try await client.put("/v1/echo", body: .json(Given()))
        let sent = try await session.journal().map { String(decoding: $0.body, as: UTF8.self) }
        XCTAssertEqual(sent, Array(repeating: #"{"given_name":"Zoë","list_of":[1.5,2]}"#, count: 2))
    }

    func testAnyJSONValueArrives() async throws {
        let session = try Session()
        let client = try session.client()
        let values: [JSONValue] = [[:], [], 0, false, "", nil, ["name": "Zoë", "list": [1, 2.5, nil, true]], 9_007_199_254_740_993]
        for value in values {
            let echo = try await client.put("/v1/echo", json: value).decode(Echo.self)
            XCTAssertEqual(try JSONDecoder().decode(JSONValue.self, from: echo.body), value)
        }
    }

    func testABodyOfNothingIsNone() async throws {
        let session = try Session()
        try await session.client().post("/v1/echo")
        let entry = try await session.last()
        XCTAssertEqual(entry.bodyLength, 0)
        XCTAssertNil(entry.headers["content-type"])
    }

    func testAContentTypeOfOnesOwnWins() async throws {
        let session = try Session()
        try await session.client().patch("/v1/echo", json: ["a": 1], headers: ["Content-Type": "application/merge-patch+json"])
        let types = try await session.header("content-type")
        XCTAssertEqual(types, ["application/merge-patch+json"])
    }

    func testAFormWithFilesIsSentAsMultipart() async throws {
        let session = try Session()
        let file = try file(Data("one,two\n".utf8), "ä.csv")
        try await session.client().post(
            "/v1/echo",
            body: .multipart([
                .field("name", "Zoë"), .file("file", file, contentType: "text/csv"),
                .data("raw", Data([0, 255]), filename: "a\"b\r\n.bin"),
            ]))
        let entry = try await session.last()
        let type = try XCTUnwrap(entry.headers["content-type"])
        XCTAssertTrue(type.hasPrefix("multipart/form-data; boundary="), type)
        let boundary = type.dropFirst("multipart/form-data; boundary=".count)
        var expected = Data()
        expected += Data("--\(boundary)\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nZoë\r\n".utf8)
        expected += Data(
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"ä.csv\"\r\nContent-Type: text/csv\r\n\r\none,two\n\r\n"
                .utf8)
        expected += Data("--\(boundary)\r\nContent-Disposition: form-data; name=\"raw\"; filename=\"a%22b%0D%0A.bin\"\r\n".utf8)
        expected += Data("Content-Type: application/octet-stream\r\n\r\n".utf8) + Data([0, 255]) + Data("\r\n--\(boundary)--\r\n".utf8)
        XCTAssertEqual(entry.body, expected)
        XCTAssertEqual(entry.headers["content-length"], String(expected.count))
    }

    func testALargeBodyArrivesAsItWas() async throws {
        let session = try Session()
        let client = try session.client()
        let source = try await client.get("/v1/bytes/\(3 * 1024 * 1024 + 7)")
        let large = source.data
        let file = try file(large)
        let bodies: [Body] = [
            .data(large), .file(file), .stream(pieces(large.prefix(100), large.dropFirst(100))), .replayable { pieces(large) },
        ]
        for body in bodies {
            let sunk = try await client.post("/v1/sink", body: body).decode(Sunk.self)
            XCTAssertEqual(sunk.bodyLength, large.count)
            XCTAssertEqual(sunk.bodySHA256, source.headers["x-content-sha256"])
        }
        let lengths = try await session.header("content-length").dropFirst()
        XCTAssertEqual(Array(lengths), [String(large.count), String(large.count), nil, nil])
    }

    func testWhatCanBeSentAgainIsSentAgain() async throws {
        let bytes = BodyTests.bytes
        let file = try file(bytes)
        let bodies: [Body] = [
            .text(BodyTests.text), .data(bytes), .json(["a": 1]), .form(["a": "b"]), .file(file), .multipart([.field("a", "b")]),
            .replayable { pieces(bytes) },
        ]
        for body in bodies {
            let session = try Session()
            try await session.script("echo", "503", "reset", "ok")
            let response = try await session.client().post("/v1/echo", body: body)
            XCTAssertEqual(response.attempts.count, 3)
            let sent = try await session.journal()
            XCTAssertEqual(sent[2].body, sent[0].body)
            XCTAssertGreaterThan(sent[2].bodyLength, 0)
            XCTAssertEqual(sent[2].headers["content-type"], sent[0].headers["content-type"])
        }
    }

    func testReplayableMakesANewStreamForEachAttempt() async throws {
        let session = try Session()
        try await session.script("echo", "503", "ok")
        let made = Counter()
        try await session.client().post("/v1/echo", body: .replayable { pieces(Data("stream \(made.add())".utf8)) })
        XCTAssertEqual(made.count, 2)
        let body = try await session.last().body
        XCTAssertEqual(String(decoding: body, as: UTF8.self), "stream 2")
    }

    func testAStreamIsSentOnceAndTheCallIsNotRetried() async throws {
        let session = try Session()
        try await session.script("echo", "503", "ok")
        let error = try await failed { try await session.client().post("/v1/echo", body: .stream(pieces(BodyTests.bytes))) }
        guard case .server(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertEqual(failure.attempts.count, 1)
        let count = try await session.journal().count
        XCTAssertEqual(count, 1)
    }

    func testAStreamThatWasSentIsRefused() async throws {
        let session = try Session()
        let client = try session.client()
        let body = Body.stream(pieces(BodyTests.bytes))
        try await client.post("/v1/sink", body: body)
        let error = try await failed { try await client.post("/v1/sink", body: body) }
        guard case .invalidRequest = error else { return XCTFail("\(error)") }
        XCTAssertTrue(error.message.contains("a stream that was sent before"), error.message)
        let count = try await session.journal().count
        XCTAssertEqual(count, 1)
    }

    func testWhatAStreamThrowsIsTheCause() async throws {
        struct NoMore: Error, Equatable { let number: Int }
        let client = try Session().client()
        let throwing = AsyncThrowingStream<Data, any Error> { stream in
            stream.yield(Data("x".utf8))
            stream.finish(throwing: NoMore(number: 5))
        }
        let bodies: [Body] = [.stream(throwing), .replayable { () async throws -> AsyncStream<Data> in throw NoMore(number: 5) }]
        for body in bodies {
            let error = try await failed { try await client.post("/v1/sink", body: body) }
            guard case .invalidRequest(let failure) = error else { return XCTFail("\(error)") }
            XCTAssertEqual(failure.cause as? NoMore, NoMore(number: 5))
            XCTAssertTrue(failure.message.contains("NoMore"), failure.message)
        }
    }

    func testAStreamThatIsNotReadToItsEndIsCancelled() async throws {
        let ended = Counter()
        let endless = AsyncStream<Data> { stream in
            stream.onTermination = { _ in ended.add() }
            stream.yield(Data(count: 65536))
        }
        let client = try Session().client { $0.timeout = .after(aWhile) }
        let error = try await failed { try await client.post("/v1/sink", body: .stream(endless)) }
        guard case .timeout = error else { return XCTFail("\(error)") }
        try await until("the end of the stream") { ended.count == 1 }
    }

    func testAFileThatCannotBeReadIsRefusedAndNothingIsSent() async throws {
        let session = try Session()
        let client = try session.client()
        let missing = URL(fileURLWithPath: "/nowhere/missing.bin")
        for body in [Body.file(missing), .multipart([.file("f", missing)])] {
            let error = try await failed { try await client.post("/v1/sink", body: body) }
            guard case .invalidRequest(let failure) = error else { return XCTFail("\(error)") }
            XCTAssertTrue(failure.message.contains("the file \"missing.bin\" cannot be read"), failure.message)
            XCTAssertNotNil(failure.cause)
        }
        let journal = try await session.journal()
        XCTAssertEqual(journal.count, 0)
    }
}
