/// Who is told how far an upload is. What Rust tells comes in the thread that drives all calls, so it is handed on to a task of its own.
///
/// | State | Event | Next |
/// |---|---|---|
/// | watched | a note of Rust's | watched: the task tells of it, one after the other |
/// | watched | `end()` | over, once all notes are told of |
struct Progress: Sendable {
    private static let watched = Locked<[UInt32: AsyncStream<UploadPosition>.Continuation]>([:])

    private let call: UInt32
    private let task: Task<Void, Never>

    /// Watches a call that is an upload.
    static func watch(_ call: UInt32, _ tell: @escaping @Sendable (UploadPosition) -> Void) -> Progress {
        let (positions, notes) = AsyncStream.makeStream(of: UploadPosition.self)
        watched.withLock { $0[call] = notes }
        let task = Task {
            for await position in positions {
                tell(position)
            }
        }
        return Progress(call: call, task: task)
    }

    /// Rust tells how far an upload is.
    static func note(_ call: UInt32, _ position: UploadPosition) {
        _ = watched.withLock { $0[call] }?.yield(position)
    }

    /// The call is over.
    func end() async {
        Progress.watched.withLock { $0.removeValue(forKey: call) }?.finish()
        await task.value
    }
}
