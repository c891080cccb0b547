import Foundation

/// A request's body.
///
/// Everything but ``stream(_:length:contentType:)`` can be sent again by a retry. A content type set here is only a default: a header of the
/// request or of the client wins.
public struct Body: Sendable {
    enum Content: Sendable {
        /// Known at once.
        case data(Data)
        /// To be encoded by the client's encoder.
        case encodable(@Sendable (JSONEncoder) throws -> Data)
        /// Files, and what is between them.
        case segments([Segment])
        /// Comes piece by piece.
        case source(Source)
    }

    let content: Content
    let contentType: String?

    /// JSON, encoded by the client's ``Configuration/encoder``; `application/json`.
    public static func json(_ value: some Encodable & Sendable) -> Body {
        Body(content: .encodable { try $0.encode(value) }, contentType: "application/json")
    }

    /// Text in UTF-8; `text/plain;charset=UTF-8`.
    public static func text(_ text: String, contentType: String = "text/plain;charset=UTF-8") -> Body {
        Body(content: .data(Data(text.utf8)), contentType: contentType)
    }

    /// Bytes.
    public static func data(_ data: Data, contentType: String? = nil) -> Body {
        Body(content: .data(data), contentType: contentType)
    }

    /// A form's fields; `application/x-www-form-urlencoded`.
    public static func form(_ fields: Query) -> Body {
        Body(content: .data(FormEncoding.encode(fields)), contentType: "application/x-www-form-urlencoded;charset=UTF-8")
    }

    /// A file, read while it is sent, anew for each attempt. One that cannot be read is a ``GatewrightError/invalidRequest(_:)``.
    public static func file(_ url: URL, contentType: String? = nil) -> Body {
        Body(content: .segments([.file(url)]), contentType: contentType)
    }

    /// The parts of a form with files; `multipart/form-data`. Files are read while they are sent.
    public static func multipart(_ parts: [Part]) -> Body {
        let boundary = "gatewright-\(UUID().uuidString)"
        return Body(content: .segments(Part.segments(parts, boundary: boundary)), contentType: "multipart/form-data; boundary=\(boundary)")
    }

    /// A stream, sent once: when sending has begun, the request is not retried. Its next piece is asked for when the connection takes it.
    ///
    /// - Parameter length: How many bytes come in all, where that is known; else the body is sent in chunks.
    public static func stream<Pieces: AsyncSequence & Sendable>(
        _ pieces: Pieces,
        length: Int? = nil,
        contentType: String? = nil
    ) -> Body where Pieces.Element: DataProtocol {
        Body(content: .source(Source(once: pieces, length: length)), contentType: contentType)
    }

    /// A stream that is made anew for each attempt, so that the request can be retried.
    ///
    /// - Parameter length: How many bytes come in all, where that is known; else the body is sent in chunks.
    public static func replayable<Pieces: AsyncSequence & Sendable>(
        length: Int? = nil,
        contentType: String? = nil,
        _ make: @escaping @Sendable () async throws -> Pieces
    ) -> Body where Pieces.Element: DataProtocol {
        Body(content: .source(Source(length: length, make)), contentType: contentType)
    }
}

extension Body {
    /// A part of a form with files.
    public struct Part: Sendable {
        let name: String
        let filename: String?
        let contentType: String?
        let content: Segment

        /// A field.
        public static func field(_ name: String, _ value: String) -> Part {
            Part(name: name, filename: nil, contentType: nil, content: .data(Data(value.utf8)))
        }

        /// Bytes as a file.
        public static func data(
            _ name: String, _ data: Data, filename: String, contentType: String = "application/octet-stream"
        ) -> Part {
            Part(name: name, filename: filename, contentType: contentType, content: .data(data))
        }

        /// A file; its name is that of the URL, unless another is given.
        public static func file(
            _ name: String, _ url: URL, filename: String? = nil, contentType: String = "application/octet-stream"
        ) -> Part {
            Part(name: name, filename: filename ?? url.lastPathComponent, contentType: contentType, content: .file(url))
        }
    }
}

extension Body: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What kind of body it is, without its content.
    public var description: String {
        let kind =
            switch content {
            case .data(let data): "\(data.count) bytes"
            case .encodable: "json"
            case .segments: "files"
            case .source: "stream"
            }
        return "Body(\(kind))"
    }

    /// The same as the description.
    public var debugDescription: String { description }

    /// The content type, without the content.
    public var customMirror: Mirror {
        Mirror(self, children: ["contentType": contentType as Any])
    }
}

extension Body.Part: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The part's name, without its content.
    public var description: String { "Part(\(name))" }

    /// The same as the description.
    public var debugDescription: String { description }

    /// The part's name, without its content.
    public var customMirror: Mirror {
        Mirror(self, children: ["name": name])
    }
}
