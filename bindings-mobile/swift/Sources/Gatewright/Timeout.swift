/// A time limit, or none. What cannot be one (zero, less, no number) is told when a client is made or a call begins.
///
/// ```swift no-run
/// configuration.timeout = .seconds(10)
/// let export = try await client.stream("GET", "/export", options: RequestOptions(timeout: .never))
/// ```
public struct Timeout: Sendable, Hashable {
    /// `nil` for no limit.
    let milliseconds: Double?

    /// No limit.
    public static let never = Timeout(milliseconds: nil)

    /// A limit of this duration.
    public static func after(_ duration: Duration) -> Timeout {
        Timeout(milliseconds: duration.milliseconds)
    }

    /// A limit in seconds.
    public static func seconds(_ seconds: Int) -> Timeout {
        Timeout(milliseconds: Double(seconds) * 1000)
    }

    /// A limit in seconds.
    public static func seconds(_ seconds: Double) -> Timeout {
        Timeout(milliseconds: seconds * 1000)
    }

    /// A limit in milliseconds.
    public static func milliseconds(_ milliseconds: Int) -> Timeout {
        Timeout(milliseconds: Double(milliseconds))
    }

    /// A limit in milliseconds.
    public static func milliseconds(_ milliseconds: Double) -> Timeout {
        Timeout(milliseconds: milliseconds)
    }
}

extension Timeout: CustomStringConvertible {
    /// The limit in milliseconds, or `never`.
    public var description: String {
        milliseconds.map { "\($0) ms" } ?? "never"
    }
}
