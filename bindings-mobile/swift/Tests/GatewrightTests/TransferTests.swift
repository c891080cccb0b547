// JSON lines, downloads that go on where they break, and resumable uploads.

import Foundation
import Gatewright
import XCTest

final class TransferTests: XCTestCase {
    private struct Line: Decodable, Sendable {
        let index: Int
    }

    private func temporary() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gatewright-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        return folder
    }

    private func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    // MARK: JSON lines

    func testValuesAreDecodedAsTheyCome() async throws {
        let session = try Session()
        var indices: [Int] = []
        for try await line in try session.client().jsonLines("/v1/lines/5", as: Line.self) {
            indices.append(line.index)
        }
        XCTAssertEqual(indices, [0, 1, 2, 3, 4])
        let accept = try await session.header("accept")
        XCTAssertEqual(accept.first??.contains("application/jsonl"), true)
    }

    func testABadLineIsNamedAndTheNextOneCanBeAskedFor() async throws {
        let lines = try Session().client().jsonLines("/v1/exports", as: JSONValue.self, query: ["items": 5, "bad_at": 3])
        var values = lines.makeAsyncIterator()
        var came = 0
        let error = try await failed { while try await values.next() != nil { came += 1 } }
        guard case .decode(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.message.contains("line 3"), failure.message)
        XCTAssertEqual(came, 2)
        while try await values.next() != nil { came += 1 }
        XCTAssertEqual(came, 4)
    }

    func testAValueOfAnotherShapeSpoilsNoOther() async throws {
        let answer = "{\"index\":1}\n\n{\"other\":2}\n{\"index\":3}\n"
        let server = try StubServer { _ in
            "HTTP/1.1 200 OK\r\ncontent-type: application/jsonl\r\ncontent-length: \(answer.utf8.count)\r\nconnection: close\r\n\r\n\(answer)"
        }
        var values = try Client(baseURL: server.url, auth: .none).jsonLines("/", as: Line.self).makeAsyncIterator()
        let first = try await values.next()
        XCTAssertEqual(first?.index, 1)
        let error = try await failed { try await values.next() }
        guard case .decode(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.message.contains("value 2 of the JSON lines"), failure.message)
        XCTAssertTrue(failure.cause is DecodingError)
        let last = try await values.next()
        XCTAssertEqual(last?.index, 3)
        let end = try await values.next()
        XCTAssertNil(end)
    }

    func testLinesCanBeReadAsTexts() async throws {
        let answer = "{\"a\": 1}\r\n\r\n[DONE]\n"
        let server = try StubServer { _ in
            "HTTP/1.1 200 OK\r\ncontent-type: application/jsonl\r\ncontent-length: \(answer.utf8.count)\r\nconnection: close\r\n\r\n\(answer)"
        }
        let lines = try Client(baseURL: server.url, auth: .none).textLines("/")
        let texts = try await lines.reduce(into: [String]()) { $0.append($1) }
        XCTAssertEqual(texts, ["{\"a\": 1}", "[DONE]"])
    }

    func testALineHasALimitAndSilenceHasOne() async throws {
        let client = try Session().client()
        let long = try await failed {
            for try await _ in client.jsonLines("/v1/lines/2", as: JSONValue.self, options: .init(maxLineBytes: 8)) {}
        }
        guard case .protocol = long else { return XCTFail("\(long)") }
        XCTAssertTrue(long.message.contains("line 1 is longer than 8 bytes"), long.message)
        let options = JSONLinesOptions(idleTimeout: .milliseconds(100))
        let silent = try await failed {
            for try await _ in client.jsonLines("/v1/lines/3", as: JSONValue.self, query: ["interval_ms": 5000], options: options) {}
        }
        guard case .timeout = silent else { return XCTFail("\(silent)") }
        let wrong = try await failed {
            for try await _ in client.jsonLines("/v1/lines/2", as: JSONValue.self, options: .init(idleTimeout: .seconds(0))) {}
        }
        XCTAssertTrue(wrong.message.contains("`idleTimeout` is 0 ms"), wrong.message)
    }

    // MARK: Downloads

    func testADownloadThatBreaksGoesOnWhereItBroke() async throws {
        let session = try Session()
        let client = try session.client()
        let whole = try await client.get("/v1/files/gen-200000-7/content").data
        try await session.script("files.content", "reset@90000", "ok")
        let download = try await client.download("/v1/files/gen-200000-7/content")
        XCTAssertEqual(download.total, 200_000)
        XCTAssertEqual(download.headers["accept-ranges"], "bytes")
        var came = Data()
        for try await piece in download { came += piece }
        XCTAssertEqual(came, whole)
        XCTAssertEqual(download.position, 200_000)
        XCTAssertEqual(download.attempts.map(\.status), [200, 206])
        XCTAssertEqual(download.attempts.first?.decision, .retry)
        let ranges = try await session.header("range")
        XCTAssertEqual(ranges.count, 3)
        XCTAssertTrue(try fits(ranges[2] ?? "", "^bytes=[1-9][0-9]*-$"))
    }

    func testAnotherVersionIsNeverMixedIn() async throws {
        let session = try Session()
        let client = try session.client()
        let uploaded = try await client.post("/v1/files", body: .data(Data(repeating: 1, count: 100_000)))
        let path = "/v1/files/\(try uploaded.decode(JSONValue.self)["id"]?.string ?? "")/content"
        try await session.script("files.content", "reset@30000", "ok")
        var came = 0
        let error = try await failed {
            for try await piece in try await client.download(path, query: ["chunk": 1000]) {
                if came == 0 {
                    try await client.put(path, body: .data(Data(repeating: 2, count: 100_000)))
                }
                XCTAssertTrue(piece.allSatisfy { $0 == 1 })
                came += piece.count
            }
        }
        guard case .preconditionFailed = error else { return XCTFail("\(error)") }
        XCTAssertLessThan(came, 100_000)
    }

    func testLeavingTheLoopAndCancellingEndADownload() async throws {
        let session = try Session()
        let client = try session.client { $0.auth = .bearer("sk_test_enterprise_acme") }
        let path = "/v1/files/gen-1000000-7/content?chunk=1000&interval_ms=50"
        for try await _ in try await client.download(path) { break }
        try await until("the end of it") { try await session.inProgress() == 0 }
        let download = try await client.download(path)
        download.cancel()
        let error = try await failed { for try await _ in download {} }
        guard case .closed = error else { return XCTFail("\(error)") }
        try await until("the end of it") { try await session.inProgress() == 0 }
        let task = Task { for try await _ in try await client.download(path) {} }
        try await until("a download") { try await session.inProgress() == 1 }
        task.cancel()
        let thrown = try await thrown { try await task.value }
        XCTAssertTrue(thrown is CancellationError, "\(thrown)")
        try await until("the end of it") { try await session.inProgress() == 0 }
    }

    func testAFileIsThereOnceItIsWholeAndALaterRunGoesOn() async throws {
        let session = try Session()
        let folder = try temporary()
        let file = folder.appendingPathComponent("report.bin")
        let impatient = try session.client { $0.retry.maxAttempts = 1 }
        try await session.script("files.content", "reset@90000", "ok")
        let broken = try await failed { try await impatient.download("/v1/files/gen-200000-7/content", to: file) }
        guard case .connectionLost = broken else { return XCTFail("\(broken)") }
        XCTAssertEqual(try names(folder), ["report.bin.part", "report.bin.part.version"])
        let done = try await impatient.download("/v1/files/gen-200000-7/content", to: file)
        XCTAssertEqual(done.length, 200_000)
        XCTAssertGreaterThan(done.resumedFrom, 0)
        XCTAssertEqual(done.attempts.map(\.status), [206])
        XCTAssertEqual(try names(folder), ["report.bin"])
        let whole = try await impatient.get("/v1/files/gen-200000-7/content").data
        XCTAssertEqual(try Data(contentsOf: file), whole)
    }

    func testWhatCannotBeDownloadedSaysWhy() async throws {
        let session = try Session()
        let client = try session.client()
        let ranged = try await failed { try await client.download("/v1/bytes/10", headers: ["range": "bytes=5-"]) }
        guard case .invalidRequest = ranged else { return XCTFail("\(ranged)") }
        let missing = try await failed { try await client.download("/v1/files/nope/content") }
        guard case .notFound = missing else { return XCTFail("\(missing)") }
        let nowhere = try temporary().appendingPathComponent("no/such/folder/file")
        let unwritable = try await failed { try await client.download("/v1/bytes/10", to: nowhere) }
        guard case .invalidRequest = unwritable else { return XCTFail("\(unwritable)") }
        let web = try await failed { try await client.download("/v1/bytes/10", to: URL(string: "https://example.com/a") ?? nowhere) }
        guard case .invalidRequest = web else { return XCTFail("\(web)") }
        let journal = try await session.journal()
        XCTAssertEqual(journal.map(\.path), ["/v1/files/nope/content"])
    }

    // MARK: Uploads

    private let content = Data((0..<1000).map { UInt8(truncatingIfNeeded: $0) })

    func testAFileIsUploadedPieceByPieceAndProgressIsTold() async throws {
        let session = try Session()
        let file = try temporary().appendingPathComponent("film.bin")
        try content.write(to: file)
        let told = Told()
        let uploaded = try await session.client().upload(
            "/v1/files", body: .file(file, contentType: "video/mp4"), options: .init(chunkSize: 400)
        ) { told.append($0) }
        XCTAssertEqual(uploaded.response.status, 201)
        XCTAssertTrue(uploaded.isResumable)
        XCTAssertFalse(uploaded.isAnswerLost)
        XCTAssertEqual(uploaded.attempts.count, 5)
        XCTAssertEqual(try uploaded.response.decode(JSONValue.self)["size"]?.int, 1000)
        XCTAssertEqual(told.positions.map(\.offset), [0, 0, 400, 800, 1000])
        XCTAssertEqual(told.positions.last?.length, 1000)
        XCTAssertNotNil(told.positions.last?.location)
        let journal = try await session.journal()
        XCTAssertEqual(journal.map(\.method), ["OPTIONS", "POST", "PATCH", "PATCH", "PATCH"])
        XCTAssertEqual(journal.map { $0.headers["upload-offset"] }, [nil, nil, "0", "400", "800"])
        XCTAssertEqual(journal[1].headers["content-type"], "video/mp4")
        XCTAssertEqual(journal.dropFirst(2).reduce(Data()) { $0 + $1.body }, content)
    }

    func testABreakCostsNoMoreThanIsLostWhateverTheSource() async throws {
        let content = content
        let pieces = AsyncStream<Data> { stream in
            stream.yield(content.prefix(300))
            stream.yield(content.dropFirst(300))
            stream.finish()
        }
        for body in [Body.data(content), .replayable { ThreePieces(content) }, .stream(pieces)] {
            let session = try Session()
            try await session.script("uploads.append", "ok", "cut-upload@40", "ok")
            let uploaded = try await session.client().upload("/v1/files", body: body, options: .init(chunkSize: 400))
            XCTAssertEqual(try uploaded.response.decode(JSONValue.self)["size"]?.int, 1000)
            let methods = try await session.journal().map(\.method)
            XCTAssertEqual(methods, ["OPTIONS", "POST", "PATCH", "PATCH", "HEAD", "PATCH", "PATCH"], body.description)
        }
    }

    func testAnUploadGoesOnWhereAnEarlierOneEnded() async throws {
        let session = try Session()
        let client = try session.client { $0.retry.maxAttempts = 1 }
        try await session.script("uploads.append", "ok", "403")
        let error = try await failed { try await client.upload("/v1/files", body: .data(content), options: .init(chunkSize: 400)) }
        let position = error.failure.upload
        XCTAssertEqual(position?.offset, 400)
        XCTAssertEqual(position?.length, 1000)
        let location = try XCTUnwrap(position?.location)
        XCTAssertFalse("\(String(describing: position))".contains(location))
        try await session.faults()
        let uploaded = try await client.upload("/v1/files", body: .data(content), options: .init(chunkSize: 1000, resume: location))
        XCTAssertEqual(try uploaded.response.decode(JSONValue.self)["size"]?.int, 1000)
        let journal = try await session.journal().suffix(2)
        XCTAssertEqual(journal.map(\.method), ["HEAD", "PATCH"])
        XCTAssertEqual(journal.last?.body, content.dropFirst(400))
    }

    func testWhatCannotBeUploadedSaysWhy() async throws {
        let session = try Session()
        let client = try session.client()
        let size = try await failed { try await client.upload("/v1/files", body: .data(content), options: .init(chunkSize: 0)) }
        guard case .invalidRequest = size else { return XCTFail("\(size)") }
        XCTAssertTrue(size.message.contains("`chunkSize` is 0"), size.message)
        let nowhere = try temporary().appendingPathComponent("nothing")
        let file = try await failed { try await client.upload("/v1/files", body: .file(nowhere)) }
        guard case .invalidRequest = file else { return XCTFail("\(file)") }
        let journal = try await session.journal()
        XCTAssertEqual(journal.count, 0)
        let broken = try await failed {
            try await client.upload("/v1/files", body: .replayable { Failing() }, options: .init(chunkSize: 4))
        }
        XCTAssertTrue(broken.failure.cause is Broken, "\(broken)")
    }

    func testCancellingEndsAnUpload() async throws {
        let session = try Session()
        let client = try session.client()
        let task = Task { try await client.upload("/v1/files", body: .replayable { Endless() }, options: .init(chunkSize: 1000)) }
        try await until("a piece") { try await session.journal().contains { $0.method == "PATCH" } }
        task.cancel()
        let error = try await thrown { try await task.value }
        XCTAssertTrue(error is CancellationError, "\(error)")
        try await client.idle()
    }
}

