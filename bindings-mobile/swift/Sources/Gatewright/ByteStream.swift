import Foundation

/// The pieces of a streamed answer's body, as they come in.
///
/// A piece is fetched when the loop asks for it; a little is read ahead, so that a slow reader slows the server down. Leaving the loop ends
/// the request. Not an `AsyncThrowingStream`, whose loop ends as if the body were complete when its task is cancelled: this one throws
/// `CancellationError`.
public struct ByteStream: AsyncSequence, Sendable {
    /// Some bytes, never none.
    public typealias Element = Data

    let incoming: Incoming

    /// Gives the pieces, one after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let reader: Reader

        /// The next piece, `nil` at the end.
        ///
        /// - Throws: `GatewrightError` for a body that breaks off, `CancellationError` where the task was cancelled.
        public mutating func next() async throws -> Data? {
            try await reader.next()
        }
    }

    /// Begins to read. The body is read once: a second loop throws ``GatewrightError/closed(_:)``.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(reader: Reader(incoming))
    }

    /// One loop over the pieces: when it is left, the request ends.
    final class Reader: Sendable {
        private let incoming: Incoming
        private let isFirst: Bool

        init(_ incoming: Incoming) {
            self.incoming = incoming
            isFirst = incoming.use()
        }

        deinit {
            if isFirst {
                incoming.cancel()
            }
        }

        func next() async throws -> Data? {
            guard isFirst else {
                throw GatewrightError.closedHere(
                    "the body of a streamed answer is read once, and it was read before", advice: "keep what was read the first time")
            }
            return try await incoming.next()
        }
    }
}

extension ByteStream: CustomStringConvertible, CustomReflectable {
    /// The type's name.
    public var description: String { "ByteStream" }

    /// Nothing beside the description.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}
