import Foundation
internal import GatewrightNative

/// A client of one API. All its calls share connections, limits and retry budget; make one and keep it.
///
/// ```swift no-run
/// let client = try Client(baseURL: "https://api.example.com/v1", auth: .bearer(key))
/// let contact = try await client.get("/contacts/1").decode(Contact.self)
/// try await client.post("/contacts", json: Contact(name: "Ada"))
/// for try await contact in client.items("/contacts", as: Contact.self) { … }
/// ```
///
/// Calls throw ``GatewrightError``. Cancelling the task ends a call at once, in whatever it is doing: it throws `CancellationError`, and its
/// connection and its place among the limits are given back.
///
/// Nothing runs before the first call. Then one thread, `gatewright`, drives all calls of all clients, and a second one looks names up; both
/// end when the last client is closed or gone and no call is under way.
public final class Client: Sendable {
    let native: NativeClient
    let callbacks: Callbacks?
    let encoder: JSONEncoder
    let decoder: JSONDecoder

    /// A client with settings.
    ///
    /// - Parameter baseURL: Where paths are joined to, such as `https://api.example.com/v1`. https, or http to loopback.
    /// - Throws: ``GatewrightError/invalidConfig(_:)`` or ``GatewrightError/insecureURL(_:)`` for a setting that cannot be. Nothing is sent, and
    ///   nothing is started.
    public init(baseURL: String, configuration: Configuration = Configuration()) throws {
        callbacks = Callbacks(configuration)
        encoder = configuration.encoder
        decoder = configuration.decoder
        native = try Native.openClient(baseURL: baseURL, settings: Settings.json(configuration, client: callbacks?.number))
    }

    /// A client with the usual settings.
    ///
    /// - Parameter baseURL: Where paths are joined to, such as `https://api.example.com/v1`. https, or http to loopback.
    /// - Throws: ``GatewrightError/invalidConfig(_:)`` or ``GatewrightError/insecureURL(_:)`` for a setting that cannot be. Nothing is sent, and
    ///   nothing is started.
    public convenience init(baseURL: String, auth: Auth) throws {
        try self.init(baseURL: baseURL, configuration: Configuration(auth: auth))
    }

    deinit {
        native.close()
    }

    /// The base URL, without secrets.
    public var baseURL: String { native.baseUrl() }

    /// Budget, limits, breaker, slots, regions and cache, as they are now.
    public var state: ClientState { ClientState(json: JSONReader.read(Array(native.state().utf8))) }

    /// Forgets every answer that the client's cache has stored.
    public func clearCache() {
        native.clearCache()
    }

    /// Refuses further calls, with ``GatewrightError/closed(_:)``. Those under way go on.
    public func close() {
        native.close()
    }
}

extension Client: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The base URL, without secrets.
    public var description: String { "Client(\(baseURL))" }

    /// The same as the description.
    public var debugDescription: String { description }

    /// The base URL, without secrets.
    public var customMirror: Mirror {
        Mirror(self, children: ["baseURL": baseURL])
    }
}
