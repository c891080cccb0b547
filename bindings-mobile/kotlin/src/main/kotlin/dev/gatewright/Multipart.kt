package dev.gatewright

import dev.gatewright.internal.MultipartBody
import dev.gatewright.internal.WholeBody
import java.io.File

/** The parts of a form with files; see [Body.multipart]. */
@GatewrightDsl
public class Multipart internal constructor() {
    private val parts = mutableListOf<MultipartBody.Part>()

    /** A field with a text. */
    public fun field(
        name: String,
        value: String,
    ) {
        parts += MultipartBody.Part(name, null, WholeBody(value.encodeToByteArray(), null))
    }

    /** A file of these bytes. */
    public fun file(
        name: String,
        fileName: String,
        bytes: ByteArray,
        contentType: String = "application/octet-stream",
    ) {
        parts += MultipartBody.Part(name, fileName, WholeBody(bytes, contentType))
    }

    /** A file, read anew for each attempt. */
    public fun file(
        name: String,
        file: File,
        fileName: String = file.name,
        contentType: String = "application/octet-stream",
    ) {
        parts += MultipartBody.Part(name, fileName, Body.file(file, contentType))
    }

    /** A part with any [body], such as [Body.json] or [Body.replayable]; but not [Body.stream], which cannot be sent again. */
    public fun part(
        name: String,
        body: Body,
        fileName: String? = null,
    ) {
        parts += MultipartBody.Part(name, fileName, body)
    }

    internal fun body(): Body = MultipartBody(parts.toList())
}
