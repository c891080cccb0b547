// The reader and the writer of JSON, against Foundation's.

import Foundation
@testable import Gatewright
import XCTest

final class JSONTests: XCTestCase {
    func testTheReaderReadsWhatFoundationReads() throws {
        let texts = [
            "{}", "[]", " {\"a\" : [1, -2.5e3, true, false, null, \"x\"]}\n", "\"\"", "0", "-1", "9223372036854775807", "1e2",
            #""\u00e9\ud83e\udd80\n\t\"\\\/\b\f\r""#, #"{"a":{"b":{"c":[[[]]]}}}"#, "\"Zoë \u{1F980}\"", #"{"\u0061":1}"#,
            "18446744073709551616",
        ]
        for text in texts {
            let expected = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
            XCTAssertEqual(JSONReader.read(Array(text.utf8)), expected, text)
        }
    }

    func testWhatIsNoJSONIsNull() {
        for text in ["", "{", "[1,", "{\"a\"}", "{\"a\":}", "tru", "\"", "\"\\", "\"\\u12\"", "{a:1}", "]", "x"] {
            XCTAssertEqual(JSONReader.read(Array(text.utf8)), .null, text)
        }
        let deep = Array(repeating: UInt8(ascii: "["), count: 1_000_000)
        XCTAssertEqual(JSONReader.read(deep), .null)
        XCTAssertEqual(JSONReader.member("a", of: Data("{\"a\":".utf8 + deep)), Data("{\"a\":".utf8 + deep))
    }

    func testWhatIsWrittenIsReadBack() throws {
        let texts = ["", "plain", "quote \" and \\", "\u{0}\n\u{1F}", "Zoë \u{1F980}", "\u{2028}"]
        var json = JSONWriter()
        json.member("texts", texts)
        json.member("pairs", pairs: texts.map { (name: $0, value: $0) })
        json.member("number", -5)
        json.member("flag", true)
        json.member("time", Timeout.after(.milliseconds(1500)))
        json.member("never", Timeout.never)
        json.member("none", Timeout.seconds(.nan))
        let object = try XCTUnwrap(json.object)
        let read = try JSONDecoder().decode(JSONValue.self, from: Data(object.utf8))
        XCTAssertEqual(read["texts"], .array(texts.map(JSONValue.string)))
        XCTAssertEqual(read["pairs"], .array(texts.map { .array([.string($0), .string($0)]) }))
        XCTAssertEqual(read["number"], -5)
        XCTAssertEqual(read["flag"], true)
        XCTAssertEqual(read["time"], 1500)
        XCTAssertEqual(read["never"], .null)
        XCTAssertEqual(read["none"], "NaN")
        XCTAssertEqual(JSONReader.read(Array(object.utf8)), read)
        XCTAssertNil(JSONWriter().object)
    }

    func testAnyValueShowsItselfAsJSON() {
        let value: JSONValue = ["b": [1, 2.5, nil, true], "a": "x\"y"]
        XCTAssertEqual("\(value)", #"{"a": "x\"y", "b": [1, 2.5, null, true]}"#)
        XCTAssertEqual(value["b"]?[1]?.double, 2.5)
        XCTAssertNil(value["b"]?[9])
        XCTAssertNil(value["c"])
        XCTAssertEqual(value["b"]?[0]?.int, 1)
        XCTAssertEqual(value.object?.count, 2)
    }

    func testFramesThatAreCutOffAreLeftAlone() {
        // A length beyond the batch, an unknown kind, a body beyond its frame: nothing is read beyond the end.
        for bytes: [UInt8] in [
            [], [1], [255, 255, 255, 255], [5, 0, 0, 0, 1, 0, 0, 0, 99], [5, 0, 0, 0, 1, 0, 0, 0, 1],
            [9, 0, 0, 0, 1, 0, 0, 0, 3, 7, 0, 0, 0], [19, 0, 0, 0, 1, 0, 0, 0, 1, 200, 0] + Array(repeating: 255, count: 12),
            [7, 0, 0, 0, 0, 0, 0, 0, 6, 123, 125],
        ] {
            Frames.read(Data(bytes), large: [])
        }
    }
}
