/// How connections leave.
public enum Proxy: Sendable, Hashable {
    /// By `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` of the process's environment.
    case environment
    /// Directly.
    case none
    /// Through this proxy, such as `http://proxy.example:3128`. A password in it is never shown.
    case url(String)
}

extension Proxy: CustomStringConvertible, CustomReflectable {
    /// The kind of proxy, without the URL, which may have a password.
    public var description: String {
        switch self {
        case .environment: "environment"
        case .none: "none"
        case .url: "url(***)"
        }
    }

    /// The same as the description.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}
