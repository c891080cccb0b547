package dev.gatewright

import dev.gatewright.internal.JsonText

/**
 * The place of a call in a distributed trace (W3C Trace Context); see [CallConfig.traceContext]. Each attempt of the call is a span of its own in
 * it: `traceparent` has a new span id, `tracestate` goes along as it is. Neither is sent to another origin.
 *
 * @property traceparent `00-` with 32 hex digits of the trace's id, 16 of the caller's span, and 2 of flags. Anything else is an
 * [InvalidRequestException] of the call, before anything is sent.
 * @property tracestate What tracing systems say of it to themselves. One that cannot be a header, or is longer than 4096 bytes, is left out.
 */
public data class TraceContext(
    public val traceparent: String,
    public val tracestate: String? = null,
) {
    internal fun write(json: JsonText) {
        json.name("traceContext").beginObject()
        json.name("traceparent").string(traceparent)
        tracestate?.let { json.name("tracestate").string(it) }
        json.endObject()
    }
}
