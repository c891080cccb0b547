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
 * | 4 END | nothing: the end of a body or of a list. Of a download JSON, `{elapsedMs, attempts}` over all its connections |
 * | 5 ERROR | the error as JSON |
 * | 6 ASK | a question as JSON; the call is 0 |
 *
 * The first of [delivery] is the batch, the others are the large bodies. A whole answer keeps its batch and its place in it, and is decoded when
 * it is looked at.
 */
internal fun readFrames(
    delivery: Array<ByteArray?>,
    frames: Frames,
) {
    val batch = delivery[0] ?: return
    var at = 0
    while (at + 9 <= batch.size) {
        val end = at + 4 + u32(batch, at)
        val call = u32(batch, at + 4)
        try {
            readFrame(Frame(batch, at + 9, end, call, delivery), batch[at + 8].toInt(), frames)
        } catch (
            @Suppress("TooGenericExceptionCaught") thrown: Throwable,
        ) {
            // Such as an OutOfMemoryError: that of one call is not to be that of all.
            frames.broken(call, thrown)
        }
        at = end
    }
}

/** One frame: a place in its batch. */
private class Frame(
    val batch: ByteArray,
    val start: Int,
    val end: Int,
    val call: Int,
    private val delivery: Array<ByteArray?>,
) {
    /** A body that is beside the batch. */
    fun large(index: Int): ByteArray = delivery[index + 1] ?: throw OutOfMemoryError("there is no memory for the body of an answer")
}

private fun readFrame(
    frame: Frame,
    kind: Int,
    frames: Frames,
) {
    // What is of no kind here is a frame of a later version: nobody waits for it.
    when (kind) {
        ANSWER -> answer(frame, frames)
        HEAD -> head(frame, frames)
        CHUNK -> chunk(frame, frames)
        END -> frames.end(frame.call, frame.batch, frame.start, frame.end)
        ERROR -> frames.error(frame.call, frame.batch.decodeToString(frame.start, frame.end))
        ASK -> frames.ask(frame.batch.decodeToString(frame.start, frame.end))
    }
}

private fun answer(
    frame: Frame,
    frames: Frames,
) {
    val batch = frame.batch
    val status = u16(batch, frame.start)
    val meta = frame.start + 14
    val body = meta + u32(batch, frame.start + 2)
    val large = u32(batch, frame.start + 10)
    if (large == NONE) {
        frames.answer(frame.call, status, Meta(batch, meta, body), batch, body, body + u32(batch, frame.start + 6))
    } else {
        // The batch may hold many other answers: a body that is kept keeps just its own meta.
        val bytes = frame.large(large)
        frames.answer(frame.call, status, Meta(batch.copyOfRange(meta, body), 0, body - meta), bytes, 0, bytes.size)
    }
}

private fun head(
    frame: Frame,
    frames: Frames,
) {
    // The head of a stream may live long: it does not keep the batch.
    val meta = frame.batch.copyOfRange(frame.start + 2, frame.end)
    frames.head(frame.call, u16(frame.batch, frame.start), Meta(meta, 0, meta.size))
}

private fun chunk(
    frame: Frame,
    frames: Frames,
) {
    val large = u32(frame.batch, frame.start)
    frames.chunk(frame.call, if (large == NONE) frame.batch.copyOfRange(frame.start + 4, frame.end) else frame.large(large))
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
