import Foundation

/// The settings of a client. All have defaults; what a value means is checked when the client is made.
///
/// ```swift no-run
/// var configuration = Configuration(auth: .bearer(key))
/// configuration.timeout = .seconds(10)
/// configuration.retry.maxAttempts = 5
/// let client = try Client(baseURL: "https://api.example.com/v1", configuration: configuration)
/// ```
public struct Configuration: Sendable {
    /// How requests prove who they are. Default: not at all.
    public var auth: Auth
    /// Further credentials by name, for requests that ask for one by ``RequestOptions/credential``. Default: none.
    public var credentials: [String: Auth] = [:]
    /// Headers of every request.
    public var headers: Headers = [:]
    /// For a whole call: queueing, connecting, every attempt, every wait and the body. Default 60 s.
    public var timeout: Timeout = .seconds(60)
    /// From sending an attempt to its response head. Default 20 s.
    public var attemptTimeout: Timeout = .seconds(20)
    /// Between two pieces of a body. Default 20 s.
    public var readTimeout: Timeout = .seconds(20)
    /// For connecting: name, TCP and TLS. Default 5 s.
    public var connectTimeout: Timeout = .seconds(5)
    /// How calls are retried. Default: up to three attempts.
    public var retry = RetryPolicy()
    /// Whether calls are held back so that the server's quota lasts. Default true.
    public var pacing = true
    /// Calls that may wait for their turn, for each host and credential; one more fails at once with ``GatewrightError/rateLimited(_:)``.
    /// Default 10 000.
    public var maxQueue: Int?
    /// A quota of one's own, such as `100/min, burst 20`. Default: only what the server tells.
    public var quota: String?
    /// The least that the bodies of all calls have to achieve, in both directions; ``MinThroughput/off`` for nothing. Default: 1 KiB/s over 20 s
    /// for downloads and uploads, nothing for other bodies, which the deadline covers.
    public var minThroughput: MinThroughput?
    /// Attempts that may be under way at one host at once; more wait for their turn. Default: any number.
    public var maxConcurrency: Int?
    /// When a host that fails is left alone; `nil` for never. Default: from 20 attempts in 30 s of which half failed, for 10 s.
    public var breaker: Breaker? = Breaker()
    /// Other base URLs of the same API, nearest first, for when the first is out of reach. Default: none.
    public var regions: [String] = []
    /// When a second copy of a slow request is sent. Default: never.
    public var hedge: Hedge?
    /// A private cache of answers. Default: none.
    public var cache: Cache?
    /// Whether POST and PATCH get an idempotency key by themselves. Default true.
    public var idempotencyKeys = true
    /// The header of the key. Default `idempotency-key`.
    public var idempotencyHeader = "idempotency-key"
    /// Whether the key is quoted, as the IETF draft has it. Default false.
    public var idempotencyQuoted = false
    /// Redirects followed for one call, to the same origin; 0 hands them over. Default 5.
    public var maxRedirects = 5
    /// Other origins to which requests may go, without credentials. Default: none.
    public var allowedOrigins: [String] = []
    /// Allows plain http to other machines. Default false: loopback only.
    public var allowHTTP = false
    /// How connections leave. Default: as the environment says.
    public var proxy: Proxy = .environment
    /// Certificates to trust beside the system's, in PEM.
    public var caCertificates: String?
    /// Public keys of which the server's certificate chain must have one, as `sha256/BASE64` of the SubjectPublicKeyInfo.
    /// Default: none, any key that the chain of trust accepts.
    public var pins: [String] = []
    /// The largest body that is read whole, in bytes. Default 100 MiB.
    public var maxResponseBytes = 100 * 1024 * 1024
    /// Whether an error status is thrown. Default true.
    public var throwOnError = true
    /// Called before an attempt is sent.
    public var beforeAttempt: BeforeAttempt?
    /// Called after an attempt.
    public var afterAttempt: AfterAttempt?
    /// Is told of each call that is over, for traces and metrics of one's own. Default: nobody is, which costs nothing.
    public var observer: CallObserver?
    /// Encodes bodies given as `json`. It is not to be changed any more once a client has it.
    public var encoder = JSONEncoder()
    /// Decodes answers and items. It is not to be changed any more once a client has it.
    public var decoder = JSONDecoder()

    /// Settings with their defaults.
    public init(auth: Auth = .none) {
        self.auth = auth
    }
}

extension Configuration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The kind of credential; no setting is shown in full, since any may have a secret.
    public var description: String {
        "Configuration(auth: \(auth))"
    }

    /// The same as the description.
    public var debugDescription: String { description }

    /// The settings, without secrets.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "auth": auth, "credentials": credentials,
                "headers": headers, "timeout": timeout, "attemptTimeout": attemptTimeout, "readTimeout": readTimeout,
                "connectTimeout": connectTimeout, "retry": retry, "pacing": pacing, "maxQueue": maxQueue as Any,
                "minThroughput": minThroughput as Any, "quota": quota as Any,
                "maxConcurrency": maxConcurrency as Any, "breaker": breaker as Any, "regions": regions, "hedge": hedge as Any,
                "cache": cache as Any,
                "idempotencyKeys": idempotencyKeys, "idempotencyHeader": idempotencyHeader, "idempotencyQuoted": idempotencyQuoted,
                "maxRedirects": maxRedirects, "allowedOrigins": allowedOrigins, "allowHTTP": allowHTTP, "proxy": proxy,
                "pins": pins, "maxResponseBytes": maxResponseBytes, "throwOnError": throwOnError,
            ]
        )
    }
}
