package dev.gatewright

import dev.gatewright.internal.JsonText

/**
 * How a sender signs that is not among the schemes.
 *
 * ```
 * // Acme-Signature: t=1700000000,v1=5f…  signs "1700000000.body"
 * WebhookTemplate("acme-signature", "{timestamp}.{body}", timestampItem = "t=", prefix = "v1=", separator = ',')
 * ```
 *
 * @property signatureHeader The header with the signature.
 * @property signed What is signed: text with the places `{id}`, `{timestamp}`, `{body}` and `{url}`.
 * @property timestampHeader The header with the time, in unix seconds.
 * @property timestampItem Or what stands before the time in the signature's header: `t=`.
 * @property idHeader The header with the message's id.
 * @property algorithm An HMAC or Ed25519.
 * @property encoding How signatures are written.
 * @property prefix What stands before each signature: `sha256=`, `v1=`.
 * @property separator What separates the items of the header, one ASCII character; `null`: there is one item.
 * @property secretEncoding How secrets are written.
 */
public class WebhookTemplate(
    public val signatureHeader: String,
    public val signed: String,
    public val timestampHeader: String? = null,
    public val timestampItem: String? = null,
    public val idHeader: String? = null,
    public val algorithm: WebhookAlgorithm = WebhookAlgorithm.HMAC_SHA256,
    public val encoding: Encoding = Encoding.HEX,
    public val prefix: String = "",
    public val separator: Char? = null,
    public val secretEncoding: SecretEncoding = SecretEncoding.TEXT,
) {
    /** How signatures are written. */
    public enum class Encoding {
        /** In hexadecimal. */
        HEX,

        /** In standard base64 with its padding. */
        BASE64,
    }

    /** How secrets are written. */
    public enum class SecretEncoding {
        /** The key is the text's own bytes; only for HMAC. */
        TEXT,

        /** In standard base64 with its padding. */
        BASE64,

        /** In hexadecimal. */
        HEX,
    }

    internal fun write(json: JsonText) {
        json.beginObject()
        json.name("signatureHeader").string(signatureHeader)
        json.name("signed").string(signed)
        timestampHeader?.let { json.name("timestampHeader").string(it) }
        timestampItem?.let { json.name("timestampItem").string(it) }
        idHeader?.let { json.name("idHeader").string(it) }
        json.name("algorithm").string(algorithm.id)
        json.name("encoding").string(encoding.name.lowercase())
        json.name("prefix").string(prefix)
        separator?.let { json.name("separator").string(it.toString()) }
        json.name("secretEncoding").string(secretEncoding.name.lowercase())
        json.endObject()
    }
}
