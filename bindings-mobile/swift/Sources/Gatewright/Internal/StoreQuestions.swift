/// Questions to the token stores that a program gave; see ``Questions`` for their form.
///
/// A lock that is taken for nobody is given back: by the Rust side where the answer came too late to be read, here where the question was
/// abandoned while it was being answered.
enum StoreQuestions {
    private struct Credential: Sendable, Hashable {
        let client: UInt32
        let name: String?

        init(_ question: JSONValue) {
            client = question.number("client") ?? 0
            name = question["credential"]?.string
        }
    }

    /// The stores whose locks are held: they are given back even where the client is gone by then.
    private static let locked = Locked<[Credential: any TokenStore]>([:])

    /// Asks a store; gives the text of its answer.
    static func answer(_ what: String, _ question: JSONValue, _ callbacks: Callbacks) async throws -> String? {
        guard let store = callbacks.store(of: question["credential"]?.string) else { return nil }
        switch what {
        case "storeLoad":
            return try await store.load()
        case "storeSave":
            try await store.save(question["tokens"]?.string ?? "")
            return nil
        case "storeClear":
            try await store.clear()
            return nil
        case "storeLock":
            let isOurs = try await store.lock()
            if isOurs && Task.isCancelled {
                await store.unlock()
                throw CancellationError()
            }
            if isOurs {
                locked.withLock { $0[Credential(question)] = store }
            }
            return isOurs ? "true" : "false"
        default:
            return nil
        }
    }

    /// Gives a store's lock back.
    static func unlock(_ question: JSONValue) {
        if let store = locked.withLock({ $0.removeValue(forKey: Credential(question)) }) {
            Task { await store.unlock() }
        }
    }
}
