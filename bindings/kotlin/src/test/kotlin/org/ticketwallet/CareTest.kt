package org.ticketwallet

import java.io.File
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.ticketwallet.core.Config
import org.ticketwallet.core.NoBarcodeReason
import org.ticketwallet.core.RecoveryReason
import org.ticketwallet.core.RejectionReason
import org.ticketwallet.core.TransferState
import org.ticketwallet.core.WalletException
import org.ticketwallet.core.WriteKind
import org.ticketwallet.core.WriteState

/** Changes that wait for the network, and the wallet's own care. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
internal class CareTest : WithSandbox() {
    private val folder get() = temporary.resolve("wallet").toString()

    /** A wallet that sends only when it syncs. */
    private fun open() = TicketWallet.open(Config(folder, sendByItself = false), vault)

    private fun synced(): TicketWallet = open().also {
        runBlocking {
            it.signIn(sandbox.url, sandbox.user, sandbox.password)
            it.sync()
        }
    }

    private fun TicketWallet.presentable() = tickets().first { ticket(it.id).noBarcode == null }.id

    private fun TicketWallet.why(id: String) =
        assertThrows(WalletException.NoBarcode::class.java) { present(id) }.why

    @Test
    fun changes_wait_and_are_sent_by_a_sync() = synced().use { wallet ->
        val id = wallet.presentable()
        val change = wallet.saveTicketHolder(id, """{"size":"M"}""")
        assertEquals(WriteKind.SAVE_TICKET_HOLDER to WriteState.WAITING, change.kind to change.state)
        val edited = wallet.edit(change.id, """{"size":"🎫"}""")
        assertEquals(listOf(edited), wallet.outbox())
        assertThrows(WalletException.InvalidInput::class.java) { wallet.retry(change.id) }
        wallet.discard(wallet.saveTicketHolder(id, """{"size":"S"}""").id)
        runBlocking {
            assertEquals(1, wallet.states.first().waiting.toInt())
            assertEquals(1, wallet.sync().sent.toInt())
        }
        assertTrue(wallet.outbox().isEmpty())
        assertTrue(wallet.ticket(id).bodyJson.contains("🎫"))
    }

    @Test
    fun a_change_is_sent_by_itself() = synced().use { first ->
        val id = first.presentable()
        first.close()
        TicketWallet.open(folder, vault).use { wallet ->
            runBlocking {
                wallet.saveTicketHolder(id, """{"size":"M"}""")
                wallet.states.first { it.waiting.toInt() == 0 }
            }
            assertTrue(wallet.ticket(id).bodyJson.contains("\"M\""))
        }
    }

    @Test
    fun a_rejected_change_waits_for_the_person() = synced().use { wallet ->
        sandbox.disturb("ticket_holder", "\"gone\"")
        val change = wallet.saveTicketHolder(wallet.presentable(), """{"size":"M"}""")
        val seen = runBlocking {
            wallet.sync()
            wallet.outbox().single()
        }
        assertEquals(WriteState.REJECTED to RejectionReason.REFUSED, seen.state to seen.rejection)
        sandbox.calm()
        assertEquals(WriteState.WAITING, wallet.retry(change.id).state)
        assertEquals(1, runBlocking { wallet.sync() }.sent.toInt())
    }

    @Test
    fun a_transfer_hides_the_barcode_and_its_end_brings_it_back() = synced().use { wallet ->
        val id = wallet.presentable()
        wallet.transfer(id, "nobody@example.org")
        assertNull(wallet.cancelTransfer(id), "it had not been sent")
        wallet.transfer(id, "ada@example.org")
        runBlocking { wallet.sync() }
        assertEquals(NoBarcodeReason.HANDED_OVER, wallet.why(id))
        assertEquals(TransferState.Pending, wallet.transfers().single().state)
        assertEquals(WriteKind.CANCEL_TRANSFER, wallet.cancelTransfer(id)?.kind)
        runBlocking { wallet.sync() }
        assertEquals(TransferState.Cancelled, wallet.transfers().single().state)
        wallet.present(id)
        wallet.surrender(id)
        runBlocking { wallet.sync() }
        assertEquals(NoBarcodeReason.HANDED_OVER, wallet.why(id))
        wallet.pin(id)
        runBlocking { wallet.sync() }
        wallet.present(id)
        Unit
    }

    @Test
    fun a_barcode_moves_to_this_device() = synced().use { other ->
        val id = other.presentable()
        TestVault(temporary.resolve("new").toFile().apply { mkdir() }.path).use { newVault ->
            TicketWallet.open(temporary.resolve("new/wallet").toString(), newVault).use { wallet ->
                runBlocking {
                    wallet.signIn(sandbox.url, sandbox.user, sandbox.password)
                    wallet.sync()
                }
                assertEquals(NoBarcodeReason.BOUND_ELSEWHERE, wallet.why(id))
                wallet.moveHere(id)
                runBlocking { wallet.sync() }
                assertEquals(2, wallet.ticket(id).generation?.toInt())
                wallet.present(id)
            }
        }
        Unit
    }

    @Test
    fun pause_resume_rekey_sign_out_and_wipe() = synced().use { wallet ->
        val id = wallet.presentable()
        runBlocking { wallet.pause() }
        assertThrows(WalletException.Paused::class.java) { wallet.tickets() }
        wallet.resume()
        wallet.rekey()
        wallet.present(id)
        assertThrows(WalletException.InUse::class.java) { open() }
        wallet.saveTicketHolder(id, """{"size":"M"}""")
        val account = wallet.accounts().single().id
        assertThrows(WalletException.InvalidInput::class.java) { runBlocking { wallet.signOut(account) } }
        runBlocking { wallet.signOut(account, discardChanges = true) }
        assertTrue(wallet.accounts().isEmpty() && wallet.tickets().isEmpty())
        runBlocking { wallet.wipe() }
        assertFalse(File(folder, "wallet.db").exists())
        assertThrows(WalletException.Storage::class.java) { wallet.tickets() }
        Unit
    }

    @Test
    fun a_diagnosis_tells_what_a_session_may_do_and_prints_nothing() = synced().use { wallet ->
        val diagnosis = wallet.diagnose()
        val claims = diagnosis.accounts.single().claims
        assertTrue("@" in claims.single { it.name == "username" }.value)
        val printed = listOf(diagnosis, claims.first(), wallet.tickets().first()).map { it.toString() }
        assertEquals(listOf("Diagnosis(..)", "TokenClaim(..)", "TicketSummary(..)"), printed)
    }

    @Test
    fun a_damaged_wallet_is_recovered() {
        val id = synced().use { wallet ->
            wallet.presentable().also { wallet.saveTicketHolder(it, """{"size":"M"}""") }
        }
        val database = File(folder, "wallet.db")
        database.writeBytes(database.readBytes().also { it[2000] = (it[2000] + 1).toByte() })
        assertEquals(RecoveryReason.DAMAGED, TicketWallet.diagnose(folder, vault).recovery)
        val report = TicketWallet.recover(folder, vault)
        assertEquals(1 to 1, report.accounts.toInt() to report.outbox.toInt())
        assertTrue(File(folder, "${report.keptIn}/wallet.db").exists())
        open().use { wallet ->
            assertEquals(WriteState.HELD, wallet.outbox().single().state)
            runBlocking { wallet.sync() }
            wallet.present(id)
            assertEquals(true, wallet.diagnose().files.sound)
        }
    }
}
