package org.ticketwallet.android

import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import android.security.keystore.UserNotAuthenticatedException
import java.math.BigInteger
import java.security.GeneralSecurityException
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.ProviderException
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import org.ticketwallet.core.KeyVault
import org.ticketwallet.core.KeyVaultException
import org.ticketwallet.core.Purpose

/**
 * Keys in the Android Keystore: an AES key that seals the store's key, and one P-256 key for each ticket. None of them
 * leaves it; StrongBox holds them where the device has one.
 *
 * Tickets' keys never ask for the person, so that redrawing a barcode does not prompt. With [storeKeyNeedsUser] the
 * store's key works only for [authenticationSeconds] after the person unlocked or authenticated; otherwise opening the
 * wallet throws [KeyVaultException.Locked]: let them authenticate, then open again.
 */
class AndroidKeyVault(
    private val prefix: String = "ticket-wallet",
    private val storeKeyNeedsUser: Boolean = false,
    private val authenticationSeconds: Int = 30,
) : KeyVault {
    private val keyStore: KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }
    private val lock = Any()

    override fun seal(plaintext: ByteArray, associatedData: ByteArray): ByteArray = guarded {
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.ENCRYPT_MODE, synchronized(lock) { storeKey() ?: makeStoreKey() })
        cipher.updateAAD(associatedData)
        cipher.iv + cipher.doFinal(plaintext)
    }

    override fun unseal(sealed: ByteArray, associatedData: ByteArray): ByteArray = guarded {
        val key = storeKey() ?: throw KeyVaultException.Missing()
        if (sealed.size < IV_BYTES + TAG_BITS / 8) throw KeyVaultException.Invalidated()
        val cipher = Cipher.getInstance(TRANSFORMATION)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, sealed, 0, IV_BYTES))
        cipher.updateAAD(associatedData)
        cipher.doFinal(sealed, IV_BYTES, sealed.size - IV_BYTES)
    }

    override fun createKey(handle: String): ByteArray = guarded {
        synchronized(lock) { ticketKey(handle) ?: makeTicketKey(handle) }
    }

    override fun publicKey(handle: String): ByteArray = guarded {
        ticketKey(handle) ?: throw KeyVaultException.Missing()
    }

    override fun sign(handle: String, purpose: Purpose, message: ByteArray): ByteArray = guarded {
        val key = keyStore.getKey(alias(handle), null) as? PrivateKey ?: throw KeyVaultException.Missing()
        Signature.getInstance(SIGNATURE).run {
            initSign(key)
            update(message)
            sign()
        }
    }

    override fun deleteKey(handle: String): Unit = guarded {
        keyStore.deleteEntry(alias(handle))
    }

    private fun alias(handle: String) = "$prefix.ticket.$handle"

    private fun storeKey() = keyStore.getKey("$prefix.store", null) as? SecretKey

    private fun makeStoreKey(): SecretKey = strongest { strongBox ->
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val spec = KeyGenParameterSpec.Builder("$prefix.store", purposes)
            .setKeySize(AES_BITS)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
        if (storeKeyNeedsUser) requireUser(spec)
        if (strongBox) inStrongBox(spec)
        KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER).run {
            init(spec.build())
            generateKey()
        }
    }

    private fun requireUser(spec: KeyGenParameterSpec.Builder) {
        spec.setUserAuthenticationRequired(true)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            val kinds = KeyProperties.AUTH_BIOMETRIC_STRONG or KeyProperties.AUTH_DEVICE_CREDENTIAL
            spec.setUserAuthenticationParameters(authenticationSeconds, kinds)
        } else {
            @Suppress("DEPRECATION")
            spec.setUserAuthenticationValidityDurationSeconds(authenticationSeconds)
        }
    }

    private fun ticketKey(handle: String): ByteArray? {
        val key = keyStore.getCertificate(alias(handle))?.publicKey as? ECPublicKey ?: return null
        return byteArrayOf(UNCOMPRESSED) + field(key.w.affineX) + field(key.w.affineY)
    }

    private fun makeTicketKey(handle: String): ByteArray {
        strongest { strongBox ->
            val spec = KeyGenParameterSpec.Builder(alias(handle), KeyProperties.PURPOSE_SIGN)
                .setAlgorithmParameterSpec(ECGenParameterSpec(CURVE))
                .setDigests(KeyProperties.DIGEST_SHA256)
            if (strongBox) inStrongBox(spec)
            KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, PROVIDER).run {
                initialize(spec.build())
                generateKeyPair()
            }
        }
        return ticketKey(handle) ?: throw KeyVaultException.Failed("the Keystore did not keep a new key")
    }

    private fun inStrongBox(spec: KeyGenParameterSpec.Builder) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) spec.setIsStrongBoxBacked(true)
    }

    /** Makes a key in StrongBox, or outside it where the device has none. */
    private fun <T> strongest(make: (strongBox: Boolean) -> T): T {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.P) return make(false)
        return try {
            make(true)
        } catch (none: StrongBoxUnavailableException) {
            make(false)
        }
    }

    /** 32 bytes, big-endian. */
    private fun field(value: BigInteger): ByteArray {
        val bytes = value.toByteArray()
        val digits = if (bytes.size > FIELD_BYTES) bytes.copyOfRange(bytes.size - FIELD_BYTES, bytes.size) else bytes
        return ByteArray(FIELD_BYTES - digits.size) + digits
    }

    /** Says in the core's words what the Keystore threw; its own texts hold aliases and stay here. */
    private fun <T> guarded(work: () -> T): T = try {
        work()
    } catch (ours: KeyVaultException) {
        throw ours
    } catch (lost: KeyPermanentlyInvalidatedException) {
        throw KeyVaultException.Invalidated()
    } catch (locked: UserNotAuthenticatedException) {
        throw KeyVaultException.Locked()
    } catch (other: AEADBadTagException) {
        throw KeyVaultException.Invalidated()
    } catch (failure: GeneralSecurityException) {
        throw KeyVaultException.Failed("the Keystore threw ${failure.javaClass.simpleName}")
    } catch (failure: ProviderException) {
        throw KeyVaultException.Failed("the Keystore threw ${failure.javaClass.simpleName}")
    }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val TRANSFORMATION = "AES/GCM/NoPadding"
        const val SIGNATURE = "SHA256withECDSA"
        const val CURVE = "secp256r1"
        const val AES_BITS = 256
        const val IV_BYTES = 12
        const val TAG_BITS = 128
        const val FIELD_BYTES = 32
        const val UNCOMPRESSED: Byte = 4
    }
}
