package org.ticketwallet

import com.sun.net.httpserver.HttpsConfigurator
import com.sun.net.httpserver.HttpsServer
import java.io.File
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.Socket
import java.nio.file.Path
import java.security.KeyStore
import java.security.MessageDigest
import java.security.Principal
import java.security.PrivateKey
import java.security.cert.X509Certificate
import java.util.Base64
import java.util.concurrent.atomic.AtomicInteger
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLEngine
import javax.net.ssl.X509ExtendedKeyManager
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir
import org.ticketwallet.core.HttpRequest
import org.ticketwallet.core.HttpResponse
import org.ticketwallet.core.HttpTransportException

/** A server whose certificate an authority signed that this process trusts, and which sends a stranger's along. */
@Timeout(120)
@Suppress("ktlint:standard:function-naming", "FunctionName")
class PinsTest {
    @TempDir
    lateinit var temporary: Path
    private lateinit var server: HttpsServer
    private lateinit var own: X509Certificate
    private lateinit var authority: X509Certificate
    private lateinit var stranger: X509Certificate
    private val answered = AtomicInteger()

    @BeforeEach
    fun start() {
        for (name in listOf("authority", "stranger")) makeKey(name, "-ext", "bc:c")
        makeKey("server")
        val request = keytool("server", "-certreq", "-alias", "server")
        val names = "san=dns:localhost,ip:127.0.0.1"
        keytool("authority", "-gencert", "-alias", "authority", "-ext", names, "-outfile", path("signed"), input = request)
        keytool("authority", "-exportcert", "-alias", "authority", "-file", path("authority.cer"))
        for (keystore in listOf("trust", "server")) {
            keytool(keystore, "-importcert", "-noprompt", "-alias", "authority", "-file", path("authority.cer"))
        }
        keytool("server", "-importcert", "-noprompt", "-alias", "server", "-file", path("signed"))
        authority = certificate("authority")
        stranger = certificate("stranger")
        own = certificate("server")
        server = HttpsServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0).apply {
            httpsConfigurator = HttpsConfigurator(tls(listOf(own, authority, stranger)))
            createContext("/") {
                answered.incrementAndGet()
                it.sendResponseHeaders(204, -1)
                it.close()
            }
            start()
        }
    }

    @AfterEach
    fun stop() = server.stop(0)

    private fun path(name: String) = temporary.resolve(name).toString()

    private fun makeKey(name: String, vararg more: String) {
        val kind = arrayOf("-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2", "-dname", "CN=$name")
        keytool(name, "-genkeypair", "-alias", name, *kind, *more)
    }

    /** Runs the JDK's own tool on a key store of this name; gives what it printed. */
    private fun keytool(keystore: String, vararg arguments: String, input: String = ""): String {
        val tool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString()
        val store = arrayOf("-keystore", path("$keystore.p12"), "-storetype", "PKCS12", "-storepass", PASSWORD)
        val process = ProcessBuilder(tool, arguments[0], *store, *arguments.drop(1).toTypedArray()).start()
        process.outputStream.use { it.write(input.toByteArray()) }
        val output = process.inputStream.readAllBytes().decodeToString()
        check(process.waitFor() == 0) { output }
        return output
    }

    private fun keys(name: String): KeyStore =
        KeyStore.getInstance(File(path("$name.p12")), PASSWORD.toCharArray())

    private fun certificate(name: String) = keys(name).getCertificate(name) as X509Certificate

    private fun tls(chain: List<X509Certificate>): SSLContext {
        val key = keys("server").getKey("server", PASSWORD.toCharArray()) as PrivateKey
        return SSLContext.getInstance("TLS").apply { init(arrayOf(Sends(chain, key)), null, null) }
    }

    private fun pin(of: X509Certificate): String =
        Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(of.publicKey.encoded))

    private fun send(vararg pins: String, scheme: String = "https", trusted: Boolean = true): HttpResponse {
        val trust = mapOf("javax.net.ssl.trustStore" to path("trust.p12"), "javax.net.ssl.trustStorePassword" to PASSWORD)
        if (trusted) trust.forEach(System::setProperty)
        try {
            val url = "$scheme://localhost:${server.address.port}/"
            return JvmHttpTransport().send(HttpRequest("GET", url, emptyList(), null, 30_000u, 1024u, pins.toList()))
        } finally {
            trust.keys.forEach(System::clearProperty)
        }
    }

    @Test
    fun a_pinned_key_is_asked_for_beside_the_platforms_trust() {
        assertEquals(true, JvmHttpTransport().checksPins())
        assertEquals(204.toUShort(), send(pin(own), OTHER).status)
        assertEquals(204.toUShort(), send(OTHER, pin(authority)).status)
        assertEquals(2, answered.get())
        assertThrows(HttpTransportException.PinMismatch::class.java) { send(OTHER, OTHER.reversed()) }
        assertThrows(HttpTransportException.PinMismatch::class.java, { send(pin(stranger), OTHER) }, "anybody can send it")
        assertThrows(HttpTransportException.Unreachable::class.java) { send(pin(own), OTHER, trusted = false) }
        assertThrows(HttpTransportException.Failed::class.java) { send(pin(own), OTHER, scheme = "http") }
        assertEquals(2, answered.get(), "no other request was sent")
    }

    /** Sends these certificates, whether they belong together or not. */
    private class Sends(private val chain: List<X509Certificate>, private val key: PrivateKey) : X509ExtendedKeyManager() {
        override fun chooseEngineServerAlias(type: String?, issuers: Array<Principal>?, engine: SSLEngine?) =
            "server".takeIf { type == "EC" }

        override fun chooseServerAlias(type: String?, issuers: Array<Principal>?, socket: Socket?) =
            "server".takeIf { type == "EC" }

        override fun getCertificateChain(alias: String?) = chain.toTypedArray()
        override fun getPrivateKey(alias: String?) = key
        override fun getServerAliases(type: String?, issuers: Array<Principal>?) = arrayOf("server")
        override fun getClientAliases(type: String?, issuers: Array<Principal>?): Array<String>? = null
        override fun chooseClientAlias(types: Array<String>?, issuers: Array<Principal>?, socket: Socket?): String? = null
    }

    private companion object {
        const val PASSWORD = "not secret"
        val OTHER = "B".repeat(43) + "="
    }
}
