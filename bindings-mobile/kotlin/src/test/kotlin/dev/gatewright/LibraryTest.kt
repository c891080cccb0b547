package dev.gatewright

import dev.gatewright.internal.Native
import dev.gatewright.internal.platform
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.TimeUnit

/** How the native library is found. */
class LibraryTest {
    @Test
    fun `every platform has its folder in the jar`() {
        assertEquals("linux-x86-64", platform("Linux", "amd64"))
        assertEquals("linux-aarch64", platform("Linux", "aarch64"))
        assertEquals("darwin-aarch64", platform("Mac OS X", "aarch64"))
        assertEquals("darwin-x86-64", platform("Mac OS X", "x86_64"))
        assertEquals("win32-x86-64", platform("Windows 11", "amd64"))
        assertEquals("win32-aarch64", platform("Windows Server 2025", "ARM64"))
        assertNotNull(Client::class.java.getResource("native/${platform()}/${System.mapLibraryName("gatewright_mobile")}"))
        assertEquals(Gatewright.VERSION, Native.version())
    }

    @Test
    fun `a library that is not there is said so`() {
        val java = "${System.getProperty("java.home")}/bin/java"
        val classes = System.getProperty("java.class.path")
        val process =
            ProcessBuilder(java, "-Dgatewright.library=/nowhere/lib.so", "-cp", classes, "dev.gatewright.ThreadsProgramKt", Gateway.url)
                .redirectErrorStream(true)
                .start()
        val out = process.inputStream.bufferedReader().readText()
        assertTrue(process.waitFor(60, TimeUnit.SECONDS))
        assertEquals(1, process.exitValue())
        assertTrue("UnsatisfiedLinkError" in out && "/nowhere/lib.so" in out, out)
    }
}