/// What progress was told.
private final class Told: @unchecked Sendable {
    private let lock = NSLock()
    private var all: [UploadPosition] = []

    var positions: [UploadPosition] { lock.withLock { all } }

    func append(_ position: UploadPosition) {
        lock.withLock { all.append(position) }
    }
}

/// Some bytes in three pieces.
private struct ThreePieces: AsyncSequence, AsyncIteratorProtocol, Sendable {
    private var rest: [Data]

    init(_ data: Data) {
        rest = [Data(data.prefix(1)), Data(data.dropFirst(1).prefix(700)), Data(data.dropFirst(701))]
    }

    func makeAsyncIterator() -> ThreePieces { self }

    mutating func next() async throws -> Data? { rest.isEmpty ? nil : rest.removeFirst() }
}

/// A stream that fails.
private struct Failing: AsyncSequence, AsyncIteratorProtocol, Sendable {
    func makeAsyncIterator() -> Failing { self }

    mutating func next() async throws -> Data? { throw Broken("the disk is gone") }
}

/// A stream that never ends, slowly.
private struct Endless: AsyncSequence, AsyncIteratorProtocol, Sendable {
    func makeAsyncIterator() -> Endless { self }

    mutating func next() async throws -> Data? {
        try await Task.sleep(for: .milliseconds(1))
        return Data(repeating: 7, count: 1000)
    }
}
