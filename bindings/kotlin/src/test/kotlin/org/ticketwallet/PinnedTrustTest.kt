package org.ticketwallet

import com.sun.net.httpserver.HttpsConfigurator
import com.sun.net.httpserver.HttpsServer
import java.io.File
import java.net.InetAddress
import java.net.InetSocketAddress
import java.security.KeyStore
import java.security.MessageDigest
import java.util.Base64
import java.util.concurrent.atomic.AtomicInteger
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir
import org.ticketwallet.core.HttpRequest
import org.ticketwallet.core.HttpTransportException

/** With pins, a server needs the platform's trust and a pinned key, its own or one above it. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Suppress("ktlint:standard:function-naming", "FunctionName")
class PinnedTrustTest {
    private lateinit var folder: File
    private val asked = AtomicInteger()
    private val other = Base64.getEncoder().encodeToString(ByteArray(32) { 7 })

    @BeforeAll
    fun make_certificates(@TempDir folder: File) {
        this.folder = folder
        val authority = arrayOf("-ext", "bc:c")
        keytool("-genkeypair", "-alias", "root", "-dname", "CN=Root", *authority)
        for (name in listOf("above", "beside")) {
            keytool("-genkeypair", "-alias", name, "-dname", "CN=$name", "-signer", "root", *authority)
        }
        keytool("-genkeypair", "-alias", "server", "-dname", "CN=server", "-signer", "above", "-ext", "san=ip:127.0.0.1")
        System.setProperty("javax.net.ssl.trustStorePassword", PASSWORD)
        trust("root")
    }

    /** Has the platform trust this authority and no other. */
    private fun trust(authority: String) {
        val trusted = KeyStore.getInstance("PKCS12").apply { load(null, null) }
        trusted.setCertificateEntry(authority, keys().getCertificate(authority))
        val file = File(folder, "trusts-$authority.p12")
        file.outputStream().use { trusted.store(it, PASSWORD.toCharArray()) }
        System.setProperty("javax.net.ssl.trustStore", file.path)
    }

    @AfterAll
    fun trust_as_before() {
        System.clearProperty("javax.net.ssl.trustStore")
        System.clearProperty("javax.net.ssl.trustStorePassword")
    }

    private fun keytool(vararg arguments: String) {
        val tool = File(System.getProperty("java.home"), "bin/keytool").path
        val store = listOf("-keystore", File(folder, "keys.p12").path, "-storepass", PASSWORD, "-keyalg", "EC")
        val process = ProcessBuilder(listOf(tool) + arguments + store).redirectErrorStream(true).start()
        val said = process.inputStream.readBytes().decodeToString()
        assertEquals(0, process.waitFor(), said)
    }

    private fun keys() = KeyStore.getInstance("PKCS12").apply {
        File(folder, "keys.p12").inputStream().use { load(it, PASSWORD.toCharArray()) }
    }

    private fun pin(alias: String): String {
        val key = keys().getCertificate(alias).publicKey.encoded
        return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(key))
    }

    /** Serves with the server's certificate, the one above it, and these. */
    private fun serving(vararg more: String, use: (String) -> Unit) {
        val all = keys()
        val chain = listOf("server", "above", *more).map { all.getCertificate(it) }
        // This kind of key store takes a chain that is none.
        val shown = KeyStore.getInstance("JKS").apply { load(null, null) }
        val key = all.getKey("server", PASSWORD.toCharArray())
        shown.setKeyEntry("server", key, PASSWORD.toCharArray(), chain.toTypedArray())
        val managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm())
        managers.init(shown, PASSWORD.toCharArray())
        val context = SSLContext.getInstance("TLS").apply { init(managers.keyManagers, null, null) }
        val server = HttpsServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
        server.httpsConfigurator = HttpsConfigurator(context)
        server.createContext("/") {
            asked.incrementAndGet()
            it.sendResponseHeaders(204, -1)
            it.close()
        }
        server.start()
        try {
            use("https://127.0.0.1:${server.address.port}/")
        } finally {
            server.stop(0)
        }
    }

    private fun get(url: String, vararg pins: String) = send("GET", url, null, pins.toList())

    /** Over another client on the JDK. */
    private fun post(url: String, vararg pins: String) = send("POST", url, "body".toByteArray(), pins.toList())

    private fun send(method: String, url: String, body: ByteArray?, pins: List<String>) =
        JvmHttpTransport().send(HttpRequest(method, url, listOf(), body, 30_000u, 1024u, pins)).status

    @Test
    fun a_key_of_the_chain_is_enough_and_no_other_is() {
        assertTrue(JvmHttpTransport().checksPins())
        serving { url ->
            assertEquals(204.toUShort(), get(url, pin("server"), other))
            assertEquals(204.toUShort(), get(url, other, pin("above")))
            assertEquals(204.toUShort(), post(url, other, pin("above")))
            val before = asked.get()
            for (pins in listOf(listOf(other), listOf(pin("beside"), other), listOf(pin("root"), other))) {
                assertThrows(HttpTransportException.PinMismatch::class.java) { get(url, *pins.toTypedArray()) }
                assertThrows(HttpTransportException.PinMismatch::class.java) { post(url, *pins.toTypedArray()) }
            }
            assertEquals(before, asked.get(), "nothing was sent")
            // The connection of who has a right pin serves no other.
            assertEquals(204.toUShort(), get(url, pin("server"), other))
            assertThrows(HttpTransportException.PinMismatch::class.java) { get(url, other) }
        }
    }

    @Test
    fun a_certificate_that_stands_elsewhere_does_not_count() {
        serving("beside") { url ->
            assertThrows(HttpTransportException.PinMismatch::class.java) { get(url, pin("beside"), other) }
            assertEquals(204.toUShort(), get(url, pin("above"), other))
        }
    }

    @Test
    fun a_pin_is_no_trust() {
        serving { url ->
            trust("beside")
            val before = asked.get()
            try {
                assertThrows(HttpTransportException.Unreachable::class.java) { post(url) }
                assertThrows(HttpTransportException.Unreachable::class.java) { get(url, pin("server"), other, pin("root")) }
                assertEquals(before, asked.get(), "nothing was sent")
            } finally {
                trust("root")
            }
        }
    }

    @Test
    fun without_tls_there_is_nothing_to_compare() {
        assertThrows(HttpTransportException.Failed::class.java) { get("http://127.0.0.1:1/", pin("server"), other) }
    }

    private companion object {
        const val PASSWORD = "not a secret"
    }
}
