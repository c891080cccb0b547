package dev.gatewright

/**
 * Headers of a request or of an answer, in their order. Names are compared without regard to case.
 *
 * [toString] shows names only, since any value may be a secret.
 */
public open class Headers internal constructor(
    /** Pairs of a name and a value. */
    internal open val pairs: List<Pair<String, String>>,
) : Iterable<Pair<String, String>> {
    /** How many there are, each of several with the same name counted. */
    public val size: Int
        get() = pairs.size

    /** The value of this [name], the last where there are several; `null` where there is none. */
    public operator fun get(name: String): String? = pairs.lastOrNull { it.first.equals(name, ignoreCase = true) }?.second

    /** All values of this [name], in their order. */
    public fun all(name: String): List<String> = pairs.mapNotNull { (own, value) -> value.takeIf { own.equals(name, ignoreCase = true) } }

    /** The names, in lower case. */
    public val names: Set<String>
        get() = pairs.mapTo(LinkedHashSet()) { it.first.lowercase() }

    /** Whether there is a header of this [name]. */
    public operator fun contains(name: String): Boolean = pairs.any { it.first.equals(name, ignoreCase = true) }

    /** The names, in lower case, with all their values. */
    public fun toMap(): Map<String, List<String>> = pairs.groupBy({ it.first.lowercase() }, { it.second })

    override fun iterator(): Iterator<Pair<String, String>> = pairs.toList().iterator()

    override fun equals(other: Any?): Boolean = other is Headers && other.lowered() == lowered()

    override fun hashCode(): Int = lowered().hashCode()

    override fun toString(): String = names.joinToString(", ", "Headers(", ")")

    private fun lowered(): List<Pair<String, String>> = pairs.map { (name, value) -> name.lowercase() to value }

    /** Headers that are made by a program. */
    public companion object {
        /** No headers. */
        public val empty: Headers = Headers(emptyList())

        /** These names and values. */
        public fun of(vararg headers: Pair<String, String>): Headers = Headers(headers.toList())

        /** The names and values of a map, such as one from a server framework. */
        public fun of(headers: Map<String, String>): Headers = Headers(headers.map { (name, value) -> name to value })

        /** The names and values of a map that has several values for a name, such as one from a server framework. */
        @JvmName("ofLists")
        public fun of(headers: Map<String, Iterable<String>>): Headers =
            Headers(headers.flatMap { (name, values) -> values.map { value -> name to value } })
    }
}

/** Headers that may be changed: those of an attempt that is about to be sent. See [AttemptRequest.headers]. */
public class MutableHeaders internal constructor(
    override val pairs: MutableList<Pair<String, String>>,
) : Headers(pairs) {
    /** Sets a header, in place of all of this [name]. */
    public operator fun set(
        name: String,
        value: String,
    ) {
        remove(name)
        pairs += name to value
    }

    /** Adds a header beside those of this [name]. */
    public fun add(
        name: String,
        value: String,
    ) {
        pairs += name to value
    }

    /** Removes all headers of this [name]. */
    public fun remove(name: String) {
        pairs.removeAll { it.first.equals(name, ignoreCase = true) }
    }
}
