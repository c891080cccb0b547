package dev.gatewright

import dev.gatewright.internal.JsonText
import dev.gatewright.internal.generateSigningKey
import kotlin.io.encoding.Base64
import kotlin.time.Duration

/** How requests are signed; see [Auth.signature] and [Auth.signedBy]. What goes onto the wire is signed, anew for each attempt. */
public sealed class Signature {
    internal abstract fun members(json: JsonText)
}

/** A hash function of signatures. */
public enum class HashAlgorithm(
    internal val text: String,
) {
    /** SHA-256. */
    SHA256("sha256"),

    /** SHA-512. */
    SHA512("sha512"),
}

/**
 * A provider's own scheme of signing requests by HMAC.
 *
 * ```
 * HmacSignature(
 *     "key-1",
 *     secret,
 *     text = "{timestamp}.{method}.{path_and_query}.{body_sha256}",
 *     headers = mapOf("x-timestamp" to "{timestamp}", "x-signature" to "v1={signature}"),
 * )
 * ```
 *
 * Places of texts: `{method}`, `{scheme}`, `{host}`, `{path}`, `{query}`, `{sorted_query}`, `{path_and_query}`, `{url}`, `{timestamp}` (seconds),
 * `{timestamp_ms}`, `{nonce}`, `{key_id}`, `{body_sha256}` (hex), `{body_sha256_base64}`, `{body}`, `{header:NAME}`; in headers also `{signature}`.
 *
 * @property keyId The key's name, which the server knows.
 * @property secret The secret that both sides have. [toString] does not show it.
 * @property algorithm The hash function.
 * @property encoding How the signature is written.
 * @property text What is signed, with places; `null` for `{method}\n{path_and_query}\n{timestamp}\n{nonce}\n{body_sha256_base64}`.
 * @property headers The headers that are sent, with places; empty for `Authorization: HMAC-SHA256 keyid="...", ts="...", nonce="...", signature="..."`.
 * @property unsignedStreams What stands in the place of the digest of a body that is a stream, such as `UNSIGNED-PAYLOAD`; `null`: such a request is
 * refused before anything is sent.
 */
public class HmacSignature(
    public val keyId: String,
    public val secret: String,
    public val algorithm: HashAlgorithm = HashAlgorithm.SHA256,
    public val encoding: Encoding = Encoding.BASE64,
    public val text: String? = null,
    public val headers: Map<String, String> = emptyMap(),
    public val unsignedStreams: String? = null,
) : Signature() {
    /** How a signature is written. */
    public enum class Encoding(
        internal val text: String,
    ) {
        /** Base64, as in RFC 4648, section 4. */
        BASE64("base64"),

        /** Base64 for URLs, without padding. */
        BASE64_URL("base64url"),

        /** Hexadecimal, in lower case. */
        HEX("hex"),
    }

    override fun members(json: JsonText) {
        json.name("kind").string("hmac")
        json.name("keyId").string(keyId)
        json.name("secret").string(secret)
        json.name("algorithm").string(algorithm.text)
        json.name("encoding").string(encoding.text)
        text?.let { json.name("text").string(it) }
        if (headers.isNotEmpty()) {
            json.name("headers").pairs(headers.toList())
        }
        unsignedStreams?.let { json.name("unsignedStreams").string(it) }
    }

    override fun toString(): String = "HmacSignature(keyId=$keyId)"
}

/**
 * HTTP Message Signatures (RFC 9421): `Signature-Input`, `Signature` and `Content-Digest`.
 *
 * @property keyId The key's name, which the server knows.
 * @property components What is signed, such as `@method`, `@target-uri`, `content-digest` or the name of a header; `null` for these three, the digest
 * where there is a body.
 * @property label The signature's name among several; `null` for `sig1`.
 * @property tag The application's own tag (RFC 9421, section 2.3).
 * @property expires How long a signature is good; `null`: it does not say.
 * @property nonce Whether each has a nonce.
 * @property nameAlgorithm Whether the algorithm is named.
 * @property digest The hash function of `Content-Digest`.
 * @property unsignedStreams Whether a body that is a stream goes without a digest. Else such a request is refused before anything is sent.
 */
public class HttpSignature private constructor(
    public val keyId: String,
    private val key: Pair<String, String>,
    public val components: List<String>?,
    public val label: String?,
    public val tag: String?,
    public val expires: Duration?,
    public val nonce: Boolean,
    public val nameAlgorithm: Boolean,
    public val digest: HashAlgorithm,
    public val unsignedStreams: Boolean,
) : Signature() {
    /** Signatures by a private [key] in PEM: P-256, Ed25519 or RSA. */
    public constructor(
        keyId: String,
        key: String,
        components: List<String>? = null,
        label: String? = null,
        tag: String? = null,
        expires: Duration? = null,
        nonce: Boolean = true,
        nameAlgorithm: Boolean = true,
        digest: HashAlgorithm = HashAlgorithm.SHA256,
        unsignedStreams: Boolean = false,
    ) : this(keyId, "key" to key, components, label, tag, expires, nonce, nameAlgorithm, digest, unsignedStreams)

    /** Signatures by a [secret] that both sides have (`hmac-sha256`). */
    public constructor(
        keyId: String,
        secret: ByteArray,
        components: List<String>? = null,
        label: String? = null,
        tag: String? = null,
        expires: Duration? = null,
        nonce: Boolean = true,
        nameAlgorithm: Boolean = true,
        digest: HashAlgorithm = HashAlgorithm.SHA256,
        unsignedStreams: Boolean = false,
    ) : this(keyId, "secret" to Base64.encode(secret), components, label, tag, expires, nonce, nameAlgorithm, digest, unsignedStreams)

    override fun members(json: JsonText) {
        json.name("kind").string("httpSignature")
        json.name("keyId").string(keyId)
        json.name(key.first).string(key.second)
        components?.let { json.name("components").strings(it) }
        label?.let { json.name("label").string(it) }
        tag?.let { json.name("tag").string(it) }
        expires?.let { json.name("expiresMs").milliseconds(it) }
        json.name("nonce").boolean(nonce)
        json.name("nameAlgorithm").boolean(nameAlgorithm)
        json.name("digest").string(digest.text)
        json.name("unsignedStreams").boolean(unsignedStreams)
    }

    override fun toString(): String = "HttpSignature(keyId=$keyId)"
}

/** Private keys for [HttpSignature], [OAuth.dpopKey] and [Auth.dpop]. */
public object SigningKey {
    /**
     * A new P-256 key in PEM (PKCS #8). It is a secret: keep it as one.
     *
     * @throws InvalidConfigException where the system gives no random numbers.
     */
    public fun generateP256(): String = generateSigningKey()
}
