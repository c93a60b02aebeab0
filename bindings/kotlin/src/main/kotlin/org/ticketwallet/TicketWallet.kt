package org.ticketwallet

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate
import org.ticketwallet.core.Account
import org.ticketwallet.core.Breakdown
import org.ticketwallet.core.BrowserSignIn
import org.ticketwallet.core.Capability
import org.ticketwallet.core.Certificate
import org.ticketwallet.core.CodeSignIn
import org.ticketwallet.core.Config
import org.ticketwallet.core.Diagnosis
import org.ticketwallet.core.Document
import org.ticketwallet.core.EventGroup
import org.ticketwallet.core.HolderForm
import org.ticketwallet.core.HostClock
import org.ticketwallet.core.HttpTransport
import org.ticketwallet.core.IncomingTransfer
import org.ticketwallet.core.KeyVault
import org.ticketwallet.core.LedgerSale
import org.ticketwallet.core.Listing
import org.ticketwallet.core.MailRequest
import org.ticketwallet.core.MarketPage
import org.ticketwallet.core.MarketQuery
import org.ticketwallet.core.Money
import org.ticketwallet.core.Offer
import org.ticketwallet.core.Offering
import org.ticketwallet.core.OfficePage
import org.ticketwallet.core.OfficeWrite
import org.ticketwallet.core.Order
import org.ticketwallet.core.OutboxItem
import org.ticketwallet.core.Presentation
import org.ticketwallet.core.PriceRules
import org.ticketwallet.core.Purchase
import org.ticketwallet.core.RecoveryReport
import org.ticketwallet.core.SectionCount
import org.ticketwallet.core.SectionOrderPage
import org.ticketwallet.core.SectionTransferPage
import org.ticketwallet.core.ServerTicketPage
import org.ticketwallet.core.ServerTicketQuery
import org.ticketwallet.core.SignIn
import org.ticketwallet.core.SignedIn
import org.ticketwallet.core.SyncReport
import org.ticketwallet.core.SystemConfig
import org.ticketwallet.core.TicketDetail
import org.ticketwallet.core.TicketFilter
import org.ticketwallet.core.TicketSummary
import org.ticketwallet.core.TicketSystem
import org.ticketwallet.core.Transfer
import org.ticketwallet.core.TransferAnswer
import org.ticketwallet.core.UnidyTicketQuery
import org.ticketwallet.core.Wallet
import org.ticketwallet.core.WalletListener
import org.ticketwallet.core.WalletState
import org.ticketwallet.core.WalletTime
import org.ticketwallet.core.WalletException
import org.ticketwallet.core.diagnoseWallet
import org.ticketwallet.core.recoverWallet
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

    /** What can be done with an account: told by its system and its configuration, and partly by its first sync. */
    fun capabilities(accountId: String): Set<Capability> = core.capabilities(accountId).toSet()

    /** Signs in at a B.A.M address and keeps the account; signing in again renews its session. */
    suspend fun signIn(url: String, userName: String, password: String): Account =
        signIn(SignIn(TicketSystem.BAM, SystemConfig(url), userName, password))

    /** Signs in with everything that can be configured. */
    suspend fun signIn(signIn: SignIn): Account = core.signIn(signIn)

    /**
     * Begins a sign-in in the person's browser (Unidy). Open [BrowserSignIn.url] in the system's browser, on Android a
     * custom tab, never in a web view, and hand the address that the person comes back to over to [completeSignIn], within
     * an hour. A process that ends meanwhile loses nothing.
     */
    suspend fun beginSignIn(config: SystemConfig): BrowserSignIn = core.beginSignIn(config)

    /**
     * Takes the address that the person was sent back to, and keeps the account. One that answers no sign-in which was
     * begun here is [WalletException.InvalidInput]; [WalletException.Cancelled] is a person who said no.
     */
    suspend fun completeSignIn(redirect: String): SignedIn = core.completeSignIn(redirect)

    /** Has a code sent to the person by e-mail, in place of a password (Unidy). */
    suspend fun requestCode(config: SystemConfig, userName: String): CodeSignIn = core.requestCode(config, userName)

    /** Signs in with the code that came by e-mail, and keeps the account. */
    suspend fun signInWithCode(signIn: CodeSignIn, code: String): Account = core.signInWithCode(signIn.id, code)

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

    /** The same tickets, those of one event together, of whatever accounts and systems. */
    fun ticketsByEvent(filter: TicketFilter = TicketFilter()): List<EventGroup> = core.ticketsByEvent(filter)

    /** One ticket with all that is known of it. */
    fun ticket(id: String): TicketDetail = core.ticket(id)

    /**
     * A fresh frame of a ticket's barcode, with the venue's nonce of 8 bytes where it asks for one; or, where
     * [Presentation.profile] says so, a code that never changes: whoever copies that has it.
     */
    fun present(ticketId: String, venueNonce: ByteArray? = null): Presentation = core.present(ticketId, venueNonce)

    /** The time that the wallet trusts, and how far. */
    fun now(): WalletTime = core.now()

    /**
     * Changes that have not had their outcome yet. What waits is sent by itself; what was rejected, has an unknown
     * outcome, or was saved from a damaged wallet waits for [retry], [edit] or [discard].
     */
    fun outbox(accountId: String? = null): List<OutboxItem> = core.outbox(accountId)

    /** Sends a change again that waits for the person. One of unknown outcome may then be carried out twice. */
    fun retry(changeId: Long): OutboxItem = core.retryWrite(changeId)

    /** Replaces the answers (a JSON object), the recipient or the price (`64.50 EUR`) of a change that was rejected or not sent yet. */
    fun edit(changeId: Long, content: String): OutboxItem = core.editWrite(changeId, content)

    /** Takes a change back that has not been carried out. */
    fun discard(changeId: Long) = core.discardWrite(changeId)

    /** Saves the answers about a ticket's holder, a JSON object. Works offline. */
    fun saveTicketHolder(ticketId: String, responseJson: String): OutboxItem =
        core.saveTicketHolder(ticketId, responseJson)

    /** Hands a ticket to somebody. Works offline; from when it is sent the ticket shows no barcode here. */
    fun transfer(ticketId: String, recipient: String): OutboxItem = core.transfer(ticketId, recipient)

    /** Takes a transfer back; `null` when it had not been sent. */
    fun cancelTransfer(ticketId: String): OutboxItem? = core.cancelTransfer(ticketId)

    /** Transfers as far as is known. */
    fun transfers(accountId: String? = null): List<Transfer> = core.transfers(accountId)

    /** Gives a ticket's barcode up on this device; [pin] and a sync bring it back. */
    fun surrender(ticketId: String): OutboxItem = core.surrender(ticketId)

    /** Takes a ticket's barcode over from another device, or from a key that this one has lost. */
    fun moveHere(ticketId: String): OutboxItem = core.moveHere(ticketId)

    /** Has a ticket's barcode made ready at the next sync, however far away its event is. */
    fun pin(ticketId: String, pinned: Boolean = true) = core.pin(ticketId, pinned)

    /** Whether a ticket may be sold, for how much, and what it costs. */
    suspend fun resaleRules(ticketId: String): PriceRules = core.resaleRules(ticketId)

    /** What a price would come to for buyer and seller, by the server; nothing is listed. */
    suspend fun previewPrice(ticketId: String, price: Money): Breakdown = core.previewPrice(ticketId, price)

    /**
     * Offers a ticket for sale. Works offline; where the event hides barcodes of listed tickets, it shows none from when it
     * is sent. [expiresAt] is in Unix seconds.
     */
    fun listForSale(ticketId: String, price: Money, expiresAt: Long? = null): OutboxItem =
        core.listForSale(ticketId, price, expiresAt)

    /** Asks for another price for a listed ticket. Works offline. */
    fun editListing(ticketId: String, price: Money): OutboxItem = core.editListing(ticketId, price)

    /** Takes a listing back; `null` when it had not been sent. Works offline. */
    fun withdrawListing(ticketId: String): OutboxItem? = core.withdrawListing(ticketId)

    /** The own listings as far as is known, those that ended too. */
    fun myListings(accountId: String? = null): List<Listing> = core.myListings(accountId)

    /** A page of what others offer for an event, the cheapest first. */
    suspend fun market(accountId: String, query: MarketQuery): MarketPage = core.market(accountId, query)

    /** One ticket that somebody offers, as it is now. */
    suspend fun offering(accountId: String, listingId: String, tenant: String? = null): Offering =
        core.offering(accountId, tenant, listingId)

    /**
     * Buys a listed ticket for no more than [maxTotal], fees included; needs the network. The person pays at
     * [Purchase.paymentUrl], and the wallet finds out by itself. A coroutine that is cancelled, or an app that ends, before
     * anything was sent has bought nothing; after that the wallet finds out as well.
     */
    suspend fun buy(accountId: String, listingId: String, maxTotal: Money, tenant: String? = null): Purchase =
        core.buy(accountId, tenant, listingId, maxTotal)

    /** Purchases that are not over: they wait for their payment, or their answer was lost or is a refusal. */
    fun purchases(accountId: String? = null): List<Purchase> = core.purchases(accountId)

    /** Fetches a ticket as files, PDF and pkpass (Unidy), and keeps them. */
    suspend fun fetchDocuments(ticketId: String): List<Document> = core.fetchDocuments(ticketId)

    /** The files that are kept of an account, or of one subject: `ticket/` and its id, `order/` and its id. */
    fun documents(accountId: String, subject: String? = null): List<Document> = core.documents(accountId, subject)

    /** A file that is kept. */
    fun document(id: Long): ByteArray = core.document(id)

    /** The account's orders (B.A.M), of one tenant or of the configuration's own. */
    suspend fun orders(accountId: String, tenant: String? = null): List<Order> = core.orders(accountId, tenant)

    /** One order (B.A.M), of one tenant or of the configuration's own. */
    suspend fun order(accountId: String, orderId: String, tenant: String? = null): Order =
        core.order(accountId, tenant, orderId)

    /** Tickets as the server lists them now (B.A.M), with the documented parameters of its lists; nothing of it is kept. */
    suspend fun serverTickets(accountId: String, query: ServerTicketQuery = ServerTicketQuery()): ServerTicketPage =
        core.serverTickets(accountId, query)

    /** Fetches an order's tickets as a file (B.A.M) and keeps it. */
    suspend fun fetchOrderDocument(accountId: String, orderId: String, tenant: String? = null): Document =
        core.fetchOrderDocument(accountId, tenant, orderId)

    /** Has an order's tickets sent by e-mail once more (B.A.M); a lost answer is [MailRequest.UNKNOWN]. */
    suspend fun emailOrder(accountId: String, orderId: String, tenant: String? = null): MailRequest =
        core.emailOrder(accountId, tenant, orderId)

    /** The account's own offers on the secondary market (B.A.M). */
    suspend fun ownOffers(accountId: String, tenant: String? = null): List<Offer> = core.ownOffers(accountId, tenant)

    /**
     * Offers a ticket on B.A.M's own market, by a transaction of its ledger that the person's certificate signs: [enroll]
     * first. A write whose answer was lost is unknown: look it up.
     */
    suspend fun markForSale(ticketId: String, sale: LedgerSale): OfficeWrite = core.markForSale(ticketId, sale)

    /** Takes an offer at B.A.M back; a write that is rejected with `{"sold":true}` came too late. */
    suspend fun deleteOffer(ticketId: String, offerId: String): OfficeWrite = core.deleteOffer(ticketId, offerId)

    /** Hands a ticket over at B.A.M, at once, to the one whose enrolment is named. */
    suspend fun transferOnLedger(ticketId: String, recipient: String): OfficeWrite =
        core.transferOnLedger(ticketId, recipient)

    /** Begins to hand tickets over by section and number (TickeTing). A write whose answer was lost is unknown: look it up. */
    suspend fun startTransfer(accountId: String, recipient: String, tickets: List<SectionCount>): OfficeWrite =
        core.startTransfer(accountId, recipient, tickets)

    /** Takes what somebody hands over, named by its address (TickeTing). */
    suspend fun claimTransfer(accountId: String, uri: String): OfficeWrite = core.claimTransfer(accountId, uri)

    /** Takes a transfer back that nobody has claimed (TickeTing). */
    suspend fun takeTransferBack(accountId: String, uri: String): OfficeWrite = core.takeTransferBack(accountId, uri)

    /** A page of the account's transfers, counted from 1: what comes in, or what goes out (TickeTing). */
    suspend fun sectionTransfers(accountId: String, incoming: Boolean, page: UInt): SectionTransferPage =
        core.sectionTransfers(accountId, incoming, page)

    /** Orders tickets by section and number (TickeTing). */
    suspend fun placeOrder(accountId: String, items: List<SectionCount>): OfficeWrite = core.placeOrder(accountId, items)

    /** Cancels an order (TickeTing). */
    suspend fun cancelOrder(accountId: String, number: String): OfficeWrite = core.cancelOrder(accountId, number)

    /** A page of the account's orders, counted from 1 (TickeTing). */
    suspend fun sectionOrders(accountId: String, page: UInt): SectionOrderPage = core.sectionOrders(accountId, page)

    /** The account's transfers and orders as they were sent, the newest first. Local. */
    fun writes(accountId: String, limit: UInt): List<OfficeWrite> = core.writes(accountId, limit)

    /** Asks the server what became of a write whose answer was lost. */
    suspend fun lookUpWrite(id: Long): OfficeWrite = core.lookUpWrite(id)

    /** Forgets a write: the person has found out. Local. */
    fun forgetWrite(id: Long) = core.forgetWrite(id)

    /** The questions to a ticket's holder with the answers so far (B.A.M); `null` where there are none. */
    suspend fun holderQuestions(ticketId: String): HolderForm? = core.holderQuestions(ticketId)

    /** A ticket's record by its id on the ledger (B.A.M), as JSON. */
    suspend fun ticketByLedgerId(accountId: String, ledgerId: String, tenant: String? = null): String =
        core.ticketByLedgerId(accountId, tenant, ledgerId)

    /**
     * Whether the server says that the person's certificate should be renewed (B.A.M), which [enroll] does; `null` where it
     * does not say.
     */
    suspend fun certificateIsDue(accountId: String): Boolean? = core.certificateIsDue(accountId)

    /**
     * Gets the person a certificate (B.A.M), a new one where one is held; its private key is sealed by the vault. Call it
     * again after a lost answer: what may have been made is renewed, and another one made only where there is none.
     */
    suspend fun enroll(accountId: String): Certificate = core.enroll(accountId)

    /** The person's certificate, where one is held. */
    fun certificate(accountId: String): Certificate? = core.certificate(accountId)

    /** Tickets that others hand over to the account (Unidy, the extension). */
    suspend fun incomingTransfers(accountId: String): List<IncomingTransfer> = core.incomingTransfers(accountId)

    /** Accepts a ticket that somebody hands over; needs the network. A lost answer is no error: [sync] finds out. */
    suspend fun acceptTransfer(accountId: String, token: String): TransferAnswer =
        core.acceptTransfer(accountId, token)

    /** Declines a ticket that somebody hands over; as [acceptTransfer]. */
    suspend fun declineTransfer(accountId: String, token: String): TransferAnswer =
        core.declineTransfer(accountId, token)

    /** One page of the tickets that the query asks for, as the server has them now (Unidy); nothing of it is kept. */
    suspend fun unidyTickets(accountId: String, query: UnidyTicketQuery = UnidyTicketQuery()): OfficePage =
        core.unidyTickets(accountId, query)

    /** Removes an account with its tickets, barcodes and keys; refused while changes wait, unless they are discarded. */
    suspend fun signOut(accountId: String, discardChanges: Boolean = false) = core.signOut(accountId, discardChanges)

    /**
     * Closes the wallet's files; calls fail with [WalletException.Paused] until [resume]. Takes at most 5 seconds. A wallet
     * that is resumed meanwhile stays open.
     */
    suspend fun pause() = core.pause()

    /** Opens the files again and goes on. */
    fun resume() = core.resume()

    /** Gives the database a new key. Reads and writes the whole file: not for the main thread. */
    fun rekey() = core.rekey()

    /**
     * Deletes the wallet with its keys, paused or not. It cannot be undone. After [WalletException.KeyUnavailable] or
     * [WalletException.Storage] call it again with this object, which knows what is left.
     */
    suspend fun wipe() = core.wipe()

    /** How the wallet stands, for support; holds no secret. Reads the whole file: not for the main thread. */
    fun diagnose(): Diagnosis = core.diagnose()

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

        /** How a wallet stands that is not open, whether it opens or not. */
        fun diagnose(folder: String, vault: KeyVault, clock: HostClock? = null): Diagnosis =
            diagnoseWallet(Config(folder), vault, clock)

        /**
         * Makes a wallet usable again that throws [WalletException.NeedsRecovery]: its files are put aside, what can be
         * read of accounts, barcodes and changes is saved. Then open it and [sync].
         */
        fun recover(folder: String, vault: KeyVault): RecoveryReport = recoverWallet(Config(folder), vault)
    }
}

/** A stable name of the error for logs and support, for example `needs_recovery`. */
val WalletException.code: String
    get() = walletErrorCode(this)
