package org.ticketwallet

import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir
import org.ticketwallet.core.CredentialRequest
import org.ticketwallet.core.EntryPolicy
import org.ticketwallet.core.Issuer
import org.ticketwallet.core.KeyVaultException
import org.ticketwallet.core.ManifestIssuer
import org.ticketwallet.core.ManifestKey
import org.ticketwallet.core.ManifestRequest
import org.ticketwallet.core.Profile
import org.ticketwallet.core.Purpose
import org.ticketwallet.core.ScannerRequest
import org.ticketwallet.core.SoftwareVault
import org.ticketwallet.core.Statement
import org.ticketwallet.core.WalletException

/** What is used without a wallet: a server's issuer, and the vault in a file. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
class ServerTest {
    @TempDir
    lateinit var temporary: Path

    private fun vault() = SoftwareVault("$temporary/vault.json")

    private fun issuer(seed: Byte) = Issuer(ByteArray(32) { seed })

    @Test
    fun a_software_vault_makes_shows_and_deletes_keys() = vault().use { vault ->
        val key = vault.createKey("ticket")
        assertEquals(65, key.size)
        assertArrayEquals(key, vault.publicKey("ticket"))
        vault.deleteKey("ticket")
        assertThrows(KeyVaultException.Missing::class.java) { vault.publicKey("ticket") }
        Unit
    }

    @Test
    fun a_statement_that_does_not_hold_names_the_field() = vault().use { vault ->
        val request = CredentialRequest(
            "bam:api.example.org/org1", "event", "ticket", 1u, 1u, 0u, 10u, 30u, false, vault.createKey("ticket"),
        )
        val signature = vault.sign("ticket", Purpose.RENEW, "another message".toByteArray())
        issuer(1).use { issuer ->
            val statement = Statement(Purpose.RENEW, issuer.credential(request), 5u, "once", signature)
            fun refusedFor(statement: Statement, now: Long = 5) = assertThrows(WalletException.InvalidInput::class.java) {
                issuer.checkStatement(statement, now)
            }.field
            assertEquals("signature", refusedFor(statement))
            assertEquals("purpose", refusedFor(statement.copy(purpose = Purpose.PRESENT)))
            assertEquals("at", refusedFor(statement, now = 306))
            val foreign = issuer(2).use { it.credential(request) }
            assertEquals("credential", refusedFor(statement.copy(credential = foreign)))
        }
    }

    @Test
    fun a_manifest_issuer_signs_manifests_deltas_and_certificates() = vault().use { vault ->
        val (provider, event) = "bam:api.example.org/org1" to "4711"
        val issuers = listOf(ManifestKey(issuer(1).use { it.publicKey() }, 0u, null))
        val request = ManifestRequest(
            provider, event, 1u, 100u, null, EntryPolicy.SINGLE, 1u, false, Profile.SIGNED, issuers, emptyList(),
            emptyList(), emptyList(), emptyList(), null, emptyList(),
        )
        ManifestIssuer(ByteArray(32) { 9 }).use { keys ->
            assertEquals(32, keys.publicKey().size)
            val first = keys.manifest(request)
            val second = keys.manifest(request.copy(sequence = 2u))
            assertFalse(first.contentEquals(second))
            assertNotNull(keys.delta(first, second))
            val scanner = ScannerRequest(
                provider, event, ByteArray(8) { 1 }, vault.createKey("scanner"), 0u, null, "North door", emptyList(),
            )
            assertTrue(keys.certificate(scanner).isNotEmpty())
            assertThrows(WalletException.InvalidInput::class.java) { keys.certificate(scanner.copy(name = "")) }
        }
        Unit
    }
}
