package dev.gatewright.internal

import kotlin.time.Duration
import kotlin.time.DurationUnit

/** Writes the JSON that goes to the native half. Small and quick: this is part of every call that has options. */
internal class JsonText {
    private val out = StringBuilder(128)

    /** Whether a comma comes before the next value. */
    private var follows = false

    fun beginObject(): JsonText = begin('{')

    fun endObject(): JsonText = end('}')

    fun beginArray(): JsonText = begin('[')

    fun endArray(): JsonText = end(']')

    /** A member's name; its value comes next. */
    fun name(name: String): JsonText {
        string(name)
        out.append(':')
        follows = false
        return this
    }

    fun string(value: String): JsonText =
        value {
            out.append('"')
            for (char in value) {
                when {
                    char == '"' || char == '\\' -> out.append('\\').append(char)
                    char < ' ' -> out.append("\\u00").append(HEX[char.code shr 4]).append(HEX[char.code and 15])
                    else -> out.append(char)
                }
            }
            out.append('"')
        }

    fun number(value: Int): JsonText = value { out.append(value) }

    fun number(value: Long): JsonText = value { out.append(value) }

    fun boolean(value: Boolean): JsonText = value { out.append(value) }

    fun none(): JsonText = value { out.append("null") }

    /** Milliseconds. What JSON has no number for comes as its name. */
    fun milliseconds(value: Duration): JsonText = number(value.toDouble(DurationUnit.MILLISECONDS))

    /** A number. What JSON has no number for comes as its name. */
    fun number(value: Double): JsonText = if (value.isFinite()) value { out.append(value) } else string(value.toString())

    /** A time limit: `null` and infinity are none. */
    fun limit(value: Duration?): JsonText = if (value == null || value == Duration.INFINITE) none() else milliseconds(value)

    /** A list of pairs of texts. */
    fun pairs(pairs: List<Pair<String, String>>): JsonText {
        beginArray()
        for ((name, value) in pairs) {
            beginArray().string(name).string(value).endArray()
        }
        return endArray()
    }

    fun strings(values: Iterable<String>): JsonText {
        beginArray()
        values.forEach(::string)
        return endArray()
    }

    override fun toString(): String = out.toString()

    private inline fun value(write: () -> Unit): JsonText {
        if (follows) {
            out.append(',')
        }
        write()
        follows = true
        return this
    }

    private fun begin(bracket: Char): JsonText {
        value { out.append(bracket) }
        follows = false
        return this
    }

    private fun end(bracket: Char): JsonText {
        out.append(bracket)
        follows = true
        return this
    }

    private companion object {
        const val HEX = "0123456789abcdef"
    }
}
