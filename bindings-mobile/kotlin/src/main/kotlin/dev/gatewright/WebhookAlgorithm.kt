package dev.gatewright

/**
 * The algorithm of a signature.
 *
 * @property id The stable name, such as `hmac-sha256`.
 */
public enum class WebhookAlgorithm(
    public val id: String,
) {
    /** HMAC with SHA-1. */
    HMAC_SHA1("hmac-sha1"),

    /** HMAC with SHA-256. */
    HMAC_SHA256("hmac-sha256"),

    /** HMAC with SHA-512. */
    HMAC_SHA512("hmac-sha512"),

    /** Ed25519. */
    ED25519("ed25519"),

    /** ECDSA with P-256 and SHA-256. */
    ECDSA_P256_SHA256("ecdsa-p256-sha256"),

    /** RSA (PKCS #1 v1.5) with SHA-1. */
    RSA_SHA1("rsa-sha1"),

    /** RSA (PKCS #1 v1.5) with SHA-256. */
    RSA_SHA256("rsa-sha256"),

    /** RSA-PSS with SHA-512. */
    RSA_PSS_SHA512("rsa-pss-sha512"),
    ;

    /** The [id]. */
    override fun toString(): String = id

    internal companion object {
        private val byId = entries.associateBy { it.id }

        fun of(id: String): WebhookAlgorithm = byId.getValue(id)
    }
}
