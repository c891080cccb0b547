// Lists, page by page and item by item.

import Gatewright
import XCTest

final class PageTests: XCTestCase {
    private let fortyFive = (1...45).map { "ct_" + String(repeating: "0", count: 6 - String($0).count) + String($0) }

    func testAllPages() async throws {
        let session = try Session()
        var counts: [Int] = []
        for try await page in try session.client().pages("/v1/contacts", query: ["limit": 20]) {
            XCTAssertTrue(page.response.isOK)
            counts.append(try page.items(as: Contact.self).count)
        }
        XCTAssertEqual(counts, [20, 20, 5])
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 3)
    }

    func testAllItemsInOrder() async throws {
        let session = try Session()
        var ids: [String?] = []
        for try await contact in try session.client().items("/v1/contacts", as: Contact.self, query: ["limit": 20]) {
            ids.append(contact.id)
        }
        XCTAssertEqual(ids, fortyFive)
    }

    func testAPageIsFetchedWhenTheLoopAsksForItAndNoneAfterItIsLeft() async throws {
        let session = try Session()
        let client = try session.client()
        let pages = client.pages("/v1/contacts", query: ["limit": 20])
        var requests = try await session.journal().count
        XCTAssertEqual(requests, 0)
        for try await _ in pages {
            break
        }
        requests = try await session.journal().count
        XCTAssertEqual(requests, 1)
        var count = 0
        for try await _ in client.items("/v1/contacts", as: Contact.self, query: ["limit": 20]) {
            count += 1
            if count == 21 {
                break
            }
        }
        requests = try await session.journal().count
        XCTAssertEqual(requests, 3)
        try await client.idle()
    }

    func testEachLoopBeginsAtTheFirstPage() async throws {
        let session = try Session()
        let pages = try session.client().pages("/v1/contacts", query: ["limit": 40])
        for _ in 0..<2 {
            var counts: [Int] = []
            for try await page in pages {
                counts.append(try page.items(as: Contact.self).count)
            }
            XCTAssertEqual(counts, [40, 5])
        }
    }

    func testWhereAListHasItsItemsAndCursorsCanBeSaid() async throws {
        let asked = Collected<String>()
        let server = try StubServer { request in
            asked.add(request.target)
            let isSecond = request.target.contains("after=")
            let filler = #"{"things": [9], "text": "]}\"", "n": -1.5e3}"#
            return StubServer.json(
                #"{"before": \#(filler), "result": {"x": [{}], "things": \#(isSecond ? "[3]" : "[1, 2]")}, "paging": {"next": "#
                    + (isSecond ? "null" : "\"two\"") + "}}")
        }
        let client = try Client(baseURL: server.url)
        let options = PageOptions(items: "result.things", cursor: "paging.next", cursorParameter: "after")
        var items: [Int] = []
        for try await item in client.items("/list", as: Int.self, query: ["size": 2], options: options) {
            items.append(item)
        }
        XCTAssertEqual(items, [1, 2, 3])
        XCTAssertEqual(asked.all, ["/list?size=2", "/list?size=2&after=two"])
    }

    func testABodyThatIsAListIsItsOwnItems() async throws {
        let server = try StubServer { _ in StubServer.json(#" ["a", "b"]"#) }
        var items: [String] = []
        for try await item in try Client(baseURL: server.url).items("/list", as: String.self) {
            items.append(item)
        }
        XCTAssertEqual(items, ["a", "b"])
    }

    func testAListWithoutItemsWhereTheyShouldBeIsToldSo() async throws {
        let session = try Session()
        var pages = try session.client().pages("/v1/contacts", options: PageOptions(items: "nothing.here")).makeAsyncIterator()
        let error = try await failed { try await pages.next() }
        guard case .decode(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.message.contains("nothing"), failure.message)
        let over = try await pages.next()
        XCTAssertNil(over)
    }

    func testItemsOfAnotherTypeAreToldSo() async throws {
        struct Other: Decodable, Sendable { let nothing: Int }
        let session = try Session()
        let error = try await failed {
            for try await _ in try session.client().items("/v1/contacts", as: Other.self) {}
        }
        guard case .decode(let failure) = error else { return XCTFail("\(error)") }
        XCTAssertTrue(failure.cause is DecodingError)
        XCTAssertTrue(failure.message.contains("no member `nothing` at `[0]`"), failure.message)
    }

    func testAPageThatFailsIsRetriedAndWhatStaysIsThrownWhereTheLoopIs() async throws {
        let session = try Session()
        try await session.script("contacts.list", "ok", "503", "ok", "403")
        let client = try session.client()
        var attempts: [Int] = []
        let error = try await failed {
            for try await page in client.pages("/v1/contacts", query: ["limit": 20]) {
                attempts.append(page.response.attempts.count)
            }
        }
        XCTAssertEqual(attempts, [1, 2])
        guard case .permissionDenied = error else { return XCTFail("\(error)") }
    }

    func testWrongInputIsToldByTheFirstPageAndNothingIsSent() async throws {
        let session = try Session()
        let client = try session.client()
        for pages in [
            client.pages("/a\nb"), client.pages("/v1/contacts", headers: ["a b": "c"]),
            client.pages("/v1/contacts", options: PageOptions(maxAttempts: 0)),
        ] {
            let error = try await failed { for try await _ in pages {} }
            guard case .invalidRequest = error else { return XCTFail("\(error)") }
        }
        let requests = try await session.journal().count
        XCTAssertEqual(requests, 0)
    }
}
