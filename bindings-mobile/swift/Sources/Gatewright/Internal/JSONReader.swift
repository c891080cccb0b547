import Foundation

/// Reads JSON texts of the Rust side, and finds members in bodies without decoding what is around them.
///
/// Foundation has readers of JSON, too; this one makes no objects of Objective-C and no copies on its way, which counts on Linux, and it can say
/// where a member begins and ends. What is no JSON is `null`. Nesting deeper than ``depth`` is refused.
struct JSONReader {
    private static let depth = 512

    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    private struct Malformed: Error {}

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The value of a JSON text.
    static func read(_ json: [UInt8]) -> JSONValue {
        json.withUnsafeBufferPointer { bytes in
            var reader = JSONReader(bytes)
            return (try? reader.value(0)) ?? .null
        }
    }

    /// The text of an object's member; `null` where it has none.
    static func raw(_ name: String, of json: [UInt8]) -> String {
        json.withUnsafeBufferPointer { bytes in
            guard let range = JSONReader(bytes).range(of: name) else { return "null" }
            return String(decoding: bytes[range], as: UTF8.self)
        }
    }

    /// The bytes of a member, by a path with dots. A body that is a list is itself; one without the member is as it is, so that a decoder
    /// tells what is wrong.
    static func member(_ path: String, of body: Data) -> Data {
        body.withContiguousBytes { bytes in
            var reader = JSONReader(bytes)
            reader.skipSpace()
            guard reader.peek() != UInt8(ascii: "[") else { return body }
            var found = 0..<bytes.count
            for name in path.split(separator: ".", omittingEmptySubsequences: false) {
                let part = JSONReader(UnsafeBufferPointer(rebasing: bytes[found]))
                guard let range = part.range(of: String(name)) else { return body }
                found = (found.lowerBound + range.lowerBound)..<(found.lowerBound + range.upperBound)
            }
            return Data(bytes[found])
        }
    }

    /// Where the value of an object's member is.
    private func range(of name: String) -> Range<Int>? {
        var reader = self
        var found: Range<Int>?
        try? reader.object(0) { reader, member in
            reader.skipSpace()
            let start = reader.at
            try reader.skip(1)
            if member == name {
                // As parsers do: the last one counts.
                found = start..<reader.at
            }
        }
        return found
    }

    // MARK: Values

    private mutating func value(_ depth: Int) throws -> JSONValue {
        guard depth < JSONReader.depth else { throw Malformed() }
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"):
            var members: [String: JSONValue] = [:]
            try object(depth) { reader, name in
                members[name] = try reader.value(depth + 1)
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try list { reader in
                elements.append(try reader.value(depth + 1))
            }
            return .array(elements)
        case UInt8(ascii: "\""):
            return .string(try string())
        case UInt8(ascii: "t"):
            try expect("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try expect("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try expect("null")
            return .null
        default:
            return try number()
        }
    }

    private mutating func skip(_ depth: Int) throws {
        guard depth < JSONReader.depth else { throw Malformed() }
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"):
            try object(depth) { reader, _ in try reader.skip(depth + 1) }
        case UInt8(ascii: "["):
            try list { reader in try reader.skip(depth + 1) }
        case UInt8(ascii: "\""):
            try skipString()
        default:
            let start = at
            while let byte = peek(), !JSONReader.isEnd(byte) {
                at += 1
            }
            guard at > start else { throw Malformed() }
        }
    }

    private mutating func object(_ depth: Int, _ member: (inout JSONReader, String) throws -> Void) throws {
        try take(UInt8(ascii: "{"))
        skipSpace()
        if peek() == UInt8(ascii: "}") {
            at += 1
            return
        }
        while true {
            skipSpace()
            let name = try string()
            skipSpace()
            try take(UInt8(ascii: ":"))
            try member(&self, name)
            skipSpace()
            if peek() == UInt8(ascii: ",") {
                at += 1
            } else {
                return try take(UInt8(ascii: "}"))
            }
        }
    }

