package org.ticketwallet

import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/**
 * How long [TicketWallet.present] takes. `cargo tool latency` runs it, beside the same in Rust and Swift; its name keeps
 * it out of the test suite, where nothing is timed.
 */
class PresentLatency {
    private fun setting(name: String) = checkNotNull(System.getProperty("latency.$name")) { "latency.$name is not set" }

    @Test
    fun measure() {
        val (folder, ticket) = setting("folder") to setting("ticket")
        TestVault(folder).use { vault ->
            TicketWallet.open(folder, vault).use { wallet ->
                fun present(): Long {
                    val start = System.nanoTime()
                    val frame = wallet.present(ticket)
                    val took = System.nanoTime() - start
                    assertTrue(frame.text.isNotEmpty())
                    return took
                }
                repeat(setting("warmUp").toInt()) { present() }
                val took = List(setting("calls").toInt()) { present() }.sorted()
                println("median in ns: ${took[took.size / 2]}")
            }
        }
    }
}
