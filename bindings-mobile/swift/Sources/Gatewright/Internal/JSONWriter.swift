import Foundation

/// Writes the JSON object of settings, options and answers.
struct JSONWriter {
    private var text = "{"

    /// The object so far; nothing where it has no members.
    var object: String? {
        text.utf8.count == 1 ? nil : text + "}"
    }

    mutating func member(_ name: String, _ value: String) {
        begin(name)
        JSONWriter.quote(value, into: &text)
    }

    mutating func member(_ name: String, _ value: Bool) {
        begin(name)
        text += value ? "true" : "false"
    }

    mutating func member(_ name: String, _ value: Double) {
        begin(name)
        write(value)
    }

    mutating func member(_ name: String, _ value: Int) {
        begin(name)
        text += String(value)
    }

    /// A time in milliseconds.
    mutating func member(_ name: String, _ value: Duration) {
        begin(name)
        write(value.milliseconds)
    }

    /// A time limit in milliseconds, `null` for none.
    mutating func member(_ name: String, _ value: Timeout) {
        begin(name)
        if let milliseconds = value.milliseconds {
            write(milliseconds)
        } else {
            text += "null"
        }
    }

    mutating func member(_ name: String, _ value: [String]) {
        begin(name)
        text += "["
        for (index, element) in value.enumerated() {
            text += index > 0 ? "," : ""
            JSONWriter.quote(element, into: &text)
        }
        text += "]"
    }

    mutating func member(_ name: String, pairs: some Sequence<(name: String, value: String)>) {
        begin(name)
        JSONWriter.write(pairs, into: &text)
    }

    /// A member that is written already.
    mutating func member(_ name: String, raw: String) {
        begin(name)
        text += raw
    }

    /// What JSON cannot say as a number is said as text.
    private mutating func write(_ number: Double) {
        if number.isNaN {
            text += "\"NaN\""
        } else if number.isInfinite {
            text += number > 0 ? "\"Infinity\"" : "\"-Infinity\""
        } else {
            text += String(number)
        }
    }

    private mutating func begin(_ name: String) {
        if text.utf8.count > 1 {
            text += ","
        }
        JSONWriter.quote(name, into: &text)
        text += ":"
    }

    /// A list of pairs.
    static func pairs(_ pairs: some Sequence<(name: String, value: String)>) -> String {
        var text = ""
        write(pairs, into: &text)
        return text
    }

    private static func write(_ pairs: some Sequence<(name: String, value: String)>, into text: inout String) {
        text += "["
        var isFirst = true
        for (name, value) in pairs {
            text += isFirst ? "[" : ",["
            isFirst = false
            quote(name, into: &text)
            text += ","
            quote(value, into: &text)
            text += "]"
        }
        text += "]"
    }

    static func quote(_ value: String, into text: inout String) {
        text += "\""
        if value.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
            for scalar in value.unicodeScalars {
                switch scalar {
                case "\"": text += "\\\""
                case "\\": text += "\\\\"
                case _ where scalar.value < 0x20:
                    let hex = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                default: text.unicodeScalars.append(scalar)
                }
            }
        } else {
            text += value
        }
        text += "\""
    }
}

extension Duration {
    /// In milliseconds.
    var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1e3 + Double(attoseconds) / 1e15
    }
}
