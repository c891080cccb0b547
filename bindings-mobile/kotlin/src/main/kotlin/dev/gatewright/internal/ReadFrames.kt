package dev.gatewright.internal

private const val NONE = -1

/**
 * Reads a batch of frames. Numbers are little endian; each frame is `[u32 length of the rest][u32 call][u8 kind][payload]`:
 *
 * | Kind | Payload |
 * |---|---|
 * | 1 ANSWER | `[u16 status][u32 metaLength][u32 bodyLength][u32 large, NONE for a body inline][meta][body]` |
 * | 2 HEAD | `[u16 status][meta]`, of a streamed answer |
 * | 3 CHUNK | `[u32 large or NONE][bytes]`, of its body |
 * | 4 END | nothing: the end of a body or of a list |
 * | 5 ERROR | the error as JSON |
 * | 6 ASK | a question as JSON; the call is 0 |
 *
 * The first of [delivery] is the batch, the others are the large bodies. A whole answer keeps its batch and its place in it, and is decoded when
 * it is looked at.
 */
internal fun readFrames(
    delivery: Array<ByteArray>,
    frames: Frames,
) {
    val batch = delivery[0]
    var at = 0
    while (at + 9 <= batch.size) {
        val end = at + 4 + u32(batch, at)
        val call = u32(batch, at + 4)
        val payload = at + 9
        when (batch[at + 8].toInt()) {
            1 -> {
                answer(delivery, payload, call, frames)
            }

            // The head of a stream may live long: it does not keep the batch.
            2 -> {
                frames.head(call, u16(batch, payload), Meta(batch.copyOfRange(payload + 2, end), 0, end - payload - 2))
            }

            3 -> {
                val large = u32(batch, payload)
                frames.chunk(call, if (large == NONE) batch.copyOfRange(payload + 4, end) else delivery[large + 1])
            }

            4 -> {
                frames.end(call)
            }

            5 -> {
                frames.error(call, batch.decodeToString(payload, end))
            }

            6 -> {
                frames.ask(batch.decodeToString(payload, end))
            }

            // A frame of a later version: nobody waits for it.
            else -> {
                Unit
            }
        }
        at = end
    }
}

private fun answer(
    delivery: Array<ByteArray>,
    payload: Int,
    call: Int,
    frames: Frames,
) {
    val batch = delivery[0]
    val status = u16(batch, payload)
    val meta = payload + 14
    val body = meta + u32(batch, payload + 2)
    val large = u32(batch, payload + 10)
    if (large == NONE) {
        frames.answer(call, status, Meta(batch, meta, body), batch, body, body + u32(batch, payload + 6))
    } else {
        // The batch may hold many other answers: a body that is kept keeps just its own meta.
        val bytes = delivery[large + 1]
        frames.answer(call, status, Meta(batch.copyOfRange(meta, body), 0, body - meta), bytes, 0, bytes.size)
    }
}

private fun u32(
    bytes: ByteArray,
    at: Int,
): Int =
    (bytes[at].toInt() and 0xff) or
        ((bytes[at + 1].toInt() and 0xff) shl 8) or
        ((bytes[at + 2].toInt() and 0xff) shl 16) or
        (bytes[at + 3].toInt() shl 24)

private fun u16(
    bytes: ByteArray,
    at: Int,
): Int = (bytes[at].toInt() and 0xff) or ((bytes[at + 1].toInt() and 0xff) shl 8)
