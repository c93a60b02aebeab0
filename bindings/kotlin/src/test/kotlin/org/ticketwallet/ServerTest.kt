package org.ticketwallet

import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
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
import org.ticketwallet.core.ManifestSection
import org.ticketwallet.core.ManifestTicket
import org.ticketwallet.core.Profile
import org.ticketwallet.core.Purpose
import org.ticketwallet.core.ScannerRequest
import org.ticketwallet.core.SoftwareVault
import org.ticketwallet.core.Statement
import org.ticketwallet.core.TicketState
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

    private fun manifest(sequence: UInt, state: TicketState) = ManifestRequest(
        provider = "bam:api.example.org/org1",
        eventId = "event",
        sequence = sequence,
        asOf = 5u,
        closesAt = null,
        policy = EntryPolicy.SINGLE,
        entries = 1u,
        nonceRequired = false,
        issuers = listOf(ManifestKey(issuer(1).use { it.publicKey() }, 0u, null)),
        sections = listOf(ManifestSection(112u, "Haupttribüne")),
        days = emptyList(),
        nonceEpochs = emptyList(),
        tickets = listOf(ManifestTicket("ticket", state, Profile.PLAIN, 0u, 112u, null, "secret code", null)),
        eventKey = null,
        revoked = emptyList(),
    )

    @Test
    fun a_server_signs_what_gates_work_by() = ManifestIssuer(ByteArray(32) { 2 }).use { issuer ->
        assertEquals(32, issuer.publicKey().size)
        val first = issuer.manifest(manifest(1u, TicketState.VALID))
        val second = issuer.manifest(manifest(2u, TicketState.BLOCKED))
        assertEquals("TWM1", String(first.copyOf(4)))
        assertEquals("TWD1", String(issuer.delta(first, second)!!.copyOf(4)))
        fun refusedFor(call: () -> Unit) = assertThrows(WalletException.InvalidInput::class.java) { call() }.field
        assertEquals("to", refusedFor { issuer.delta(second, first) })
        assertEquals("sequence", refusedFor { issuer.manifest(manifest(0u, TicketState.VALID)) })
        assertEquals("ManifestRequest(..)", manifest(1u, TicketState.VALID).toString())
        val key = vault().use { it.createKey("scanner") }
        val request = ScannerRequest("bam:api.example.org/org1", "event", ByteArray(8), key, 0u, null, "Nordtor", listOf(112u))
        assertEquals("TWS1", String(issuer.certificate(request).copyOf(4)))
        assertEquals("name", refusedFor { issuer.certificate(request.copy(name = "")) })
    }
}
