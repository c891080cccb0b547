// Lines of the protocol as JSON values: what is asked of them beside what the SDK's own type has.

import Foundation
import Gatewright

typealias JSON = JSONValue

extension JSON {
    /// Reads one value.
    static func read(_ bytes: Data) throws -> JSON {
        try JSONDecoder().decode(JSON.self, from: bytes)
    }

    /// Writes it in one line.
    func line() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return try encoder.encode(self)
    }

    /// The member of an object; nil where there is none, or where it is null.
    func member(_ name: String) -> JSON? {
        self[name].flatMap { $0 == .null ? nil : $0 }
    }

    /// The object with these members as well.
    func with(_ more: [String: JSON]) -> JSON {
        .object((object ?? [:]).merging(more) { _, new in new })
    }

    init(_ text: String?) { self = text.map(JSON.string) ?? .null }
    init(_ number: Int?) { self = number.map { .integer(Int64($0)) } ?? .null }

    /// A time in milliseconds.
    init(ms duration: Duration?) {
        self = duration.map { .number($0 / .milliseconds(1)) } ?? .null
    }
}

// What a request must have, or the adapter does not know it.

func text(_ value: JSON?) throws -> String {
    guard let text = value?.string else { throw Unsupported("a text that is none") }
    return text
}

func number(_ value: JSON) throws -> Int {
    guard let int = value.int else { throw Unsupported("a number that is no integer") }
    return int
}

func flag(_ value: JSON) throws -> Bool {
    guard let flag = value.bool else { throw Unsupported("a flag that is none") }
    return flag
}

func fraction(_ value: JSON) throws -> Double {
    guard let fraction = value.double else { throw Unsupported("a fraction that is no number") }
    return fraction
}

func milliseconds(_ value: JSON) throws -> Double {
    guard let ms = value.double else { throw Unsupported("a time that is no number") }
    return ms
}

func duration(_ value: JSON) throws -> Duration {
    .milliseconds(try milliseconds(value))
}

func bytes(base64: JSON) throws -> Data {
    guard let bytes = Data(base64Encoded: try text(base64)) else { throw Unsupported("base64 that is none") }
    return bytes
}