    private mutating func list(_ element: (inout JSONReader) throws -> Void) throws {
        try take(UInt8(ascii: "["))
        skipSpace()
        if peek() == UInt8(ascii: "]") {
            at += 1
            return
        }
        while true {
            try element(&self)
            skipSpace()
            if peek() == UInt8(ascii: ",") {
                at += 1
            } else {
                return try take(UInt8(ascii: "]"))
            }
        }
    }

    private mutating func number() throws -> JSONValue {
        let start = at
        var isWhole = true
        while let byte = peek(), !JSONReader.isEnd(byte) {
            isWhole = isWhole && (byte == UInt8(ascii: "-") || (byte >= 0x30 && byte <= 0x39))
            at += 1
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isWhole, let integer = Int64(text) {
            return .integer(integer)
        }
        guard let number = Double(text) else { throw Malformed() }
        return Int64(exactly: number).map(JSONValue.integer) ?? .number(number)
    }

    // MARK: Strings

    private mutating func string() throws -> String {
        let start = at + 1
        if try skipString() {
            return try JSONReader.unescaped(bytes[start..<at - 1])
        }
        return String(decoding: bytes[start..<at - 1], as: UTF8.self)
    }

    /// Passes a string; whether it has escapes.
    @discardableResult
    private mutating func skipString() throws -> Bool {
        try take(UInt8(ascii: "\""))
        var hasEscapes = false
        while let byte = peek() {
            at += 1
            if byte == UInt8(ascii: "\"") {
                return hasEscapes
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                at += 1
            }
        }
        throw Malformed()
    }

    private static func unescaped(_ raw: Slice<UnsafeBufferPointer<UInt8>>) throws -> String {
        var units: [UInt16] = []
        var plain: [UInt8] = []
        var text = ""
        func flush() {
            if !units.isEmpty {
                text += String(decoding: units, as: UTF16.self)
                units.removeAll()
            }
            if !plain.isEmpty {
                text += String(decoding: plain, as: UTF8.self)
                plain.removeAll()
            }
        }
        var rest = raw[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                if !units.isEmpty { flush() }
                plain.append(byte)
                continue
            }
            guard let escape = rest.popFirst() else { throw Malformed() }
            if escape == UInt8(ascii: "u") {
                if !plain.isEmpty { flush() }
                let digits = String(decoding: rest.prefix(4), as: UTF8.self)
                guard digits.utf8.count == 4, let unit = UInt16(digits, radix: 16) else { throw Malformed() }
                rest = rest.dropFirst(4)
                units.append(unit)
                continue
            }
            if !units.isEmpty { flush() }
            switch escape {
            case UInt8(ascii: "n"): plain.append(0x0A)
            case UInt8(ascii: "t"): plain.append(0x09)
            case UInt8(ascii: "r"): plain.append(0x0D)
            case UInt8(ascii: "b"): plain.append(0x08)
            case UInt8(ascii: "f"): plain.append(0x0C)
            default: plain.append(escape)
            }
        }
        flush()
        return text
    }

    // MARK: Bytes

    private func peek() -> UInt8? {
        at < bytes.count ? bytes[at] : nil
    }

    private mutating func take(_ byte: UInt8) throws {
        guard peek() == byte else { throw Malformed() }
        at += 1
    }

    private mutating func expect(_ word: StaticString) throws {
        for index in 0..<word.utf8CodeUnitCount {
            try take(word.utf8Start[index])
        }
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            at += 1
        }
    }

    /// Whether a number or a word ends before this byte.
    private static func isEnd(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), 0x20, 0x0A, 0x0D, 0x09: true
        default: false
        }
    }
}

extension Data {
    /// The bytes, for as long as `body` runs.
    fileprivate func withContiguousBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        withUnsafeBytes { $0.withMemoryRebound(to: UInt8.self, body) }
    }
}
