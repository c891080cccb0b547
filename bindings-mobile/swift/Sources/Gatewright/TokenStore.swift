/// Keeps the tokens of one login: in a keychain, in a database. Give it as ``OAuth/Storage/store(_:)``.
///
/// What is kept is one text, which is a secret: it has the tokens in it. The file of ``OAuth/Storage/file(_:)`` has the same, and so have the stores of the
/// other languages. Each function runs as a task of its own. What it throws fails the calls that wait for a token, and is told in their error: say
/// no secret there.
public protocol TokenStore: Sendable {
    /// What is stored; `nil` for nothing.
    func load() async throws -> String?

    /// Stores `tokens` in place of what was there, whole or not at all. Where that fails, the client keeps them in memory and tries again.
    func save(_ tokens: String) async throws

    /// Forgets what is stored.
    func clear() async throws

    /// Tries to take the store's lock; `false`: somebody else has it, and it is asked for again soon. It is held from before tokens are read
    /// until after they are saved, so that of several processes (an app and its extensions) one refreshes. Default: there is no lock.
    func lock() async throws -> Bool

    /// Gives the lock back. Default: there is none.
    func unlock() async
}

extension TokenStore {
    /// There is no lock, which is right where one process alone uses the store.
    public func lock() async throws -> Bool { true }

    /// There is no lock.
    public func unlock() async {}
}
