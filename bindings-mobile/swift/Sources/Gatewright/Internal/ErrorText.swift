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
            return "no member `\(key.stringValue)`\(place(context.codingPath))"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return "no \(type)\(place(context.codingPath))"
        case .dataCorrupted(let context):
            // What Foundation says of JSON that is none. It says of a value what the value is: that is left out.
            let isJSON = !context.codingPath.isEmpty || !context.debugDescription.contains("JSON")
            return isJSON ? "a value that cannot be used\(place(context.codingPath))" : "it is no JSON"
        @unknown default:
            return ErrorText.of(error)
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        guard !path.isEmpty else { return "" }
        return " at `" + path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".") + "`"
    }
}

/// What an encoder says.
enum EncodingFailure {
    static func text(_ error: any Error) -> String {
        guard case EncodingError.invalidValue(_, let context) = error else { return ErrorText.of(error) }
        return context.debugDescription
    }
}
