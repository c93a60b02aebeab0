package org.ticketwallet

import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.InputStream
import java.net.ConnectException
import java.net.HttpURLConnection
import java.net.NoRouteToHostException
import java.net.ProtocolException
import java.net.Proxy
import java.net.SocketTimeoutException
import java.net.URL
import java.net.UnknownHostException
import java.util.concurrent.TimeUnit
import javax.net.ssl.HttpsURLConnection
import javax.net.ssl.SSLHandshakeException
import javax.net.ssl.SSLPeerUnverifiedException
import org.ticketwallet.core.HttpHeader
import org.ticketwallet.core.HttpRequest
import org.ticketwallet.core.HttpResponse
import org.ticketwallet.core.HttpTransport
import org.ticketwallet.core.HttpTransportException

/**
 * Carries the wallet's requests over the platform's own HTTP: its trust store and pins, its proxy, its network policy.
 * The pins of an account are checked beside. Redirects are not followed, replies are bounded in size, and a request to
 * this very device takes no proxy. Whatever writes leaves at most once: what came of a lost answer is for the core to find
 * out, and the platform's own repetitions, which nobody is told of, are kept off.
 */
class JvmHttpTransport : HttpTransport {
    override fun checksPins(): Boolean = true

    override fun send(request: HttpRequest): HttpResponse {
        if (writes(request)) writing?.let { return it.send(request) }
        val deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(request.timeoutMs.toLong())
        val connection = try {
            connect(request)
        } catch (failure: IOException) {
            throw HttpTransportException.Failed("the request could not be built")
        }
        try {
            return exchange(connection, request, deadline)
        } catch (failure: IOException) {
            throw describe(failure)
        } finally {
            connection.disconnect()
        }
    }

    private fun connect(request: HttpRequest): HttpURLConnection {
        val url = URL(request.url)
        val opened = if (isLoopback(url.host)) url.openConnection(Proxy.NO_PROXY) else url.openConnection()
        val connection = opened as? HttpURLConnection ?: throw ProtocolException()
        if (request.pins.isNotEmpty()) {
            // Without TLS there is no certificate: the core sends no pins then.
            val secure = connection as? HttpsURLConnection ?: throw ProtocolException()
            secure.sslSocketFactory = PinnedTrust.sockets(request.pins.toSet())
        }
        connection.instanceFollowRedirects = false
        connection.useCaches = false
        connection.connectTimeout = minOf(request.timeoutMs.toLong(), CONNECT_TIMEOUT_MS).toInt()
        connection.readTimeout = request.timeoutMs.toInt()
        connection.requestMethod = request.method
        for (header in request.headers) connection.setRequestProperty(header.name, header.value)
        return connection
    }

    private fun exchange(connection: HttpURLConnection, request: HttpRequest, deadline: Long): HttpResponse {
        if (writes(request)) {
            val body = request.body ?: ByteArray(0)
            connection.doOutput = true
            // A body that is not kept cannot be sent again when the connection ends without an answer.
            connection.setFixedLengthStreamingMode(body.size)
            connection.outputStream.use { it.write(body) }
        }
        val status = connection.responseCode
        if (status !in 100..999) throw ProtocolException()
        val headers = connection.headerFields.flatMap { (name, values) ->
            if (name == null) emptyList() else values.map { HttpHeader(name, it) }
        }
        val body = connection.errorStream ?: if (status < 400) connection.inputStream else null
        val bytes = body?.use { readAll(it, request.maxReplyBytes, deadline) } ?: ByteArray(0)
        // The platform's streams may end early without a word.
        if (bytes.size < connection.contentLengthLong) throw HttpTransportException.Broken()
        return HttpResponse(status.toUShort(), headers, bytes)
    }

    private fun readAll(stream: InputStream, limit: ULong, deadline: Long): ByteArray {
        val all = ByteArrayOutputStream()
        val chunk = ByteArray(CHUNK)
        while (true) {
            val read = stream.read(chunk)
            if (read < 0) return all.toByteArray()
            if ((all.size() + read).toULong() > limit) throw HttpTransportException.TooLarge()
            if (System.nanoTime() - deadline > 0) throw HttpTransportException.TimedOut()
            all.write(chunk, 0, read)
        }
    }

    internal companion object {
        const val CONNECT_TIMEOUT_MS = 10_000L
        private const val CHUNK = 16 * 1024
        private val LOOPBACK_V4 = Regex("""127(\.\d{1,3}){3}""")

        /**
         * What sends a write on the JDK, whose connections know no PATCH and send a POST, PUT or DELETE once more when they
         * break; Android's do neither for a body that is streamed, and there it is not found.
         */
        private val writing: HttpTransport? by lazy {
            try {
                Class.forName("org.ticketwallet.JdkHttpTransport").getDeclaredConstructor().newInstance() as HttpTransport
            } catch (none: ReflectiveOperationException) {
                null
            }
        }

        /**
         * What went wrong, without the address: an address can hold ids. Of what TLS finds wrong, only a handshake that
         * failed and a peer that is not who it should be come before the first byte of a request.
         */
        fun describe(failure: IOException): HttpTransportException {
            val causes = generateSequence<Throwable>(failure) { it.cause }
            return when {
                causes.any { it is PinMismatchException } -> HttpTransportException.PinMismatch()
                failure is SocketTimeoutException -> HttpTransportException.TimedOut()
                failure is UnknownHostException || failure is ConnectException || failure is NoRouteToHostException ||
                    causes.any { it is SSLHandshakeException || it is SSLPeerUnverifiedException } ->
                    HttpTransportException.Unreachable()
                else -> HttpTransportException.Broken()
            }
        }

        private fun writes(request: HttpRequest): Boolean = request.method != "GET"

        fun isLoopback(host: String): Boolean =
            host.equals("localhost", ignoreCase = true) || host == "[::1]" || LOOPBACK_V4.matches(host)
    }
}
