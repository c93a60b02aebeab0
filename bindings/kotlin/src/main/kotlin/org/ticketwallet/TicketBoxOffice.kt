package org.ticketwallet

import org.ticketwallet.core.Account
import org.ticketwallet.core.AdmissionOrder
import org.ticketwallet.core.AdmissionPage
import org.ticketwallet.core.AdmissionQuery
import org.ticketwallet.core.AdmissionToken
import org.ticketwallet.core.BoxOffice
import org.ticketwallet.core.Config
import org.ticketwallet.core.GateAccess
import org.ticketwallet.core.GroupOrder
import org.ticketwallet.core.HostClock
import org.ticketwallet.core.HttpTransport
import org.ticketwallet.core.KeyVault
import org.ticketwallet.core.OfficePage
import org.ticketwallet.core.OfficeTicket
import org.ticketwallet.core.OfficeWrite
import org.ticketwallet.core.OfficeWriteState
import org.ticketwallet.core.Product
import org.ticketwallet.core.ProductFields
import org.ticketwallet.core.Reservation
import org.ticketwallet.core.SignIn
import org.ticketwallet.core.TokenPage
import org.ticketwallet.core.TokenQuery
import org.ticketwallet.core.UnidyTicketQuery
import org.ticketwallet.core.WalletException

/**
 * An organiser's place of work: reserves, frees, issues and sends tickets (B.A.M), makes, changes and deletes those of a
 * partner (Unidy), issues admission tokens and redeems tickets (TickeTing), and keeps a catalogue of tickets to buy (TEXPO).
 *
 * Every write is kept before it is sent, with what became of it, and none is repeated by itself. One whose answer was lost
 * comes back as [OfficeWriteState.UNKNOWN]; one whose coroutine was cancelled, or whose process ended, stands in [writes] as
 * [OfficeWriteState.SENT]. Either may have been carried out: [lookUp] asks.
 *
 * `suspend` functions use the network without blocking their thread; the others are local. Every function throws
 * [WalletException]. Close the box office when it is no longer used.
 */
class TicketBoxOffice private constructor(internal val core: BoxOffice) : AutoCloseable {
    /** The accounts of this box office. */
    fun accounts(): List<Account> = core.accounts()

    /**
     * Signs in: with B.A.M as an organiser, with Unidy by a server's id and secret, with TickeTing as a host or by a key in
     * place of the password, with TEXPO as a network's manager.
     */
    suspend fun signIn(signIn: SignIn): Account = core.signIn(signIn)

    /** Removes an account, and what is kept of its writes. */
    suspend fun signOut(accountId: String) = core.signOut(accountId)

    /** Reserves tickets for a user (B.A.M). The write's `answerJson` has them as `{"tickets": [{"id", "status", …}]}`. */
    suspend fun reserve(accountId: String, order: Reservation): OfficeWrite = core.reserve(accountId, order)

    /** The reserved tickets of an event (B.A.M), where the server lists them to its organiser. */
    suspend fun reserved(accountId: String, eventId: Long, tenant: String? = null): List<OfficeTicket> =
        core.reserved(accountId, tenant, eventId)

    /** Frees reserved tickets (B.A.M), so that they can be reserved or bought again. */
    suspend fun free(accountId: String, ticketIds: List<String>, tenant: String? = null): OfficeWrite =
        core.free(accountId, tenant, ticketIds)

    /** Issues reserved tickets (B.A.M); it cannot be undone. [waitUntilIssued] tells when they are the owner's. */
    suspend fun issue(accountId: String, ticketIds: List<String>, tenant: String? = null): OfficeWrite =
        core.issue(accountId, tenant, ticketIds)

    /**
     * Looks at tickets until each is issued or on no way there, or [forSeconds] have passed; gives how they stand. Ends with
     * its coroutine.
     */
    suspend fun waitUntilIssued(
        accountId: String,
        ticketIds: List<String>,
        tenant: String? = null,
        forSeconds: Int = 60,
    ): List<OfficeTicket> = core.waitUntilIssued(accountId, tenant, ticketIds, forSeconds.coerceAtLeast(0).toUInt())

    /** How tickets stand at the server (B.A.M), in the order of their ids. */
    suspend fun ticketStates(accountId: String, ticketIds: List<String>, tenant: String? = null): List<OfficeTicket> =
        core.ticketStates(accountId, tenant, ticketIds)

    /** Sends tickets to e-mail addresses (B.A.M); it cannot be undone. */
    suspend fun sendGroup(accountId: String, order: GroupOrder): OfficeWrite = core.sendGroup(accountId, order)

    /** Makes a ticket (Unidy's partner API) out of a JSON object of its fields; the system gives it its id. */
    suspend fun createTicket(accountId: String, fieldsJson: String): OfficeWrite =
        core.createTicket(accountId, fieldsJson)

    /** Changes those fields of a ticket that the JSON object names (Unidy's partner API). */
    suspend fun updateTicket(accountId: String, ticketId: String, fieldsJson: String): OfficeWrite =
        core.updateTicket(accountId, ticketId, fieldsJson)

    /** Deletes a ticket (Unidy's partner API); it cannot be undone. */
    suspend fun deleteTicket(accountId: String, ticketId: String): OfficeWrite = core.deleteTicket(accountId, ticketId)

    /** One page of a partner's tickets (Unidy), counted from 1. */
    suspend fun partnerTickets(accountId: String, page: Int = 1): OfficePage =
        core.partnerTickets(accountId, page.coerceAtLeast(1).toUInt())

