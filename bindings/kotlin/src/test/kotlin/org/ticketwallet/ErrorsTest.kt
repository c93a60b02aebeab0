package org.ticketwallet

import java.nio.file.Files
import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir
import org.ticketwallet.core.Config
import org.ticketwallet.core.Gate
import org.ticketwallet.core.GateService
import org.ticketwallet.core.GateSignIn
import org.ticketwallet.core.KeyVaultException
import org.ticketwallet.core.ManifestRefusal
import org.ticketwallet.core.NoBarcodeReason
import org.ticketwallet.core.NotOfferedReason
import org.ticketwallet.core.RecoveryReason
import org.ticketwallet.core.SignIn
import org.ticketwallet.core.SystemConfig
import org.ticketwallet.core.TicketSystem
import org.ticketwallet.core.WalletException

/** Every way in which a call can fail arrives as what it is. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
class ErrorsTest {
    @TempDir
    lateinit var temporary: Path

    private fun thrown(work: suspend () -> Unit): WalletException =
        assertThrows(WalletException::class.java) { runBlocking { work() } }

    /** No `else`: a variant that is added does not compile here before it is matched. */
    private fun match(error: WalletException): String = when (error) {
        is WalletException.InvalidInput -> "invalid_input ${error.field}"
        is WalletException.KeyUnavailable -> "key_unavailable"
        is WalletException.NeedsRecovery -> "needs_recovery ${error.why}"
        is WalletException.NeedsSignIn -> "needs_sign_in"
        is WalletException.Unreachable -> "unreachable ${error.retryAfterMs}"
        is WalletException.Refused -> "refused ${error.status}"
        is WalletException.UpgradeNeeded -> "upgrade_needed"
        is WalletException.ServerFault -> "server_fault ${error.report.member("endpoint")}"
        is WalletException.PermissionDenied -> "permission_denied ${error.permission}"
        is WalletException.NoBarcode -> "no_barcode ${error.why}"
        is WalletException.NotOffered -> "not_offered ${error.why}"
        is WalletException.ManifestRefused -> "manifest_refused ${error.why}"
        is WalletException.NotFound -> "not_found"
        is WalletException.Cancelled -> "cancelled"
        is WalletException.Paused -> "paused"
        is WalletException.InUse -> "in_use"
        is WalletException.OutboxFull -> "outbox_full"
        is WalletException.Storage -> "storage"
        is WalletException.Internal -> "internal"
    }

    private fun provoke(sandbox: Sandbox, vault: TestVault, clock: BreakableClock): List<WalletException> {
        val errors = mutableListOf<WalletException>()
        val folder = temporary.resolve("wallet").toString()
        TicketWallet.open(Config(folder, sendByItself = false), vault, clock = clock).use { wallet ->
            errors += thrown { wallet.ticket("not hex") }
            errors += thrown { wallet.ticket("00".repeat(12)) }
            errors += thrown { wallet.signIn(sandbox.url, sandbox.user, "wrong") }
            runBlocking { wallet.signIn(sandbox.url, sandbox.user, sandbox.password) }
            runBlocking { wallet.sync() }
            val elsewhere = wallet.tickets().first {
                wallet.ticket(it.id).noBarcode == NoBarcodeReason.DELIVERED_ELSEWHERE
            }
            errors += thrown { wallet.present(elsewhere.id) }
            errors += thrown { wallet.transfer(elsewhere.id, "ada@example.org") }
            errors += wallet.core.startSync(null).use { run ->
                run.cancel()
                thrown { run.run() }
            }
            errors += thrown { TicketWallet.open(folder, vault).close() }
            errors += thrown { repeat(600) { wallet.saveTicketHolder(elsewhere.id, "{}") } }
            wallet.outbox().forEach { wallet.discard(it.id) }
            runBlocking { wallet.pause() }
            errors += thrown { wallet.tickets() }
            wallet.resume()
            sandbox.disturb("", "\"unauthorized\"")
            errors += thrown { wallet.sync() }
            sandbox.calm()
            runBlocking { wallet.signIn(sandbox.url, sandbox.user, sandbox.password) }
            errors += ofOtherSystems(sandbox, vault, wallet)
            sandbox.disturb("/v1/ticket", """{"unavailable":{"retry_after":"7"}}""")
            errors += thrown { wallet.sync() }
            sandbox.calm()
            clock.broken = true
            errors += thrown { wallet.now() }
        }
        vault.before = { throw KeyVaultException.Locked() }
        errors += thrown { TicketWallet.open(folder, vault).close() }
        vault.before = { throw KeyVaultException.Missing() }
        errors += thrown { TicketWallet.open(folder, vault).close() }
        vault.before = {}
        val file = Files.writeString(temporary.resolve("file"), "in the way")
        errors += thrown { TicketWallet.open("$file/wallet", vault).close() }
        return errors
    }

    /** What TickeTing and TEXPO alone answer. */
    private fun ofOtherSystems(sandbox: Sandbox, vault: TestVault, wallet: TicketWallet): List<WalletException> {
        val festival = SystemConfig(sandbox.festival().url)
        val signIn = SignIn(TicketSystem.TICKETING, festival, sandbox.user, sandbox.password)
        sandbox.requireVersion("9.0.0")
        val upgrade = thrown { wallet.signIn(signIn) }
        sandbox.requireVersion("3.0.0")
        sandbox.disturb("/ticketing/", "\"server_error\"")
        val fault = thrown { wallet.signIn(signIn) }
        sandbox.calm()
        val denied = TicketBoxOffice.open("$temporary/office", vault).use { office ->
            val texpo = SignIn(TicketSystem.TEXPO, sandbox.expo().config, sandbox.user, sandbox.password)
            thrown { office.catalogue(office.signIn(texpo).id) }
        }
        return listOf(upgrade, fault, denied, refusedManifest(sandbox, vault, wallet))
    }

    /** What a gate says of a manifest that somebody else has signed. */
    private fun refusedManifest(sandbox: Sandbox, vault: TestVault, wallet: TicketWallet): WalletException {
        val event = wallet.tickets().firstNotNullOf { wallet.ticket(it.id).event }
        val code = sandbox.admissionCode(event.remoteId)
        val signIn = GateSignIn(GateService.EXTENSION, SystemConfig(sandbox.gates(code)), code.code, "North door")
        sandbox.badManifest("other_key")
        val refused = Gate.open(Config("$temporary/gate"), vault, null, null).use { thrown { it.signIn(signIn) } }
        sandbox.goodManifest()
        return refused
    }

    @Test
    fun every_error_variant_matched() {
        val errors = Sandbox().use { sandbox ->
            TestVault(temporary.toString()).use { provoke(sandbox, it, BreakableClock()) }
        }
        val expected = listOf(
            "invalid_input ticket_id", "not_found", "refused 401",
            "no_barcode ${NoBarcodeReason.DELIVERED_ELSEWHERE}", "not_offered ${NotOfferedReason.PDF_TICKET}",
            "cancelled", "in_use", "outbox_full", "paused",
            "needs_sign_in", "upgrade_needed", "server_fault sessions", "permission_denied network.manage",
            "manifest_refused ${ManifestRefusal.BAD_SIGNATURE}",
            "unreachable 7000",
            "internal", "key_unavailable", "needs_recovery ${RecoveryReason.KEY_MISSING}", "storage",
        )
        assertEquals(expected, errors.map(::match))
        assertEquals(expected.map { it.substringBefore(' ') }, errors.map { it.code })
    }
}
