import Foundation

/// A download that goes on where it breaks, as it comes in; see ``Client/download(_:query:headers:options:)``.
///
/// It is read once, in one loop. Leaving the loop ends it; when the task is cancelled, the loop throws `CancellationError`.
///
/// ```swift no-run
/// let download = try await client.download("/files/1/content")
/// for try await piece in download {
///     try file.write(contentsOf: piece)
///     show(download.position, of: download.total)
/// }
/// ```
public final class Download: AsyncSequence, Sendable {
    /// Some bytes, never none.
    public typealias Element = Data

    /// How many bytes there are in all, where the server said so.
    public let total: Int?
    private let meta: Meta
    private let incoming: Incoming
    private let read = Locked(0)

    init(meta: Meta, incoming: Incoming) {
        total = meta.value["total"]?.int
        self.meta = meta
        self.incoming = incoming
    }

    /// The headers of the first answer.
    public var headers: Headers { meta.facts.headers }

    /// The URL that answered first, without the credential.
    public var url: String { meta.facts.url }

    /// The server's id of the first request.
    public var requestID: String? { meta.facts.requestID }

    /// The bytes that were handed over.
    public var position: Int { read.withLock { $0 } }

    /// What was done, attempt by attempt, over all connections: all of it once the loop came to its end. Where it throws, the error has them.
    public var attempts: [Attempt] {
        guard let told = incoming.told else { return meta.facts.attempts }
        return told["attempts"]?.array?.map(Attempt.init(json:)) ?? []
    }

    /// From the start of the download to its end; before that, to its head.
    public var elapsed: Duration { incoming.told?["elapsedMs"]?.duration ?? meta.facts.elapsed }

    /// Gives the pieces, one after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let download: Download
        let reader: ByteStream.Reader

        /// The next piece, `nil` at the end.
        ///
        /// - Throws: `GatewrightError`: ``GatewrightError/connectionLost(_:)`` or ``GatewrightError/timeout(_:)`` where it broke or stalled and
        ///   is not taken up again, with the reason; ``GatewrightError/preconditionFailed(_:)`` where there is another version now;
        ///   ``GatewrightError/decode(_:)`` where the server named another SHA-256. `CancellationError` where the task was cancelled.
        public mutating func next() async throws -> Data? {
            guard let piece = try await reader.next() else { return nil }
            download.read.withLock { $0 += piece.count }
            return piece
        }
    }

    /// Begins to read. It is read once: a second loop throws ``GatewrightError/closed(_:)``.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(download: self, reader: ByteStream.Reader(incoming))
    }

    /// Ends it without reading on. Whoever reads gets a ``GatewrightError/closed(_:)``.
    public func cancel() {
        incoming.cancel()
    }
}

/// A file that is whole; see ``Client/download(_:to:query:headers:options:)``.
public struct Downloaded: Sendable {
    /// Its length in bytes.
    public let length: Int
    /// The bytes that an earlier run had left.
    public let resumedFrom: Int
    /// The headers of the first answer.
    public let headers: Headers
    /// What was done, attempt by attempt, over all connections.
    public let attempts: [Attempt]
    /// From the start of the download to its end.
    public let elapsed: Duration

    init(json: JSONValue) {
        length = json["length"]?.int ?? 0
        resumedFrom = json["resumedFrom"]?.int ?? 0
        headers = json["headers"]?.array.map(Headers.init(json:)) ?? [:]
        attempts = json["attempts"]?.array?.map(Attempt.init(json:)) ?? []
        elapsed = json["elapsedMs"]?.duration ?? .zero
    }
}

extension Download: CustomStringConvertible, CustomReflectable {
    /// How far it is.
    public var description: String { "Download(\(position) of \(total.map(String.init) ?? "unknown") bytes)" }

    /// How far it is, without URL and headers.
    public var customMirror: Mirror {
        Mirror(self, children: ["position": position, "total": total as Any])
    }
}

extension Downloaded: CustomStringConvertible, CustomReflectable {
    /// Length and time.
    public var description: String { "Downloaded(\(length) bytes, \(elapsed))" }

    /// Length and time, without headers.
    public var customMirror: Mirror {
        Mirror(self, children: ["length": length, "resumedFrom": resumedFrom, "elapsed": elapsed])
    }
}
