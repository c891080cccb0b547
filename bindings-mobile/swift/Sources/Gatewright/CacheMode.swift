/// How one call uses the client's ``Cache``, by the names of the Fetch standard. Without a cache, all but ``onlyIfCached`` go to the server.
public enum CacheMode: String, Sendable, Hashable, CaseIterable {
    /// As HTTP has it: what is fresh is used, what is stale is asked for again by its validator.
    case `default`
    /// The cache is neither looked at nor written.
    case noStore = "no-store"
    /// The server is asked, and its answer is stored.
    case reload
    /// The server is asked whether what is stored is still good.
    case noCache = "no-cache"
    /// What is stored is used, however old.
    case forceCache = "force-cache"
    /// Only what is stored is used, however old; where there is nothing, ``GatewrightError/notCached(_:)`` is thrown.
    case onlyIfCached = "only-if-cached"
}

/// What part the client's ``Cache`` had in an answer.
public enum CacheStatus: String, Sendable, Hashable {
    /// The answer is from the cache; nothing was sent.
    case hit
    /// The server said that what is stored is still good (304).
    case revalidated
    /// The answer is from the cache and stale: it is renewed behind the call, or the server failed.
    case stale
    /// The server answered.
    case miss
}
