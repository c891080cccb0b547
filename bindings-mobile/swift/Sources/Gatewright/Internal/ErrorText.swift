import Foundation

/// Errors of others in one line, to stand in the text of one of ours.
enum ErrorText {
    static func of(_ error: any Error) -> String {
        let text = (error as? any LocalizedError)?.errorDescription ?? String(describing: error)
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

/// What a decoder says: what was expected and where. Values are left out, since they may be secrets.
enum DecodingFailure {
    static func text(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return ErrorText.of(error) }
        switch error {
        case .keyNotFound(let key, let context):
            return "no member `\(key.stringValue)`\(context.codingPath.place)"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return "no \(type)\(context.codingPath.place)"
        case .dataCorrupted(let context):
            // What Foundation says of JSON that is none. It says of a value what the value is: that is left out.
            let isJSON = !context.codingPath.isEmpty || !context.debugDescription.contains("JSON")
            return isJSON ? "a value that cannot be used\(context.codingPath.place)" : "it is no JSON"
        @unknown default:
            return ErrorText.of(error)
        }
    }
}

/// What an encoder says, and of what.
enum EncodingFailure {
    static func text(_ error: any Error) -> String {
        guard case EncodingError.invalidValue(_, let context) = error else { return ErrorText.of(error) }
        let said = context.debugDescription
        return (said.hasSuffix(".") ? String(said.dropLast()) : said) + context.codingPath.place
    }
}

extension [any CodingKey] {
    /// Where that is, to stand behind what is wrong there.
    fileprivate var place: String {
        isEmpty ? "" : " at `" + map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".") + "`"
    }
}
