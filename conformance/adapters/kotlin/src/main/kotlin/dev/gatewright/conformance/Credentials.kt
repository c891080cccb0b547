package dev.gatewright.conformance

// A scenario's credentials as those of the SDK.

import dev.gatewright.Auth
import dev.gatewright.HashAlgorithm
import dev.gatewright.HmacSignature
import dev.gatewright.HttpSignature
import dev.gatewright.OAuth
import dev.gatewright.SigningKey
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import java.util.Base64
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** A credential that needs no callback. */
fun credential(given: JsonObject): Auth =
    when (val kind = given.text("kind")) {
        "none" -> Auth.none
        "bearer" -> Auth.bearer(given.text("token"))
        "basic" -> Auth.basic(given.text("user"), given.text("password"))
        "api_key" -> apiKey(given)
        "oauth" -> Auth.oauth(oauth(given))
        "hmac" -> Auth.signature(hmac(given))
        "http_signature" -> Auth.signature(httpSignature(given))
        "dpop" -> Auth.dpop(given.text("token"), key(given.text("key")))
        else -> throw Unsupported("auth of the kind $kind")
    }

private fun apiKey(given: JsonObject): Auth {
    val key = given.text("key")
    val header = given.textOrNull("header")
    val query = given.textOrNull("query")
    val cookie = given.textOrNull("cookie")
    return when {
        header != null -> Auth.apiKey(key, header)
        query != null -> Auth.apiKeyQuery(key, query)
        cookie != null -> Auth.apiKeyCookie(key, cookie)
        else -> Auth.apiKey(key)
    }
}

/** A key in PEM; `new` makes one. */
private fun key(pem: String): String = if (pem == "new") SigningKey.generateP256() else pem

private fun JsonObject.texts(name: String): List<String>? = get(name)?.jsonArray?.map { it.jsonPrimitive.content }

private fun JsonObject.fields(name: String): Map<String, String> = objectOrNull(name).orEmpty().mapValues { it.value.jsonPrimitive.content }

private fun JsonObject.flag(name: String): Boolean = get(name)?.jsonPrimitive?.boolean ?: false

private val OF_OAUTH =
    setOf("kind", "client_id", "issuer", "token_url", "authorization_url", "device_authorization_url", "revocation_url", "grant") +
        setOf("client_secret", "client_auth", "client_key", "client_key_id", "scopes", "audience", "resources", "refresh_token") +
        setOf("parameters", "headers", "allow_http", "timeout_ms", "dpop_key")

private fun oauth(given: JsonObject): OAuth {
    (given.keys - OF_OAUTH).firstOrNull()?.let { throw Unsupported("auth.$it") }
    return OAuth(
        clientId = given.text("client_id"),
        issuer = given.textOrNull("issuer"),
        tokenUrl = given.textOrNull("token_url"),
        authorizationUrl = given.textOrNull("authorization_url"),
        deviceAuthorizationUrl = given.textOrNull("device_authorization_url"),
        revocationUrl = given.textOrNull("revocation_url"),
        grant = given.textOrNull("grant")?.let { OAuth.Grant.valueOf(it.uppercase()) },
        clientSecret = given.textOrNull("client_secret"),
        clientAuth = given.textOrNull("client_auth")?.let { OAuth.ClientAuth.valueOf(it.uppercase()) },
        clientKey = given.textOrNull("client_key")?.let(::key),
        clientKeyId = given.textOrNull("client_key_id"),
        scopes = given.texts("scopes").orEmpty(),
        audience = given.textOrNull("audience"),
        resources = given.texts("resources").orEmpty(),
        refreshToken = given.textOrNull("refresh_token"),
        parameters = given.fields("parameters"),
        headers = given.fields("headers"),
        allowHttp = given.flag("allow_http"),
        timeout = given["timeout_ms"]?.jsonPrimitive?.long?.milliseconds ?: 30.seconds,
        dpopKey = given.textOrNull("dpop_key")?.let(::key),
    )
}

/** Templates have their places in angle brackets: braces are the harness's. */
private fun template(text: String): String = text.replace('<', '{').replace('>', '}')

private fun hash(name: String?): HashAlgorithm = if (name == "sha512") HashAlgorithm.SHA512 else HashAlgorithm.SHA256

private fun hmac(given: JsonObject): HmacSignature =
    HmacSignature(
        keyId = given.text("key_id"),
        secret = given.text("secret"),
        algorithm = hash(given.textOrNull("algorithm")),
        encoding =
            when (given.textOrNull("encoding")) {
                "hex" -> HmacSignature.Encoding.HEX
                "base64url" -> HmacSignature.Encoding.BASE64_URL
                else -> HmacSignature.Encoding.BASE64
            },
        text = given.textOrNull("text")?.let(::template),
        headers = given.fields("headers").mapValues { template(it.value) },
        unsignedStreams = given.textOrNull("unsigned_streams"),
    )

private fun httpSignature(given: JsonObject): HttpSignature {
    val secret = given.textOrNull("secret")
    val components = given.texts("components")
    val (label, tag) = given.textOrNull("label") to given.textOrNull("tag")
    val (digest, unsigned) = hash(given.textOrNull("digest")) to given.flag("unsigned_streams")
    val id = given.text("key_id")
    return if (secret != null) {
        val bytes = Base64.getDecoder().decode(secret)
        HttpSignature(id, bytes, components = components, label = label, tag = tag, digest = digest, unsignedStreams = unsigned)
    } else {
        val pem = key(given.text("key"))
        HttpSignature(id, pem, components = components, label = label, tag = tag, digest = digest, unsignedStreams = unsigned)
    }
}
