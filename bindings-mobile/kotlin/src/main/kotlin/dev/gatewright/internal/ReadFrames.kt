package dev.gatewright.internal

private const val ANSWER = 1
private const val HEAD = 2
private const val CHUNK = 3
private const val END = 4
private const val ERROR = 5
private const val ASK = 6

/** In place of an index: the bytes are in the batch. */
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
        // What is of no kind here is a frame of a later version: nobody waits for it.
        when (batch[at + 8].toInt()) {
            ANSWER -> answer(delivery, payload, call, frames)
            HEAD -> head(batch, payload, end, call, frames)
            CHUNK -> chunk(delivery, payload, end, call, frames)
            END -> frames.end(call)
            ERROR -> frames.error(call, batch.decodeToString(payload, end))
            ASK -> frames.ask(batch.decodeToString(payload, end))
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

private fun head(
    batch: ByteArray,
    payload: Int,
    end: Int,
    call: Int,
    frames: Frames,
) {
    // The head of a stream may live long: it does not keep the batch.
    frames.head(call, u16(batch, payload), Meta(batch.copyOfRange(payload + 2, end), 0, end - payload - 2))
}

private fun chunk(
    delivery: Array<ByteArray>,
    payload: Int,
    end: Int,
    call: Int,
    frames: Frames,
) {
    val large = u32(delivery[0], payload)
    frames.chunk(call, if (large == NONE) delivery[0].copyOfRange(payload + 4, end) else delivery[large + 1])
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
