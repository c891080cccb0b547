import Foundation

/// A part of a body: bytes that are there, or a file.
enum Segment: Sendable {
    case data(Data)
    case file(URL)
}

extension Body.Part {
    /// The parts as segments, with what is between them (RFC 7578).
    static func segments(_ parts: [Body.Part], boundary: String) -> [Segment] {
        var segments: [Segment] = []
        for part in parts {
            var head = "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(escaped(part.name))\""
            if let filename = part.filename {
                head += "; filename=\"\(escaped(filename))\""
            }
            if let contentType = part.contentType {
                head += "\r\nContent-Type: \(contentType.filter { !$0.isNewline })"
            }
            segments += [.data(Data((head + "\r\n\r\n").utf8)), part.content, .data(Data("\r\n".utf8))]
        }
        return segments + [.data(Data("--\(boundary)--\r\n".utf8))]
    }

    /// As browsers escape names and file names.
    private static func escaped(_ name: String) -> String {
        name.unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\"": text += "%22"
            case "\r": text += "%0D"
            case "\n": text += "%0A"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}

extension Source {
    /// Segments one after the other, anew for each attempt; their length is known.
    ///
    /// - Throws: `GatewrightError.invalidRequest` for a file that cannot be read.
    init(_ segments: [Segment]) throws {
        var length = 0
        for segment in segments {
            switch segment {
            case .data(let data):
                length += data.count
            case .file(let url):
                do {
                    let handle = try FileHandle(forReadingFrom: url)
                    defer { try? handle.close() }
                    length += Int(try handle.seekToEnd())
                } catch {
                    throw GatewrightError.invalidRequestHere("the file \"\(url.lastPathComponent)\" cannot be read", cause: error)
                }
            }
        }
        self.init(length: length) { SegmentPieces(segments: segments) }
    }
}

/// Segments piece by piece.
private struct SegmentPieces: AsyncSequence, Sendable {
    let segments: [Segment]

    struct AsyncIterator: AsyncIteratorProtocol {
        private static let pieceSize = 256 * 1024

        var rest: ArraySlice<Segment>
        var open: FileHandle?

        mutating func next() async throws -> Data? {
            while true {
                if let file = open {
                    if let piece = try file.read(upToCount: Self.pieceSize), !piece.isEmpty {
                        return piece
                    }
                    try file.close()
                    open = nil
                }
                switch rest.popFirst() {
                case nil: return nil
                case .data(let data): return data
                case .file(let url): open = try FileHandle(forReadingFrom: url)
                }
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(rest: segments[...])
    }
}
