package org.ticketwallet

import java.net.Socket
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.MessageDigest
import java.security.cert.CertPathBuilder
import java.security.cert.CertStore
import java.security.cert.CertificateException
import java.security.cert.CollectionCertStoreParameters
import java.security.cert.PKIXBuilderParameters
import java.security.cert.TrustAnchor
import java.security.cert.X509CertSelector
import java.security.cert.X509Certificate
import java.util.Base64
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLSocketFactory
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509ExtendedTrustManager

/** The certificate is trusted by the platform, and has none of the pinned keys. */
internal class PinMismatch : CertificateException("the certificate has none of the pinned keys")

/**
 * Sockets for servers of which a key is pinned, the SHA-256 of its SubjectPublicKeyInfo in base64. The platform's trust is
 * asked first and then the pins, in the handshake: a server without a pinned key is sent nothing.
 *
 * @throws GeneralSecurityException when the platform has no trust manager that can be asked.
 */
internal fun pinnedSockets(pins: Set<String>): SSLSocketFactory {
    val managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).run {
        init(null as KeyStore?)
        trustManagers.filterIsInstance<X509ExtendedTrustManager>()
    }
    val platform = managers.firstOrNull() ?: throw GeneralSecurityException("no trust manager")
    return SSLContext.getInstance("TLS").run {
        init(null, arrayOf(PinningTrustManager(platform, pins)), null)
        socketFactory
    }
}

/**
 * A pin matches the server's own certificate, or that of an authority which the server sends along and which its own
 * certificate leads to by signatures: what else a server sends along proves nothing.
 */
private class PinningTrustManager(
    private val platform: X509ExtendedTrustManager,
    private val pins: Set<String>,
) : X509ExtendedTrustManager() {
    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket?) {
        platform.checkServerTrusted(chain, authType, socket)
        checkPins(chain)
    }

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine?) {
        platform.checkServerTrusted(chain, authType, engine)
        checkPins(chain)
    }

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String) {
        platform.checkServerTrusted(chain, authType)
        checkPins(chain)
    }

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket?) =
        platform.checkClientTrusted(chain, authType, socket)

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine?) =
        platform.checkClientTrusted(chain, authType, engine)

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String) =
        platform.checkClientTrusted(chain, authType)

    override fun getAcceptedIssuers(): Array<X509Certificate> = platform.acceptedIssuers

    private fun checkPins(chain: Array<X509Certificate>) {
        val sent = chain.toList()
        val own = sent.firstOrNull() ?: throw PinMismatch()
        val pinned = hasKey(own) || sent.drop(1).any { hasKey(it) && leadsTo(own, it, sent) }
        if (!pinned) throw PinMismatch()
    }

    private fun hasKey(certificate: X509Certificate): Boolean {
        val hash = MessageDigest.getInstance("SHA-256").digest(certificate.publicKey.encoded)
        return Base64.getEncoder().encodeToString(hash) in pins
    }

    private fun leadsTo(own: X509Certificate, above: X509Certificate, sent: List<X509Certificate>): Boolean = try {
        val target = X509CertSelector().apply { certificate = own }
        val parameters = PKIXBuilderParameters(setOf(TrustAnchor(above, null)), target).apply {
            // The platform has looked after that, where it does.
            isRevocationEnabled = false
            addCertStore(CertStore.getInstance("Collection", CollectionCertStoreParameters(sent)))
        }
        CertPathBuilder.getInstance("PKIX").build(parameters)
        true
    } catch (noWay: GeneralSecurityException) {
        false
    }
}
