import Foundation
internal import GatewrightNative

/// Where the pieces of a body come from.
struct Source: Sendable {
    /// What an open stream is asked for, by the number of the question.
    enum Ask: Sendable {
        case open(UInt32)
        case next(UInt32)
    }

    let length: Int?
    let isReplayable: Bool
    /// For a stream that can be sent once: whether it was.
    private let sent: Sent?
    /// Makes the stream and answers what it is asked, until nothing more is.
    let run: @Sendable (_ call: UInt32, _ asked: AsyncStream<Ask>) async -> Void

    private final class Sent: Sendable {
        private let flag = Locked(false)

        func first() -> Bool {
            flag.withLock { flag in
                defer { flag = true }
                return !flag
            }
        }
    }

    /// A stream that is made anew for each attempt.
    init<Pieces: AsyncSequence & Sendable>(length: Int?, _ make: @escaping @Sendable () async throws -> Pieces)
    where Pieces.Element: DataProtocol {
        self.init(length: length, sent: nil, make)
    }

    /// A stream that can be sent once.
    init<Pieces: AsyncSequence & Sendable>(once pieces: Pieces, length: Int?) where Pieces.Element: DataProtocol {
        self.init(length: length, sent: Sent()) { pieces }
    }

    private init<Pieces: AsyncSequence & Sendable>(
        length: Int?, sent: Sent?, _ make: @escaping @Sendable () async throws -> Pieces
    ) where Pieces.Element: DataProtocol {
        self.length = length
        self.sent = sent
        isReplayable = sent == nil
        run = { call, asked in
            var iterator: Pieces.AsyncIterator?
            for await ask in asked {
                do {
                    switch ask {
                    case .open(let question):
                        iterator = try await make().makeAsyncIterator()
                        Questions.answer(question, text: nil, bytes: nil)
                    case .next(let question):
                        let piece = try await iterator?.next()
                        Questions.answer(question, text: nil, bytes: piece.map { Data($0) })
                        if piece == nil {
                            return
                        }
                    }
                } catch {
                    Questions.failed(ask.question, error, call: call)
                    return
                }
            }
        }
    }

    /// Says that the stream is sent now.
    ///
    /// - Throws: `GatewrightError.invalidRequest` for one that was sent before.
    func use() throws {
        if let sent, !sent.first() {
            throw GatewrightError.invalidRequestHere(
                "`body` is a stream that was sent before; `replayable` takes a function that makes one")
        }
    }
}

extension Source.Ask {
    var question: UInt32 {
        switch self {
        case .open(let question), .next(let question): question
        }
    }
}

/// Streams as bodies of requests: opened for an attempt, read piece by piece as Rust asks, closed when the call is over.
///
/// A stream is read by a task of its own, which is cancelled where the stream is needed no more.
enum Uploads {
    private struct Open: Sendable {
        let asks: AsyncStream<Source.Ask>.Continuation
        let task: Task<Void, Never>

        func close() {
            asks.finish()
            task.cancel()
        }
    }

    private struct Upload: Sendable {
        let source: Source
        var open: [UInt32: Open] = [:]
    }

    private static let uploads = Locked<[UInt32: Upload]>([:])

    /// The call has a stream as its body.
    static func keep(_ call: UInt32, _ source: Source) throws {
        try source.use()
        uploads.withLock { $0[call] = Upload(source: source) }
    }

    /// Whether the call has a stream as its body and is not over.
    static func isUnderWay(_ call: UInt32) -> Bool {
        uploads.withLock { $0[call] != nil }
    }

    /// The call is over: its streams are cancelled.
    static func close(_ call: UInt32) {
        let upload = uploads.withLock { $0.isEmpty ? nil : $0.removeValue(forKey: call) }
        upload?.open.values.forEach { $0.close() }
    }

    /// Makes the stream for an attempt.
    static func open(_ call: UInt32, stream: UInt32, question: UInt32) {
        let (asked, asks) = AsyncStream.makeStream(of: Source.Ask.self)
        let begun = uploads.withLock { uploads in
            guard let source = uploads[call]?.source else { return false }
            let task = Task { await source.run(call, asked) }
            uploads[call]?.open[stream] = Open(asks: asks, task: task)
            return true
        }
        if begun {
            // Not while the lock is held, which a cancellation takes: to yield resumes a task.
            asks.yield(.open(question))
        } else {
            Questions.failed(question, CancellationError(), call: call)
        }
    }

    /// Asks for the next piece.
    static func next(_ call: UInt32, stream: UInt32, question: UInt32) {
        if let open = uploads.withLock({ $0[call]?.open[stream] }) {
            open.asks.yield(.next(question))
        } else {
            Questions.failed(question, CancellationError(), call: call)
        }
    }

    /// Rust needs no more of it.
    static func close(_ call: UInt32, stream: UInt32) {
        uploads.withLock { $0[call]?.open.removeValue(forKey: stream) }?.close()
    }
}
