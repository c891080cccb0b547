package dev.gatewright

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.io.PrintWriter
import java.io.StringWriter
import java.lang.reflect.Modifier
import java.util.spi.ToolProvider

/** What a program may use is what `api/gatewright.api` says, and all of it is documented. */
class PublicApiTest {
    private val classes =
        File(
            Client::class.java.protectionDomain.codeSource.location
                .toURI(),
        )

    /** What the compiler made public that is not: internal members, and what only its own code calls. */
    private val notPublic = listOf("\$gatewright", "dev.gatewright.internal.", "DefaultConstructorMarker", " access\$", "\$annotations()")

    /** The public and protected members of all public classes, as `javap` prints them. */
    private fun publicApi(): String {
        val files =
            File(classes, "dev/gatewright")
                .listFiles { file -> file.extension == "class" }
                .orEmpty()
                .filter { file ->
                    Modifier.isPublic(Class.forName("dev.gatewright.${file.nameWithoutExtension}").modifiers)
                }.sortedBy { it.name }
        val out = StringWriter()
        val javap = ToolProvider.findFirst("javap").orElseThrow()
        javap.run(PrintWriter(out), PrintWriter(System.err), "-protected", *files.map { it.path }.toTypedArray())
        return out
            .toString()
            .lines()
            .filterNot { line -> line.startsWith("Compiled from") || notPublic.any { it in line } }
            .joinToString("\n")
            .trim() + "\n"
    }

    @Test
    fun `the public API is the recorded one`() {
        val record = File("api/gatewright.api")
        val api = publicApi()
        if (System.getenv("GATEWRIGHT_RECORD_API") != null) {
            record.parentFile.mkdirs()
            record.writeText(api)
        }
        assertEquals(record.readText(), api, "the public API changed; GATEWRIGHT_RECORD_API=1 records it anew")
    }

    @Test
    fun `every public declaration has a KDoc`() {
        val declaration = Regex("^ *(public|protected) (?!override|abstract override|companion object \\{)")
        var seen = 0
        for (file in File("src/main/kotlin/dev/gatewright").listFiles { file -> file.extension == "kt" }.orEmpty()) {
            val lines = file.readLines()
            for ((at, line) in lines.withIndex()) {
                if (!declaration.containsMatchIn(line)) {
                    continue
                }
                seen += 1
                val before = lines.subList(0, at).last { !it.trim().startsWith("@") }.trim()
                val property = Regex("public val (\\w+):").find(line)?.groupValues?.get(1)
                val documented = before.endsWith("*/") || (property != null && lines.any { "@property $property " in it })
                assertTrue(documented, "${file.name}:${at + 1} has no KDoc: ${line.trim()}")
            }
        }
        assertTrue(seen > 200, "$seen")
    }
}
