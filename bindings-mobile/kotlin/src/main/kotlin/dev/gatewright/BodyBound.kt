package dev.gatewright

/**
 * How firmly a signature ties the body down, the weakest first.
 *
 * @property id The stable name, such as `full`.
 */
public enum class BodyBound(
    public val id: String,
) {
    /** The body is not signed at all: whoever was on the way could have written it. */
    NONE("none"),

    /** Only a CRC-32 of the body is signed: anybody can make another body with the same one. */
    CRC32("crc32"),

    /** What the body says is signed, not how: a form's parameters (Twilio), some members of JSON (SNS). */
    FIELDS("fields"),

    /** The whole body is signed. */
    FULL("full"),
    ;

    /** The [id]. */
    override fun toString(): String = id

    internal companion object {
        private val byId = entries.associateBy { it.id }

        fun of(id: String): BodyBound = byId.getValue(id)
    }
}