    /** One page of those of a partner's tickets (Unidy) that the query asks for, in its order. */
    suspend fun findPartnerTickets(accountId: String, query: UnidyTicketQuery): OfficePage =
        core.findPartnerTickets(accountId, query)

    /** One of a partner's tickets (Unidy). */
    suspend fun partnerTicket(accountId: String, ticketId: String): OfficeTicket =
        core.partnerTicket(accountId, ticketId)

    /** A partner's ticket categories (Unidy), each as the system's JSON. */
    suspend fun categories(accountId: String): List<String> = core.categories(accountId)

    /** The addresses of a brand's own pages (Unidy): the person's tickets, the organiser's desk, the API's description. */
    suspend fun pages(accountId: String): List<String> = core.pages(accountId)

    /**
     * Issues [count] admission tokens for an event's sections (TickeTing), each its own write, whose `answerJson` has it as
     * `{"tokens": [{"id", "code", …}]}`. It stops at the first that is not carried out; the last write then says why.
     */
    suspend fun issueTokens(
        accountId: String,
        eventId: String,
        sections: List<String>,
        count: Int = 1,
    ): List<OfficeWrite> = core.issueTokens(accountId, eventId, sections, count.coerceAtLeast(0).toUInt())

    /** Makes an admission token good for just these sections (TickeTing). */
    suspend fun updateToken(
        accountId: String,
        eventId: String,
        tokenId: String,
        sections: List<String>,
    ): OfficeWrite = core.updateToken(accountId, eventId, tokenId, sections)

    /** Deletes an admission token (TickeTing); it cannot be undone. */
    suspend fun deleteToken(accountId: String, eventId: String, tokenId: String): OfficeWrite =
        core.deleteToken(accountId, eventId, tokenId)

    /** One page of an event's admission tokens (TickeTing). */
    suspend fun tokens(accountId: String, eventId: String, query: TokenQuery = TokenQuery()): TokenPage =
        core.tokens(accountId, eventId, query)

    /** One admission token (TickeTing). */
    suspend fun token(accountId: String, eventId: String, tokenId: String): AdmissionToken =
        core.token(accountId, eventId, tokenId)

    /** What an admission token's code lets its bearer in to (TickeTing), with the key to sign in with in place of a password. */
    suspend fun lookUpCode(accountId: String, code: String): GateAccess = core.lookUpCode(accountId, code)

    /**
     * Redeems tickets at an entrance (TickeTing). The write's `answerJson` has those that were admitted and the serials of
     * the others: `{"admissions": [{"uri", "ticket", …}], "refused": […]}`. When none was admitted it is a refusal.
     */
    suspend fun admit(accountId: String, order: AdmissionOrder): OfficeWrite = core.admit(accountId, order)

    /** One page of an event's admissions (TickeTing). */
    suspend fun admissions(
        accountId: String,
        eventId: String,
        query: AdmissionQuery = AdmissionQuery(),
    ): AdmissionPage = core.admissions(accountId, eventId, query)

    /**
     * One page, counted from 1, of the tickets for an event (TickeTing); with [modifiedSince], Unix seconds, only those whose
     * status has changed after it.
     */
    suspend fun eventTickets(
        accountId: String,
        eventId: String,
        modifiedSince: Long? = null,
        page: Int = 1,
    ): OfficePage = core.eventTickets(accountId, eventId, modifiedSince, page.coerceAtLeast(1).toUInt())

    /** The whole catalogue of tickets to buy (TEXPO), in the server's order. */
    suspend fun catalogue(accountId: String): List<Product> = core.catalogue(accountId)

    /** An entry of the catalogue (TEXPO). */
    suspend fun product(accountId: String, productId: String): Product = core.product(accountId, productId)

    /**
     * Makes an entry of the catalogue (TEXPO) with an id of the caller's choice; [WalletException.InvalidInput] names
     * `product_id` when another entry has it.
     */
    suspend fun createProduct(accountId: String, productId: String, fields: ProductFields): OfficeWrite =
        core.createProduct(accountId, productId, fields)

    /** Changes those fields of an entry that are given (TEXPO). What somebody else changes in this moment is lost. */
    suspend fun updateProduct(accountId: String, productId: String, fields: ProductFields): OfficeWrite =
        core.updateProduct(accountId, productId, fields)

    /** Takes an entry out of the catalogue (TEXPO); it cannot be undone. */
    suspend fun deleteProduct(accountId: String, productId: String): OfficeWrite =
        core.deleteProduct(accountId, productId)

    /** The writes of an account with what became of them, the newest first. */
    fun writes(accountId: String, limit: Int = 50): List<OfficeWrite> =
        core.writes(accountId, limit.coerceAtLeast(0).toUInt())

    /** Asks the server what became of a write whose answer was lost. */
    suspend fun lookUp(writeId: Long): OfficeWrite = core.lookUpWrite(writeId)

    /** Forgets a write: the organiser has found out. */
    fun forget(writeId: Long) = core.forgetWrite(writeId)

    /** Lets go of the core; calls that are under way end first. */
    override fun close() = core.close()

    companion object {
        /** Opens the box office in [folder], which no wallet uses, or makes it where nothing is. The rest is as with a wallet. */
        fun open(
            folder: String,
            vault: KeyVault,
            transport: HttpTransport = JvmHttpTransport(),
            clock: HostClock? = null,
        ): TicketBoxOffice = open(Config(folder), vault, transport, clock)

        /** Opens the box office with everything that can be configured. */
        fun open(
            config: Config,
            vault: KeyVault,
            transport: HttpTransport = JvmHttpTransport(),
            clock: HostClock? = null,
        ): TicketBoxOffice = TicketBoxOffice(BoxOffice.open(config, vault, clock, transport))
    }
}
