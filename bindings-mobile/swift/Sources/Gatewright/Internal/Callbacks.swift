import Foundation

/// What a client calls back. The client keeps it, and each of its calls does; questions name it by its number.
final class Callbacks: Sendable {
    let number: UInt32
    let token: (@Sendable () async throws -> Token)?
    let before: BeforeAttempt?
    let after: AfterAttempt?
    private let store: (any TokenStore)?
    private let stores: [String: any TokenStore]
    let observer: CallObserver?

    private struct Weak: Sendable {
        weak var callbacks: Callbacks?
    }

    private static let clients = Locked<(last: UInt32, byNumber: [UInt32: Weak])>((0, [:]))

    /// The callbacks of a configuration, if it has any.
    init?(_ configuration: Configuration) {
        if case .callback(let fetch) = configuration.auth.credential {
            token = fetch
        } else {
            token = nil
        }
        before = configuration.beforeAttempt
        after = configuration.afterAttempt
        store = configuration.auth.store
        stores = configuration.credentials.compactMapValues(\.store)
        observer = configuration.observer
        number = Callbacks.clients.withLock { clients in
            clients.last = clients.last == .max ? 1 : clients.last + 1
            return clients.last
        }
        if token == nil && before == nil && after == nil && observer == nil && store == nil && stores.isEmpty {
            return nil
        }
        let number = number
        Callbacks.clients.withLock { $0.byNumber[number] = Weak(callbacks: self) }
    }

    deinit {
        let number = number
        Callbacks.clients.withLock { _ = $0.byNumber.removeValue(forKey: number) }
    }

    /// The token store of a credential; without a name, of the client's own.
    func store(of credential: String?) -> (any TokenStore)? {
        if let credential { stores[credential] } else { store }
    }

    /// Those of a number, if they are still there.
    static func of(_ number: UInt32) -> Callbacks? {
        clients.withLock { $0.byNumber[number]?.callbacks }
    }
}
