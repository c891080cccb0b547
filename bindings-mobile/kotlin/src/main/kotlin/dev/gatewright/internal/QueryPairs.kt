package dev.gatewright.internal

/** The parameters of a query, as texts. */
internal class QueryPairs {
    val pairs = mutableListOf<Pair<String, String>>()

    /** `null` is left out, what has several values repeats the name. */
    fun add(
        name: String,
        value: Any?,
    ) {
        when (value) {
            null -> Unit
            is String -> pairs += name to value
            is Iterable<*> -> value.forEach { add(name, it) }
            is Sequence<*> -> value.forEach { add(name, it) }
            is Array<*> -> value.forEach { add(name, it) }
            is IntArray -> value.forEach { add(name, it) }
            is LongArray -> value.forEach { add(name, it) }
            is ShortArray -> value.forEach { add(name, it) }
            is ByteArray -> value.forEach { add(name, it) }
            is DoubleArray -> value.forEach { add(name, it) }
            is FloatArray -> value.forEach { add(name, it) }
            is BooleanArray -> value.forEach { add(name, it) }
            is CharArray -> value.forEach { add(name, it) }
            is Double -> number(name, value, value.isFinite())
            is Float -> number(name, value, value.isFinite())
            else -> pairs += name to value.toString()
        }
    }

    private fun number(
        name: String,
        value: Number,
        finite: Boolean,
    ) {
        if (!finite) {
            throw invalidRequest("`query` has a value for `$name` that is $value; make it a string")
        }
        pairs += name to value.toString()
    }
}
