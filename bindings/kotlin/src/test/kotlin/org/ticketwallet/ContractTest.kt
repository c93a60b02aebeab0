package org.ticketwallet

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.ticketwallet.core.CodeVerdict
import org.ticketwallet.core.CredentialRequest
import org.ticketwallet.core.Gate
import org.ticketwallet.core.GateConfig
import org.ticketwallet.core.Issuer
import org.ticketwallet.core.KeyVaultException
import org.ticketwallet.core.KnownIssuer
import org.ticketwallet.core.NoBarcodeReason
import org.ticketwallet.core.Presentation
import org.ticketwallet.core.RecoveryReason
import org.ticketwallet.core.SoftwareVault
import org.ticketwallet.core.WalletException
import org.ticketwallet.core.WalletListener
import org.ticketwallet.core.WalletState
import org.ticketwallet.readme.showAll

/** What every language's binding must hold, driven through the real library against the real sandbox. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
internal class ContractTest : WithSandbox() {
    private val folder get() = temporary.resolve("wallet").toString()

    private fun signedIn(): TicketWallet = TicketWallet.open(folder, vault).also {
        runBlocking { it.signIn(sandbox.url, sandbox.user, sandbox.password) }
    }

    private fun synced(): TicketWallet = signedIn().also { runBlocking { it.sync() } }

    private fun TicketWallet.presentable() = tickets().first { ticket(it.id).noBarcode == null }.id

    private fun verdict(frame: Presentation): CodeVerdict =
        Gate(GateConfig(listOf(KnownIssuer(frame.issuerKey)))).use { gate ->
            gate.check(frame.text.toByteArray(), frame.presentedAt, emptyList()).verdict
        }

    @Test
    fun sign_in_sync_list_present_and_verify() = synced().use { wallet ->
        assertEquals(sandbox.user, wallet.accounts().single().userName)
        assertEquals(12, wallet.tickets().size)
        assertEquals(CodeVerdict.VALID, verdict(wallet.present(wallet.presentable())))
    }

    @Test
    fun a_vault_that_locks() = failingVault({ KeyVaultException.Locked() }) { present, open ->
        assertTrue(present is WalletException.KeyUnavailable)
        assertTrue(open is WalletException.KeyUnavailable)
    }

    @Test
    fun a_vault_that_cancels() = failingVault({ KeyVaultException.Cancelled() }) { present, open ->
        assertTrue(present is WalletException.KeyUnavailable)
        assertTrue(open is WalletException.KeyUnavailable)
    }

    @Test
    fun a_vault_that_loses_keys() = failingVault({ KeyVaultException.Missing() }) { present, open ->
        assertEquals(NoBarcodeReason.NEEDS_REBIND, (present as WalletException.NoBarcode).why)
        assertEquals(RecoveryReason.KEY_MISSING, (open as WalletException.NeedsRecovery).why)
    }

    @Test
    fun a_vault_that_invalidates_keys() = failingVault({ KeyVaultException.Invalidated() }) { present, open ->
        assertEquals(NoBarcodeReason.NEEDS_REBIND, (present as WalletException.NoBarcode).why)
        assertEquals(RecoveryReason.KEY_INVALID, (open as WalletException.NeedsRecovery).why)
    }

    @Test
    fun a_vault_that_throws_the_unexpected() = failingVault({ IllegalStateException("surprise") }) { present, open ->
        assertTrue(present is WalletException.KeyUnavailable)
        assertTrue(open is WalletException.KeyUnavailable)
    }

    /** What [TicketWallet.present] and [TicketWallet.open] throw while the vault fails; both work again afterwards. */
    private fun failingVault(failure: () -> Exception, check: (WalletException, WalletException) -> Unit) {
        val (id, present) = synced().use { wallet ->
            val id = wallet.presentable()
            vault.before = { throw failure() }
            val thrown = assertThrows(WalletException::class.java) { wallet.present(id) }
            vault.before = {}
            assertEquals(CodeVerdict.VALID, verdict(wallet.present(id)))
            id to thrown
        }
        vault.before = { throw failure() }
        check(present, assertThrows(WalletException::class.java) { TicketWallet.open(folder, vault) })
        vault.before = {}
        TicketWallet.open(folder, vault).use { assertEquals(CodeVerdict.VALID, verdict(it.present(id))) }
    }

    @Test
    fun a_vault_that_takes_300_ms() {
        vault.before = { Thread.sleep(300) }
        synced().use { assertEquals(CodeVerdict.VALID, verdict(it.present(it.presentable()))) }
    }

    @Test
    fun a_vault_that_takes_10_s() = synced().use { wallet ->
        val (asked, othersDone) = CountDownLatch(1) to CountDownLatch(1)
        vault.before = {
            asked.countDown()
            Thread.sleep(10_000)
            check(othersDone.await(60, TimeUnit.SECONDS)) { "the other calls waited for the vault" }
        }
        val id = wallet.presentable()
        runBlocking {
            val slow = async(Dispatchers.IO) { wallet.present(id) }
            launch(Dispatchers.IO) {
                asked.await()
                repeat(10) { assertEquals(12, wallet.tickets().size) }
                wallet.signIn(sandbox.url, sandbox.user, sandbox.password)
                wallet.now()
                othersDone.countDown()
            }
            assertEquals(CodeVerdict.VALID, verdict(slow.await()))
        }
    }

    @Test
    fun cancellation_in_mid_sync() {
        val transport = HeldTransport()
        TicketWallet.open(folder, vault, transport).use { wallet ->
            runBlocking {
                wallet.signIn(sandbox.url, sandbox.user, sandbox.password)
                transport.armed = true
                val byCoroutine = async(Dispatchers.IO) { runCatching { wallet.sync() } }
                transport.waiting.acquire()
                byCoroutine.cancel()
                assertThrows(CancellationException::class.java) { runBlocking { byCoroutine.await() } }
                wallet.core.startSync(null).use { run ->
                    val byCall = async(Dispatchers.IO) { runCatching { run.run() } }
                    transport.waiting.acquire()
                    run.cancel()
                    assertTrue(byCall.await().exceptionOrNull() is WalletException.Cancelled)
                }
                transport.release()
                assertEquals(12u, wallet.sync().received)
            }
        }
    }

    @Test
    fun two_hundred_concurrent_calls() = synced().use { wallet ->
        val id = wallet.presentable()
        val results = runBlocking {
            (0 until 200).map { number ->
                async(Dispatchers.IO) {
                    when (number % 5) {
                        0 -> wallet.tickets().size == 12
                        1 -> verdict(wallet.present(id)) == CodeVerdict.VALID
                        2 -> wallet.ticket(id).summary.id == id
                        3 -> wallet.accounts().size == 1 && wallet.now().unixMs > 0
                        else -> wallet.sync().received == 0u
                    }
                }
            }.awaitAll()
        }
        assertEquals(List(200) { true }, results)
    }

    @Test
    fun several_subscriptions_one_blocked() = signedIn().use { wallet ->
        val (entered, gate) = CountDownLatch(1) to CountDownLatch(1)
        val (heard, caughtUp) = AtomicInteger() to CountDownLatch(1)
        val blocked = wallet.core.subscribe(object : WalletListener {
            override fun onState(state: WalletState) {
                heard.incrementAndGet()
                entered.countDown()
                gate.await()
                if (state.ticketsRevision > 0u) caughtUp.countDown()
            }
        })
        entered.await()
        runBlocking {
            val others = List(3) { async { wallet.states.first { it.ticketsRevision > 0u && it.syncing.isEmpty() } } }
            wallet.sync()
            val revisions = others.awaitAll().map { it.ticketsRevision }
            assertEquals(1, revisions.toSet().size)
        }
        assertEquals(1, heard.get(), "the blocked one has heard only its first state")
        gate.countDown()
        assertTrue(caughtUp.await(60, TimeUnit.SECONDS), "and then the newest")
        blocked.cancel()
        blocked.close()
    }

    @Test
    fun large_byte_arrays_unicode_and_emoji() {
        val (large, label) = ByteArray(8 shl 20) { it.toByte() } to "Łódź – 東京 – 🎟️👩‍👩‍👧"
        SoftwareVault("$temporary/🎫.json").use { vault ->
            val sealed = vault.seal(large, label.toByteArray())
            assertArrayEquals(large, vault.unseal(sealed, label.toByteArray()))
            assertThrows(KeyVaultException.Invalidated::class.java) { vault.unseal(sealed, "other".toByteArray()) }
        }
        Issuer(ByteArray(32) { 7 }).use { issuer ->
            Gate(GateConfig(listOf(KnownIssuer(issuer.publicKey())))).use { gate ->
                assertEquals(CodeVerdict.MALFORMED, gate.check(large, 0, emptyList()).verdict)
            }
            val request = { event: String ->
                CredentialRequest(
                    "bam:$label", event, label, 1u, 1u, 0u, 10u, 30u, false, vault.createKey(label),
                )
            }
            assertEquals(134, issuer.credential(request(label)).size)
            assertThrows(WalletException.InvalidInput::class.java) { issuer.credential(request("a\u001Fb")) }
        }
        TicketWallet.open("$temporary/$label", vault).use { wallet ->
            assertThrows(WalletException.Refused::class.java) {
                runBlocking { wallet.signIn(sandbox.url, label, label) }
            }
            runBlocking { wallet.signIn(sandbox.url, sandbox.user, sandbox.password) }
        }
        assertTrue(Files.exists(Path.of("$temporary/$label/wallet.db")))
    }

    @Test
    fun the_readme_example() {
        val frames = mutableListOf<Presentation>()
        runBlocking { showAll(folder, vault, sandbox.url, sandbox.user, sandbox.password) { frames += it } }
        assertNotEquals(0, frames.size)
        assertTrue(frames.all { verdict(it) == CodeVerdict.VALID })
    }
}
