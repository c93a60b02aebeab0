package org.ticketwallet

import java.net.Socket
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.MessageDigest
import java.security.cert.CertificateException
import java.security.cert.X509Certificate
import java.util.Base64
import java.util.concurrent.ConcurrentHashMap
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLSocketFactory
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509ExtendedTrustManager

/** The certificate is trusted by the platform, and has none of the pinned keys. */
internal class PinMismatchException : CertificateException("the certificate has none of the pinned keys")

/**
 * The platform's trust, and then one of these keys: in the server's certificate, or in an authority's above it that the
 * server sends and that signed what stands below.
 */
internal class PinnedTrust private constructor(
    private val platform: X509ExtendedTrustManager,
    private val pins: Set<String>,
) : X509ExtendedTrustManager() {
    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket?) {
        platform.checkServerTrusted(chain, authType, socket)
        requirePinned(chain)
    }

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine?) {
        platform.checkServerTrusted(chain, authType, engine)
        requirePinned(chain)
    }

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String) {
        platform.checkServerTrusted(chain, authType)
        requirePinned(chain)
    }

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket?) =
        platform.checkClientTrusted(chain, authType, socket)

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine?) =
        platform.checkClientTrusted(chain, authType, engine)

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String) =
        platform.checkClientTrusted(chain, authType)

    override fun getAcceptedIssuers(): Array<X509Certificate> = platform.acceptedIssuers

    private fun requirePinned(chain: Array<X509Certificate>) {
        var below = chain.firstOrNull() ?: throw PinMismatchException()
        if (isPinned(below)) return
        for (above in chain.drop(1)) {
            if (!signed(above, below)) break
            if (isPinned(above)) return
            below = above
        }
        throw PinMismatchException()
    }

    private fun isPinned(certificate: X509Certificate): Boolean {
        val hash = MessageDigest.getInstance("SHA-256").digest(certificate.publicKey.encoded)
        return Base64.getEncoder().encodeToString(hash) in pins
    }

    /** A server may send certificates that have nothing to do with its own. */
    private fun signed(above: X509Certificate, below: X509Certificate): Boolean {
        val isAuthority = above.basicConstraints >= 0 && above.keyUsage?.get(KEY_CERT_SIGN) != false
        if (!isAuthority || above.subjectX500Principal != below.issuerX500Principal) return false
        return try {
            above.checkValidity()
            below.verify(above.publicKey)
            true
        } catch (unsigned: GeneralSecurityException) {
            false
        }
    }

    companion object {
        private const val KEY_CERT_SIGN = 5

        /** Kept by pins, so that connections and sessions are shared by requests with the same pins only. */
        private val factories = ConcurrentHashMap<Set<String>, SSLSocketFactory>()

        /** Sockets for servers with one of these keys. */
        fun sockets(pins: Set<String>): SSLSocketFactory = factories.computeIfAbsent(pins) {
            val managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
            managers.init(null as KeyStore?)
            val platform = managers.trustManagers.firstNotNullOf { it as? X509ExtendedTrustManager }
            val context = SSLContext.getInstance("TLS")
            context.init(null, arrayOf(PinnedTrust(platform, pins)), null)
            context.socketFactory
        }
    }
}
