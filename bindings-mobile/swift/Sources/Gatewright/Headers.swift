/// Headers: names, in any case, and values, in their order. A name may come several times.
///
/// ```swift no-run
/// var headers: Headers = ["accept": "application/json"]
/// headers["X-Trace"] = "a1"
/// let type = response.headers["content-type"]
/// let cookies = response.headers.values(for: "set-cookie")
/// ```
public struct Headers: Sendable, ExpressibleByDictionaryLiteral {
    /// A name and a value.
    public typealias Element = (name: String, value: String)

    private var fields: [Element]

    /// No headers.
    public init() {
        fields = []
    }

    /// Headers in the order of the literal.
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { (name: $0, value: $1) }
    }

    /// Headers of pairs, in their order.
    public init(_ pairs: some Sequence<(String, String)>) {
        fields = pairs.map { (name: $0, value: $1) }
    }

    /// Headers of pairs, in their order; those of other libraries mostly are such a sequence.
    public init(_ pairs: some Sequence<(name: String, value: String)>) {
        fields = Array(pairs)
    }

    /// Headers of a dictionary, by name.
    public init(_ headers: [String: String]) {
        fields = headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    /// The value of a header, several joined by `, `; `nil` where there is none. Setting replaces all of that name, `nil` removes them.
    public subscript(name: String) -> String? {
        get {
            var joined: String?
            for field in fields where Headers.same(field.name, name) {
                joined = joined.map { "\($0), \(field.value)" } ?? field.value
            }
            return joined
        }
        set {
            let at = fields.firstIndex { Headers.same($0.name, name) }
            fields.removeAll { Headers.same($0.name, name) }
            if let newValue {
                fields.insert((name: name, value: newValue), at: at ?? fields.endIndex)
            }
        }
    }

    /// All values of a header, in their order.
    public func values(for name: String) -> [String] {
        fields.compactMap { Headers.same($0.name, name) ? $0.value : nil }
    }

    /// Adds a header beside those of the same name.
    public mutating func append(_ name: String, _ value: String) {
        fields.append((name: name, value: value))
    }

    /// Whether names are the same: ASCII letters in any case.
    private static func same(_ one: String, _ other: String) -> Bool {
        let (one, other) = (one.utf8, other.utf8)
        guard one.count == other.count else { return false }
        return zip(one, other).allSatisfy { lowercase($0) == lowercase($1) }
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
}

extension Headers: RandomAccessCollection {
    /// The first header's place.
    public var startIndex: Int { fields.startIndex }

    /// The place after the last header.
    public var endIndex: Int { fields.endIndex }

    /// The header at a place.
    public subscript(position: Int) -> Element { fields[position] }
}

extension Headers: Hashable {
    /// Whether both have the same names (in any case) and values, in the same order.
    public static func == (one: Headers, other: Headers) -> Bool {
        one.count == other.count && zip(one, other).allSatisfy { same($0.name, $1.name) && $0.value == $1.value }
    }

    /// Hashes names (in any case) and values.
    public func hash(into hasher: inout Hasher) {
        for field in fields {
            for byte in field.name.utf8 {
                hasher.combine(Headers.lowercase(byte))
            }
            hasher.combine(field.value)
        }
    }
}

extension Headers: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The names; values may be secrets.
    public var description: String {
        "Headers(\(fields.map(\.name).joined(separator: ", ")))"
    }

    /// The same as the description.
    public var debugDescription: String { description }

    /// The names; values may be secrets.
    public var customMirror: Mirror {
        Mirror(self, children: ["names": fields.map(\.name)])
    }
}
