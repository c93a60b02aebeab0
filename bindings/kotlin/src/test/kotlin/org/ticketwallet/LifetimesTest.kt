package org.ticketwallet

import java.io.File
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir
import org.ticketwallet.core.CodeVerdict
import org.ticketwallet.core.Config
import org.ticketwallet.core.FfiConverterTypeHostClock
import org.ticketwallet.core.FfiConverterTypeHttpTransport
import org.ticketwallet.core.FfiConverterTypeKeyVault
import org.ticketwallet.core.FfiConverterTypeWalletListener
import org.ticketwallet.core.CodeChecker
import org.ticketwallet.core.CheckerConfig
import org.ticketwallet.core.Gate
import org.ticketwallet.core.GateReadiness
import org.ticketwallet.core.Issuer
import org.ticketwallet.core.KnownIssuer
import org.ticketwallet.core.ManifestIssuer
import org.ticketwallet.core.WalletException
import org.ticketwallet.core.WalletListener
import org.ticketwallet.core.WalletState

/** Objects of the library end when they are closed, in any order, and nothing of them stays. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
class LifetimesTest {
    @TempDir
    lateinit var temporary: Path

    private fun <T> permutations(all: List<T>): List<List<T>> =
        if (all.isEmpty()) listOf(all) else all.flatMap { one -> permutations(all - one).map { listOf(one) + it } }

    @Test
    fun objects_dropped_in_every_order() {
        val orders = permutations(listOf("wallet", "vault", "sync", "subscription"))
        assertEquals(24, orders.size)
        for (order in orders) dropped(order)
    }

    private fun dropped(order: List<String>) {
        val vault = TestVault(temporary.toString())
        val wallet = TicketWallet.open(temporary.resolve("wallet").toString(), vault)
        val sync = wallet.core.startSync(null)
        val subscription = wallet.core.subscribe(object : WalletListener {
            override fun onState(state: WalletState) = Unit
        })
        val objects = mapOf("wallet" to wallet, "vault" to vault, "sync" to sync, "subscription" to subscription)
        val work = mapOf<String, () -> Unit>(
            "wallet" to { assertEquals(0, wallet.tickets().size) },
            "vault" to { assertEquals(65, vault.createKey("key").size) },
            "sync" to {
                val failure = runBlocking { runCatching { sync.run() } }.exceptionOrNull()!!
                if (failure !is WalletException.NotFound) throw failure
            },
            "subscription" to { subscription.cancel() },
        )
        for ((index, name) in order.withIndex()) {
            objects.getValue(name).close()
            assertThrows(IllegalStateException::class.java, { work.getValue(name)() }, name)
            order.drop(index + 1).forEach { work.getValue(it)() }
        }
    }

    @Test
    fun nothing_is_leaked() {
        val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        val output = File(temporary.toFile(), "trace.txt")
        val child = ProcessBuilder(
            java, "-cp", System.getProperty("java.class.path"),
            "-Djna.library.path=${System.getProperty("jna.library.path")}",
            "-Dticketwallet.cli=${System.getProperty("ticketwallet.cli")}",
            "org.ticketwallet.LifetimesTestKt", temporary.toString(),
        ).redirectError(ProcessBuilder.Redirect.INHERIT).redirectOutput(output).start()
        assertTrue(child.waitFor(240, TimeUnit.SECONDS))
        assertEquals(0, child.exitValue())

        val (made, live) = count(output.readLines())
        val all = setOf(
            "BoxOffice", "CodeChecker", "Gate", "Issuer", "ManifestIssuer", "SoftwareVault", "Subscription", "SyncRun", "Wallet",
        )
        assertEquals(all, made.keys)
        assertTrue(made.values.all { it > 0 })
        assertEquals(all.associateWith { 0 }, live)
    }

    /** How many handles of each type the trace shows to be made, and how many are left at its end. */
    private fun count(trace: List<String>): Pair<Map<String, Int>, Map<String, Int>> {
        val steps = mapOf("lower" to 1, "clone" to 1, "lift" to -1, "free" to -1)
        val made = sortedMapOf<String, Int>()
        val live = sortedMapOf<String, Int>()
        for (line in trace) {
            val (what, type) = Regex("""^(lower|clone|lift|free): (\w+) .*""").find(line)?.destructured ?: continue
            if (what == "lower") made.merge(type, 1, Int::plus)
            live.merge(type, steps.getValue(what), Int::plus)
        }
        return made to live
    }
}

/** What [LifetimesTest.nothing_is_leaked] counts: a program of its own that uses every object and closes it. */
fun main(arguments: Array<String>) {
    val folder = arguments.single()
    Sandbox().use { sandbox ->
        repeat(3) { round ->
            TestVault(folder).use { vault ->
                val clock = BreakableClock()
                TicketWallet.open("$folder/leaks", vault, clock = clock).use { wallet -> useAll(wallet, sandbox, round) }
                TicketBoxOffice.open("$folder/office", vault, clock = clock).use { check(it.accounts().isEmpty()) }
                Gate.open(Config("$folder/gate"), vault, clock, JvmHttpTransport()).use {
                    check(it.status().readiness == GateReadiness.NOT_SIGNED_IN)
                }
            }
        }
    }
    System.exit(if (hostsAreReleased()) 0 else 1)
}

/** Whether the library lets go of all that was handed to it; the last of its threads may still be ending. */
private fun hostsAreReleased(): Boolean {
    val maps = listOf(
        FfiConverterTypeHostClock.handleMap,
        FfiConverterTypeHttpTransport.handleMap,
        FfiConverterTypeKeyVault.handleMap,
        FfiConverterTypeWalletListener.handleMap,
    )
    repeat(600) {
        if (maps.all { it.size == 0 }) return true
        Thread.sleep(100)
    }
    System.err.println("handles left: ${maps.map { it.size }}")
    return false
}

private fun useAll(wallet: TicketWallet, sandbox: Sandbox, round: Int) = runBlocking {
    wallet.signIn(sandbox.url, sandbox.user, sandbox.password)
    wallet.sync()
    val subscription = wallet.core.subscribe(object : WalletListener {
        override fun onState(state: WalletState) = Unit
    })
    if (round % 2 == 0) subscription.cancel()
    subscription.close()
    runCatching { wallet.ticket("not hex") }
    val ticket = wallet.tickets().first { wallet.ticket(it.id).noBarcode == null }
    val frame = wallet.present(ticket.id)
    Issuer(ByteArray(32)).use { issuer -> check(issuer.publicKey().size == 32) }
    ManifestIssuer(ByteArray(32)).use { issuer -> check(issuer.publicKey().size == 32) }
    CodeChecker(CheckerConfig(listOf(KnownIssuer(frame.issuerKey)))).use { gate ->
        check(gate.check(frame.text.toByteArray(), frame.presentedAt, emptyList()).verdict == CodeVerdict.VALID)
    }
}
