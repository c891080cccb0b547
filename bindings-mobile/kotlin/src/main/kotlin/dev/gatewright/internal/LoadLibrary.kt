package dev.gatewright.internal

import dev.gatewright.Gatewright
import java.io.File
import java.io.InputStream
import java.nio.file.Files
import java.util.Locale

// Finds the native library and loads it.

private const val NAME = "gatewright_mobile"

/** The system property that names a library to load in place of the jar's own: for platforms that it has none for. */
private const val PROPERTY = "gatewright.library"

/**
 * Loads the library: the file that the property `gatewright.library` names; on Android the app's own; else the jar's for this platform, through
 * a temporary file.
 *
 * @throws UnsatisfiedLinkError where there is none, which says for which platform it was looked, or where it is of another version.
 */
internal fun loadLibrary() {
    val named = System.getProperty(PROPERTY)
    when {
        named != null -> load(File(named).absoluteFile)
        System.getProperty("java.vm.name") == "Dalvik" -> System.loadLibrary(NAME)
        else -> loadFromJar()
    }
    if (Native.version() != Gatewright.VERSION) {
        throw UnsatisfiedLinkError("gatewright ${Gatewright.VERSION} cannot use the native library of ${Native.version()}")
    }
}

private fun loadFromJar() {
    val file = System.mapLibraryName(NAME)
    val resource = "/dev/gatewright/native/${platform()}/$file"
    val library =
        Native::class.java.getResourceAsStream(resource)
            ?: throw UnsatisfiedLinkError(
                "gatewright has no native library for ${platform()}: its jar has no $resource. " +
                    "Build it for this platform, and name the file with -D$PROPERTY",
            )
    library.use(::loadCopy)
}

private fun loadCopy(library: InputStream) {
    // A folder of its own, which nobody else may write into.
    val folder = Files.createTempDirectory("gatewright").toFile()
    val file = File(folder, System.mapLibraryName(NAME))
    try {
        file.outputStream().use(library::copyTo)
        load(file)
    } finally {
        // A loaded library needs its file no more, but on Windows it cannot be deleted yet.
        if (!file.delete()) {
            file.deleteOnExit()
        }
        if (!folder.delete()) {
            folder.deleteOnExit()
        }
    }
}

@Suppress("UnsafeDynamicallyLoadedCode")
private fun load(file: File) {
    System.load(file.path)
}

/** The platform by the names that JNA uses, such as `linux-x86-64` and `darwin-aarch64`. */
internal fun platform(
    system: String = System.getProperty("os.name").orEmpty(),
    machine: String = System.getProperty("os.arch").orEmpty(),
): String {
    val os =
        system.lowercase(Locale.ROOT).let { name ->
            when {
                name.startsWith("mac") || name.startsWith("darwin") -> "darwin"
                name.startsWith("windows") -> "win32"
                else -> name.substringBefore(' ')
            }
        }
    val architecture =
        when (val name = machine.lowercase(Locale.ROOT)) {
            "amd64", "x86_64", "x64" -> "x86-64"
            "arm64" -> "aarch64"
            "i386", "i486", "i586", "i686" -> "x86"
            else -> name
        }
    return "$os-$architecture"
}
