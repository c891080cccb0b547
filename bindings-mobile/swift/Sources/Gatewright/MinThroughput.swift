/// The least that a body has to achieve, as it comes and as it goes out. A slower one ends with ``GatewrightError/timeout(_:)``, whose text
/// says what was measured.
///
/// Only time counts in which the other side was waited for, so a program that reads slowly stalls nothing. Where none is set, downloads and
/// uploads have to achieve 1 KiB/s over 20 s, and other bodies nothing, since the deadline covers them.
///
/// ```swift no-run
/// configuration.minThroughput = MinThroughput(bytesPerSecond: 10_000, grace: .seconds(30))
/// ```
public struct MinThroughput: Sendable, Hashable {
    /// Bytes in a second, on average over ``grace``; 0 never stalls. Default 1024.
    public var bytesPerSecond: Int
    /// For how long it may be slower. Zero is the default. Default 20 s.
    public var grace: Duration

    /// Nothing has to be achieved.
    public static let off = MinThroughput(bytesPerSecond: 0)

    /// A floor; what is left out has its default.
    public init(bytesPerSecond: Int = 1024, grace: Duration = .seconds(20)) {
        self.bytesPerSecond = bytesPerSecond
        self.grace = grace
    }

    var json: String {
        var json = JSONWriter()
        json.member("bytesPerSecond", bytesPerSecond)
        json.member("graceMs", grace)
        return json.object ?? "{}"
    }
}
