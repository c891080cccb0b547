package dev.gatewright

import com.sun.net.httpserver.HttpServer
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.net.InetSocketAddress
import java.util.Collections

/** Lists, page by page and item by item. */
class PagesTest {
    @Serializable
    data class Contact(
        val id: String,
        val name: String,
    )

    private val fortyFive = (1..45).map { "ct_%06d".format(it) }

    @Test
    fun `all pages, and all items in order`() =
        checked {
            val session = Session()
            val client = session.client()
            val pages = client.pages("/v1/contacts") { query("limit", 20) }.toList()
            assertEquals(listOf(20, 20, 5), pages.map { it.items<Contact>().size })
            assertTrue(pages.all { it.response.ok })
            assertEquals(3, session.journal().size)
            assertEquals(fortyFive, client.items<Contact>("/v1/contacts") { query("limit", 20) }.map { it.id }.toList())
            assertEquals(fortyFive, client.items<JsonObject>("/v1/contacts").map { it.text("id") }.toList())
        }

    @Test
    fun `a page is fetched when the collector asks for it, and none after it stops`() =
        checked {
            val session = Session()
            val client = session.client()
            val pages = client.pages("/v1/contacts") { query("limit", 20) }
            assertEquals(0, session.journal().size)
            var seen = 0
            pages.collect {
                seen += 1
                assertEquals(seen, session.journal().size)
            }
            assertEquals(3, seen)
            pages.first()
            assertEquals(4, session.journal().size)
            assertEquals(
                21,
                client
                    .items<Contact>("/v1/contacts") { query("limit", 20) }
                    .take(21)
                    .toList()
                    .size,
            )
            assertEquals(6, session.journal().size)
            idle(client)
        }

    @Test
    fun `where a list has its items and cursors can be said`() =
        checked {
            val asked = Collections.synchronizedList(mutableListOf<String>())
            val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)
            server.createContext("/") { exchange ->
                asked += exchange.requestURI.toString()
                val last = "after" in exchange.requestURI.query
                val things = if (last) "[3]" else "[1,2]"
                val next = if (last) "null" else "\"two\""
                val page = """{"result":{"things":$things},"paging":{"next":$next}}"""
                exchange.responseHeaders["content-type"] = "application/json"
                exchange.sendResponseHeaders(200, page.length.toLong())
                exchange.responseBody.use { it.write(page.encodeToByteArray()) }
            }
            server.start()
            try {
                val items =
                    Client("http://127.0.0.1:${server.address.port}").items<Int>("/list") {
                        items = "result.things"
                        cursor = "paging.next"
                        cursorParam = "after"
                        query("size", 2)
                    }
                assertEquals(listOf(1, 2, 3), items.toList())
                assertEquals(listOf("/list?size=2", "/list?size=2&after=two"), asked)
            } finally {
                server.stop(0)
            }
        }

    @Test
    fun `a page that fails is retried, and what stays is thrown where it is collected`() =
        checked {
            val session = Session()
            session.script("contacts.list", "ok", "503", "ok", "403")
            val attempts = mutableListOf<Int>()
            thrown<PermissionDeniedException> {
                session.client().pages("/v1/contacts") { query("limit", 20) }.collect { attempts += it.response.attempts.size }
            }
            assertEquals(listOf(1, 2), attempts)
        }

    @Serializable
    class Other(
        val missing: Int,
    )

    @Test
    fun `what is no list, or has other items, is a DecodeException`() =
        checked {
            val client = Session().client()
            val nothing = thrown<DecodeException> { client.pages("/v1/contacts") { items = "nothing.here" }.first() }
            assertTrue(nothing.message.contains("nothing"), nothing.message)
            val other = thrown<DecodeException> { client.items<Other>("/v1/contacts").first() }
            assertTrue(other.message.contains("missing"), other.message)
            idle(client)
        }
}
