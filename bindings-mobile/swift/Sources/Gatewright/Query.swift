/// Parameters of a query, or fields of a form: pairs in their order.
///
/// ```swift no-run
/// client.get("/contacts", query: ["limit": 20, "tag": ["a", "b"], "cursor": cursor])   // cursor: String?
/// ```
///
/// Values that are `nil` are left out, lists repeat the name. Everything is percent-encoded.
public struct Query: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    private(set) var pairs: [Pair] = []

    struct Pair: Sendable, Hashable {
        let name: String
        let value: String
    }

    /// No parameters.
    public init() {}

    /// Parameters in the order of the literal.
    public init(dictionaryLiteral elements: (String, (any QueryValue)?)...) {
        for (name, value) in elements {
            append(name, value)
        }
    }

    /// Parameters of pairs, in their order; a name may come several times.
    public init(_ pairs: some Sequence<(String, String)>) {
        for (name, value) in pairs {
            append(name, value)
        }
    }

    /// Parameters of a dictionary, by name.
    public init(_ parameters: [String: String]) {
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            append(name, value)
        }
    }

    /// Adds a parameter. `nil` adds nothing, a list adds the name once for each element.
    public mutating func append(_ name: String, _ value: (any QueryValue)?) {
        for value in value?.queryValues ?? [] {
            pairs.append(Pair(name: name, value: value))
        }
    }

    /// Whether there are no parameters.
    public var isEmpty: Bool { pairs.isEmpty }
}

/// What a parameter of a query may be: text, a number, a truth value, a list of those, or a type of one's own.
public protocol QueryValue: Sendable {
    /// The texts for which the parameter is repeated; one for most values.
    var queryValues: [String] { get }
}

extension QueryValue where Self: CustomStringConvertible {
    /// The description, once.
    public var queryValues: [String] { [description] }
}

extension QueryValue where Self: RawRepresentable, RawValue: QueryValue {
    /// Those of the raw value.
    public var queryValues: [String] { rawValue.queryValues }
}

extension String: QueryValue {}
extension Substring: QueryValue {}
extension Bool: QueryValue {}
extension Int: QueryValue {}
extension Int32: QueryValue {}
extension Int64: QueryValue {}
extension UInt: QueryValue {}
extension UInt32: QueryValue {}
extension UInt64: QueryValue {}
extension Float: QueryValue {}
extension Double: QueryValue {}

extension Array: QueryValue where Element: QueryValue {
    /// Those of all elements, in their order.
    public var queryValues: [String] { flatMap(\.queryValues) }
}

extension Query: CustomStringConvertible, CustomReflectable {
    /// The names; values may be secrets.
    public var description: String {
        "Query(\(pairs.map(\.name).joined(separator: ", ")))"
    }

    /// The names; values may be secrets.
    public var customMirror: Mirror {
        Mirror(self, children: ["names": pairs.map(\.name)])
    }
}
