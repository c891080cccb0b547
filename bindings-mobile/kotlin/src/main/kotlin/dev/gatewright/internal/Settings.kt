package dev.gatewright.internal

import dev.gatewright.Body
import dev.gatewright.ClientConfig
import dev.gatewright.Proxy
import dev.gatewright.RequestConfig

/*
 * What a program says about a client and about a call, as the JSON of the native half. What values mean is checked there.
 *
 * Settings JSON (all optional): `auth`, `credentials`, `headers`, `timeoutMs`, `attemptTimeoutMs`, `connectTimeoutMs`, `readTimeoutMs`, `maxAttempts`,
 * `backoffBaseMs`, `backoffCapMs`, `maxRetryAfterMs`, `budget`, `pacing`, `minThroughput`, `quota`, `breaker`, `maxConcurrency`, `regions`,
 * `hedge`, `cache`, `idempotencyKeys`, `idempotencyHeader`, `idempotencyQuoted`,
 * `maxRedirects`, `allowedOrigins`, `allowHttp`, `proxy`, `caCertificates`, `pins`, `maxResponseBytes`, `throwOnError`, `hooks: {before, after}`,
 * `observe`, `client`.
 *
 * Options JSON (all optional): `query`, `headers`, `timeoutMs`, `attemptTimeoutMs`, `maxAttempts`, `idempotencyKey`, `throwOnError`,
 * `cache`, `hedge`, `credential`, `stream: {replayable, length}`, `contentType`,
 * `minThroughput: {bytesPerSecond, graceMs}`, `traceContext: {traceparent, tracestate}`, `urlTemplate`.
 */

/** A client's settings; [callbackNumber] is that of its callbacks, 0 for none. */
internal fun settingsOf(
    config: ClientConfig,
    callbackNumber: Int,
): String {
    val json = JsonText().beginObject()
    json.name("auth")
    config.auth.write(json)
    if (config.credentials.isNotEmpty()) {
        json.name("credentials").beginObject()
        config.credentials.forEach { (name, auth) -> auth.write(json.name(name)) }
        json.endObject()
    }
    json.name("headers").pairs(config.headers)
    json.name("timeoutMs").limit(config.timeout)
    json.name("attemptTimeoutMs").limit(config.attemptTimeout)
    json.name("connectTimeoutMs").limit(config.connectTimeout)
    json.name("readTimeoutMs").limit(config.readTimeout)
    json.name("maxAttempts").number(config.retry.maxAttempts)
    json.name("backoffBaseMs").milliseconds(config.retry.backoffBase)
    json.name("backoffCapMs").milliseconds(config.retry.backoffCap)
    json.name("maxRetryAfterMs").milliseconds(config.retry.maxRetryAfter)
    json.name("budget").number(config.retry.budget)
    writePacing(json, config)
    config.minThroughput?.write(json)
    config.quota?.let { json.name("quota").string(it) }
    writeProtection(json, config)
    json.name("idempotencyKeys").boolean(config.idempotencyKeys)
    json.name("idempotencyHeader").string(config.idempotencyHeader)
    json.name("idempotencyQuoted").boolean(config.idempotencyQuoted)
    json.name("maxRedirects").number(config.maxRedirects)
    json.name("allowedOrigins").strings(config.allowedOrigins)
    json.name("allowHttp").boolean(config.allowHttp)
    writeProxy(json, config.proxy)
    config.caCertificates?.let { json.name("caCertificates").string(it) }
    if (config.pins.isNotEmpty()) {
        json.name("pins").strings(config.pins)
    }
    json.name("maxResponseBytes").number(config.maxResponseBytes)
    json.name("throwOnError").boolean(config.throwOnError)
    writeHooks(json, config)
    json.name("observe").boolean(config.observer != null)
    json.name("client").number(callbackNumber)
    return json.endObject().toString()
}

private fun writePacing(
    json: JsonText,
    config: ClientConfig,
) {
    val maxQueue = config.maxQueue
    if (config.pacing && maxQueue != null) {
        json.name("pacing").beginObject()
        json.name("maxQueue").number(maxQueue)
        json.endObject()
    } else {
        json.name("pacing").boolean(config.pacing)
    }
}

private fun writeProtection(
    json: JsonText,
    config: ClientConfig,
) {
    json.name("breaker")
    config.breaker?.write(json) ?: json.boolean(false)
    config.maxConcurrency?.let { json.name("maxConcurrency").number(it) }
    if (config.regions.isNotEmpty()) {
        json.name("regions").strings(config.regions)
    }
    config.hedge?.let { it.write(json.name("hedge")) }
    config.cache?.let { it.write(json.name("cache")) }
}

private fun writeProxy(
    json: JsonText,
    proxy: Proxy,
) {
    when (proxy) {
        Proxy.Environment -> Unit
        Proxy.None -> json.name("proxy").boolean(false)
        is Proxy.Url -> json.name("proxy").string(proxy.url)
    }
}

private fun writeHooks(
    json: JsonText,
    config: ClientConfig,
) {
    json.name("hooks").beginObject()
    json.name("before").boolean(config.before != null)
    json.name("after").boolean(config.after != null)
    json.endObject()
}

/** The options of a call with this body. */
internal fun optionsOf(
    config: RequestConfig,
    body: Body.Prepared?,
): String {
    val json = JsonText().beginObject()
    config.write(json)
    body?.contentType?.let { json.name("contentType").string(it) }
    if (body is StreamBody) {
        json.name("stream")
        body.write(json)
    }
    return json.endObject().toString()
}
