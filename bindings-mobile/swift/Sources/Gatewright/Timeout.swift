/// A time limit, or none.
///
/// ```swift no-run
/// configuration.timeout = .seconds(10)
/// let export = try await client.stream("GET", "/export", options: RequestOptions(timeout: .never))
/// ```
public enum Timeout: Sendable, Hashable {
    /// So long. More than zero.
    case after(Duration)
    /// No limit.
    case never

    /// A limit in seconds.
    public static func seconds(_ seconds: Int) -> Timeout {
        .after(.seconds(seconds))
    }

    /// A limit in seconds.
    public static func seconds(_ seconds: Double) -> Timeout {
        .after(.seconds(seconds))
    }

    /// A limit in milliseconds.
    public static func milliseconds(_ milliseconds: Int) -> Timeout {
        .after(.milliseconds(milliseconds))
    }
}
