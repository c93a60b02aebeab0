package org.ticketwallet

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate
import org.ticketwallet.core.Account
import org.ticketwallet.core.Config
import org.ticketwallet.core.HostClock
import org.ticketwallet.core.HttpTransport
import org.ticketwallet.core.KeyVault
import org.ticketwallet.core.Presentation
import org.ticketwallet.core.SignIn
import org.ticketwallet.core.SyncReport
import org.ticketwallet.core.SystemConfig
import org.ticketwallet.core.TicketDetail
import org.ticketwallet.core.TicketFilter
import org.ticketwallet.core.TicketSummary
import org.ticketwallet.core.TicketSystem
import org.ticketwallet.core.Wallet
import org.ticketwallet.core.WalletListener
import org.ticketwallet.core.WalletState
import org.ticketwallet.core.WalletTime
import org.ticketwallet.core.WalletException
import org.ticketwallet.core.walletErrorCode

/**
 * A person's tickets on this device.
 *
 * What is not `suspend` is local and quick: it reads the store and, in [present], asks the key vault once. `suspend`
 * functions use the network without blocking their thread and may be called from any dispatcher. Every function throws
 * [WalletException]; [code] names one for logs. Close the wallet when it is no longer used.
 */
class TicketWallet private constructor(internal val core: Wallet) : AutoCloseable {
    /**
     * What the wallet is doing: first the state as it is, then what it becomes. A slow collector misses states that were
     * overtaken. Each collection is a subscription of its own and ends with it.
     */
    val states: Flow<WalletState> = callbackFlow {
        val subscription = core.subscribe(object : WalletListener {
            override fun onState(state: WalletState) {
                trySend(state)
            }
        })
        awaitClose {
            subscription.cancel()
            subscription.close()
        }
    }.conflate()

    /** The accounts of this wallet. */
    fun accounts(): List<Account> = core.accounts()

    /** Signs in at a ticketing system's address and keeps the account; signing in again renews its session. */
    suspend fun signIn(url: String, userName: String, password: String): Account =
        signIn(SignIn(TicketSystem.BAM, SystemConfig(url), userName, password))

    /** Signs in with everything that can be configured. */
    suspend fun signIn(signIn: SignIn): Account = core.signIn(signIn)

    /**
     * Fetches tickets, binds those whose event is near and renews leases, of one account or of all. Cancelling the
     * coroutine cancels the sync at its next wait; what was stored until then stays.
     */
    suspend fun sync(accountId: String? = null): SyncReport = core.startSync(accountId).use { run ->
        try {
            run.run()
        } catch (cancelled: CancellationException) {
            run.cancel()
            throw cancelled
        }
    }

    /** Tickets, soonest first. */
    fun tickets(filter: TicketFilter = TicketFilter()): List<TicketSummary> = core.tickets(filter)

    /** One ticket with all that is known of it. */
    fun ticket(id: String): TicketDetail = core.ticket(id)

    /** A fresh frame of a ticket's barcode, with the venue's nonce of 8 bytes where it asks for one. */
    fun present(ticketId: String, venueNonce: ByteArray? = null): Presentation = core.present(ticketId, venueNonce)

    /** The time that the wallet trusts, and how far. */
    fun now(): WalletTime = core.now()

    /** Lets go of the core; calls that are under way end first. */
    override fun close() = core.close()

    companion object {
        /**
         * Opens the wallet in [folder], or makes it where nothing is. Keep the folder out of backups. Without a [clock]
         * the system's is used, which counts sleep on Linux and Android.
         */
        fun open(
            folder: String,
            vault: KeyVault,
            transport: HttpTransport = JvmHttpTransport(),
            clock: HostClock? = null,
        ): TicketWallet = open(Config(folder), vault, transport, clock)

        /** Opens the wallet with everything that can be configured. */
        fun open(
            config: Config,
            vault: KeyVault,
            transport: HttpTransport = JvmHttpTransport(),
            clock: HostClock? = null,
        ): TicketWallet = TicketWallet(Wallet.open(config, vault, clock, transport))
    }
}

/** A stable name of the error for logs and support, for example `needs_recovery`. */
val WalletException.code: String
    get() = walletErrorCode(this)
