package org.ticketwallet

import java.io.ByteArrayOutputStream
import java.io.IOException
import java.net.ProxySelector
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpConnectTimeoutException
import java.net.http.HttpRequest.BodyPublisher
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodySubscriber
import java.net.http.HttpTimeoutException
import java.nio.ByteBuffer
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ExecutionException
import java.util.concurrent.Flow
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import java.util.concurrent.atomic.AtomicBoolean
import org.ticketwallet.core.HttpHeader
import org.ticketwallet.core.HttpRequest
import org.ticketwallet.core.HttpResponse
import org.ticketwallet.core.HttpTransport
import org.ticketwallet.core.HttpTransportException

/**
 * Carries writes over the JDK's newer client, which sends nothing but a GET once more by itself. [JvmHttpTransport] finds it
 * by its name: Android has neither this client nor the need.
 */
internal class JdkHttpTransport : HttpTransport {
    /** One for each way to a server: without a proxy or with the platform's, and by pins. */
    private val clients = ConcurrentHashMap<Pair<Boolean, Set<String>>, HttpClient>()

    override fun checksPins(): Boolean = true

    override fun send(request: HttpRequest): HttpResponse {
        val limit = request.maxReplyBytes
        val answer = try {
            val uri = URI(request.url)
            val client = clients.computeIfAbsent(JvmHttpTransport.isLoopback(uri.host) to request.pins.toSet(), ::client)
            client.sendAsync(build(uri, request)) { Bounded(limit) }
        } catch (failure: Exception) {
            throw HttpTransportException.Failed("the request could not be built")
        }
        try {
            val reply = answer.get(request.timeoutMs.toLong(), TimeUnit.MILLISECONDS)
            val headers = reply.headers().map().flatMap { (name, values) -> values.map { HttpHeader(name, it) } }
            return HttpResponse(reply.statusCode().toUShort(), headers, reply.body())
        } catch (late: TimeoutException) {
            answer.cancel(true)
            throw HttpTransportException.TimedOut()
        } catch (failure: ExecutionException) {
            throw describe(failure.cause)
        }
    }

    private fun client(way: Pair<Boolean, Set<String>>): HttpClient {
        val (direct, pins) = way
        val builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(Duration.ofMillis(JvmHttpTransport.CONNECT_TIMEOUT_MS))
        val proxy = if (direct) HttpClient.Builder.NO_PROXY else ProxySelector.getDefault()
        if (proxy != null) builder.proxy(proxy)
        if (pins.isNotEmpty()) builder.sslContext(PinnedTrust.context(pins))
        return builder.build()
    }

    private fun build(uri: URI, request: HttpRequest): java.net.http.HttpRequest {
        require(request.pins.isEmpty() || uri.scheme.equals("https", ignoreCase = true))
        val body = request.body?.takeIf { it.isNotEmpty() }?.let(::Once) ?: BodyPublishers.noBody()
        val builder = java.net.http.HttpRequest.newBuilder(uri).method(request.method, body)
        for (header in request.headers) builder.header(header.name, header.value)
        return builder.build()
    }

    private fun describe(failure: Throwable?): HttpTransportException {
        val causes = generateSequence(failure) { it.cause }
        return causes.filterIsInstance<HttpTransportException>().firstOrNull() ?: when (failure) {
            is HttpConnectTimeoutException -> HttpTransportException.Unreachable()
            is HttpTimeoutException -> HttpTransportException.TimedOut()
            is IOException -> JvmHttpTransport.describe(failure)
            else -> HttpTransportException.Broken()
        }
    }

    /** A body that is given out once, whatever `jdk.httpclient.enableAllMethodRetry` says in the app's process. */
    internal class Once(private val body: ByteArray) : BodyPublisher {
        private val given = AtomicBoolean()

        override fun contentLength(): Long = body.size.toLong()

        override fun subscribe(subscriber: Flow.Subscriber<in ByteBuffer>) {
            if (!given.getAndSet(true)) return BodyPublishers.ofByteArray(body).subscribe(subscriber)
            subscriber.onSubscribe(Ended)
            subscriber.onError(IOException("it was sent already"))
        }
    }

    private object Ended : Flow.Subscription {
        override fun request(count: Long) = Unit

        override fun cancel() = Unit
    }

    /** Takes a body as far as it may be long. */
    private class Bounded(private val limit: ULong) : BodySubscriber<ByteArray> {
        private val whole = CompletableFuture<ByteArray>()
        private val all = ByteArrayOutputStream()
        private var subscription: Flow.Subscription? = null

        override fun getBody(): CompletableFuture<ByteArray> = whole

        override fun onSubscribe(subscription: Flow.Subscription) {
            this.subscription = subscription
            subscription.request(Long.MAX_VALUE)
        }

        override fun onNext(parts: List<ByteBuffer>) {
            if (whole.isDone) return
            val length = parts.sumOf { it.remaining() }
            if ((all.size() + length).toULong() > limit) {
                subscription?.cancel()
                whole.completeExceptionally(HttpTransportException.TooLarge())
                return
            }
            for (part in parts) all.write(ByteArray(part.remaining()).also(part::get))
        }

        override fun onError(failure: Throwable) {
            whole.completeExceptionally(failure)
        }

        override fun onComplete() {
            whole.complete(all.toByteArray())
        }
    }
}
