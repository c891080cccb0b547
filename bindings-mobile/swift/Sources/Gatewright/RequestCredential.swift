/// Which of a client's credentials a request carries.
///
/// ```swift no-run
/// let users = try await client.get("/users", options: RequestOptions(credential: .named("admin")))
/// ```
public struct RequestCredential: Sendable, Hashable {
    /// `nil` for none.
    let name: String?

    /// The one of this name in ``Configuration/credentials``. A name that is not there is refused before anything is sent.
    public static func named(_ name: String) -> RequestCredential {
        RequestCredential(name: name)
    }

    /// No credential, not the client's own either.
    public static let anonymous = RequestCredential(name: nil)
}

extension RequestCredential: CustomStringConvertible {
    /// The name.
    public var description: String { name.map { "named(\($0))" } ?? "anonymous" }
}
