package dev.gatewright

/**
 * How one call uses the client's [Cache], by the names of the Fetch standard; see [CallConfig.cache]. Without a cache, all but [ONLY_IF_CACHED] go to
 * the server.
 */
public enum class CacheMode(
    internal val text: String,
) {
    /** As HTTP has it: what is fresh is used, what is stale is asked for again by its validator. */
    DEFAULT("default"),

    /** The cache is neither looked at nor written. */
    NO_STORE("no-store"),

    /** The server is asked, and its answer is stored. */
    RELOAD("reload"),

    /** The server is asked whether what is stored is still good. */
    NO_CACHE("no-cache"),

    /** What is stored is used, however old. */
    FORCE_CACHE("force-cache"),

    /** Only what is stored is used, however old; where there is nothing, a [NotCachedException] is thrown. */
    ONLY_IF_CACHED("only-if-cached"),
}

/** What part the client's [Cache] had in an answer; see [Answer.cacheStatus]. */
public enum class CacheStatus(
    internal val text: String,
) {
    /** The answer is from the cache; nothing was sent. */
    HIT("hit"),

    /** The server said that what is stored is still good (304). */
    REVALIDATED("revalidated"),

    /** The answer is from the cache and stale: it is renewed behind the call, or the server failed. */
    STALE("stale"),

    /** The server answered. */
    MISS("miss"),
}
