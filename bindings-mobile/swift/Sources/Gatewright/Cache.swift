/// A private HTTP cache in memory (RFC 9111): answers are kept as their servers allow.
public struct Cache: Sendable, Hashable {
    /// What all answers may take, in bytes; the least recently used goes first. Default 64 MiB.
    public var maxBytes: Int
    /// What one answer may take, in bytes. Default: an eighth of all.
    public var maxEntryBytes: Int?
    /// How long an answer may be used stale where the server fails and says nothing of its own about that. Default: not at all.
    public var staleIfError: Duration?
    /// The longest lifetime that is guessed from `Last-Modified`. Default: none is guessed.
    public var heuristicFreshness: Duration?

    /// A cache; what is left out has its default.
    public init(
        maxBytes: Int = 64 * 1024 * 1024,
        maxEntryBytes: Int? = nil,
        staleIfError: Duration? = nil,
        heuristicFreshness: Duration? = nil
    ) {
        self.maxBytes = maxBytes
        self.maxEntryBytes = maxEntryBytes
        self.staleIfError = staleIfError
        self.heuristicFreshness = heuristicFreshness
    }

    var json: String {
        var json = JSONWriter()
        json.member("maxBytes", maxBytes)
        if let maxEntryBytes {
            json.member("maxEntryBytes", maxEntryBytes)
        }
        if let staleIfError {
            json.member("staleIfErrorMs", staleIfError)
        }
        if let heuristicFreshness {
            json.member("heuristicFreshnessMs", heuristicFreshness)
        }
        return json.object ?? "{}"
    }
}
