package org.ticketwallet

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.io.IOException
import java.io.InputStream
import java.net.ConnectException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.SocketException
import java.net.http.HttpRequest.BodyPublisher
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors
import java.util.concurrent.Flow
import javax.net.ssl.SSLException
import javax.net.ssl.SSLHandshakeException
import javax.net.ssl.SSLPeerUnverifiedException
import javax.net.ssl.SSLProtocolException
import kotlin.concurrent.thread
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.ticketwallet.core.HttpHeader
import org.ticketwallet.core.HttpRequest
import org.ticketwallet.core.HttpResponse
import org.ticketwallet.core.HttpTransportException

/** The transport carries what the core hands it, and nothing else happens. */
@Timeout(60)
@Suppress("ktlint:standard:function-naming", "FunctionName")
class JvmHttpTransportTest {
    private val silence = CountDownLatch(1)
    private val workers = Executors.newCachedThreadPool()
    private val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0).apply {
        executor = workers
        createContext("/echo") { answer(it, 200, it.requestBody.readBytes()) }
        createContext("/moved") {
            it.responseHeaders["Location"] = "/echo"
            answer(it, 302, ByteArray(0))
        }
        createContext("/denied") {
            it.responseHeaders["WWW-Authenticate"] = "Bearer"
            answer(it, 401, "no".toByteArray())
        }
        createContext("/large") { answer(it, 200, ByteArray(4096)) }
        createContext("/broken") {
            it.sendResponseHeaders(200, 100)
            it.responseBody.write(1)
            it.responseBody.flush()
            it.close()
        }
        createContext("/silent") {
            silence.await()
            it.close()
        }
        start()
    }
    private val origin = "http://127.0.0.1:${server.address.port}"

    @AfterEach
    fun stop() {
        silence.countDown()
        server.stop(0)
        workers.shutdownNow()
    }

    private fun answer(exchange: HttpExchange, status: Int, body: ByteArray) {
        exchange.responseHeaders["X-Seen"] = listOf(
            exchange.requestMethod, exchange.requestHeaders.getFirst("X-Sent").orEmpty(),
        ).joinToString(" ")
        exchange.sendResponseHeaders(status, if (body.isEmpty()) -1 else body.size.toLong())
        if (body.isNotEmpty()) exchange.responseBody.write(body)
        exchange.close()
    }

    private fun send(
        path: String,
        body: ByteArray? = null,
        timeoutMs: UInt = 30_000u,
        at: String = origin,
        method: String = if (body == null) "GET" else "POST",
    ): HttpResponse {
        val headers = listOf(HttpHeader("X-Sent", "łódź".length.toString()))
        return JvmHttpTransport().send(HttpRequest(method, at + path, headers, body, timeoutMs, 1024u))
    }

    private fun HttpResponse.header(name: String) = headers.single { it.name.equals(name, ignoreCase = true) }.value

    @Test
    fun method_headers_and_body_arrive_and_come_back() {
        val reply = send("/echo", "body".toByteArray())
        assertEquals(200.toUShort(), reply.status)
        assertEquals("POST 4", reply.header("x-seen"))
        assertEquals("body", reply.body.decodeToString())
        assertEquals("GET 4", send("/echo").header("x-seen"))
    }

    @Test
    fun every_status_is_a_reply_and_redirects_are_not_followed() {
        assertEquals(302.toUShort(), send("/moved").status)
        assertEquals("/echo", send("/moved").header("location"))
        for (body in listOf(null, "body".toByteArray())) {
            val denied = send("/denied", body)
            assertEquals(401.toUShort(), denied.status)
            assertEquals("no", denied.body.decodeToString())
        }
    }

    @Test
    fun failures_are_told_apart() {
        assertThrows(HttpTransportException.TooLarge::class.java) { send("/large") }
        assertThrows(HttpTransportException.Broken::class.java) { send("/broken") }
        assertThrows(HttpTransportException.TimedOut::class.java) { send("/silent", timeoutMs = 200u) }
        assertThrows(HttpTransportException.Failed::class.java) { send("", at = "no address") }
        val free = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
        assertThrows(HttpTransportException.Unreachable::class.java) { send("/", at = "http://127.0.0.1:$free") }
    }

    @Test
    fun a_patch_is_carried_in_the_same_way() {
        val body = "body".toByteArray()
        fun patch(path: String, timeoutMs: UInt = 30_000u, at: String = origin) = send(path, body, timeoutMs, at, "PATCH")
        val reply = patch("/echo")
        assertEquals("PATCH 4", reply.header("x-seen"))
        assertEquals("body", reply.body.decodeToString())
        assertEquals(302.toUShort(), patch("/moved").status)
        assertEquals(401.toUShort(), patch("/denied").status)
        assertThrows(HttpTransportException.TooLarge::class.java) { patch("/large") }
        assertThrows(HttpTransportException.Broken::class.java) { patch("/broken") }
        assertThrows(HttpTransportException.TimedOut::class.java) { patch("/silent", timeoutMs = 3_000u) }
        assertThrows(HttpTransportException.Failed::class.java) { patch("", at = "no address") }
        val free = ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { it.localPort }
        assertThrows(HttpTransportException.Unreachable::class.java) { patch("/", at = "http://127.0.0.1:$free") }
    }

    /** Answers the first request, on a connection that it keeps or not, and takes all others without an answer. */
    private class Silent(private val keeps: Boolean) : AutoCloseable {
        val seen = ConcurrentLinkedQueue<String>()
        private val socket = ServerSocket(0, 8, InetAddress.getLoopbackAddress())
        val origin = "http://127.0.0.1:${socket.localPort}"

        init {
            thread(isDaemon = true) {
                try {
                    while (true) socket.accept().let { thread(isDaemon = true) { it.use(::serve) } }
                } catch (closed: SocketException) {
                    return@thread
                }
            }
        }

        private fun serve(connection: Socket) {
            val input = connection.getInputStream().buffered()
            while (take(input)) {
                if (seen.size > 1) return
                val close = if (keeps) "" else "Connection: close\r\n"
                connection.getOutputStream().write("HTTP/1.1 200 OK\r\n${close}Content-Length: 2\r\n\r\nok".toByteArray())
                if (!keeps) return
            }
        }

        /** Whether a whole request came. */
        private fun take(input: InputStream): Boolean {
            val head = generateSequence { line(input) }.takeWhile { it.isNotEmpty() }.toList()
            val told = head.firstOrNull { it.startsWith("content-length:", ignoreCase = true) }
            val length = told?.substringAfter(':')?.trim()?.toInt() ?: 0
            if (head.isEmpty() || input.readNBytes(length).size < length) return false
            return seen.add(head.first().substringBefore(' '))
        }

        private fun line(input: InputStream): String? {
            val line = StringBuilder()
            while (true) {
                val byte = input.read()
                if (byte < 0) return null
                if (byte == '\n'.code) return line.toString().trimEnd()
                line.append(byte.toChar())
            }
        }

        override fun close() = socket.close()
    }

    @Test
    fun a_write_whose_answer_is_lost_is_sent_once() {
        for (keeps in listOf(false, true)) {
            for (method in listOf("POST", "PUT", "PATCH", "DELETE")) {
                val body = if (method == "DELETE") null else "body".toByteArray()
                Silent(keeps).use { server ->
                    assertEquals(200.toUShort(), send("/", body, at = server.origin, method = method).status)
                    assertThrows(HttpTransportException.Broken::class.java) {
                        send("/", body, at = server.origin, method = method)
                    }
                    assertEquals(listOf(method, method), server.seen.toList())
                }
            }
        }
    }

    /** With `jdk.httpclient.enableAllMethodRetry` the JDK asks for it once more. */
    @Test
    fun a_body_is_given_out_once() {
        val body = JdkHttpTransport.Once("body".toByteArray())
        assertEquals(4, body.contentLength())
        assertEquals("body", given(body).get())
        assertThrows(ExecutionException::class.java) { given(body).get() }
    }

    private fun given(body: BodyPublisher): CompletableFuture<String> {
        val whole = CompletableFuture<String>()
        body.subscribe(object : Flow.Subscriber<ByteBuffer> {
            private val text = StringBuilder()

            override fun onSubscribe(subscription: Flow.Subscription) = subscription.request(Long.MAX_VALUE)

            override fun onNext(part: ByteBuffer) {
                text.append(Charsets.UTF_8.decode(part))
            }

            override fun onError(failure: Throwable) {
                whole.completeExceptionally(failure)
            }

            override fun onComplete() {
                whole.complete(text.toString())
            }
        })
        return whole
    }

    @Test
    fun what_tls_finds_wrong_after_the_handshake_may_have_been_sent() {
        for (before in listOf(SSLHandshakeException("x"), SSLPeerUnverifiedException("x"), ConnectException("x"))) {
            assertEquals(HttpTransportException.Unreachable::class, JvmHttpTransport.describe(before)::class, "$before")
        }
        for (after in listOf(SSLException("x"), SSLProtocolException("x"), SocketException("x"), IOException("x"))) {
            assertEquals(HttpTransportException.Broken::class, JvmHttpTransport.describe(after)::class, "$after")
        }
    }
}
