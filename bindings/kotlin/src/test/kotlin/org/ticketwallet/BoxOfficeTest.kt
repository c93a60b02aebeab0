package org.ticketwallet

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.ticketwallet.core.BamConfig
import org.ticketwallet.core.GroupOrder
import org.ticketwallet.core.OfficeWrite
import org.ticketwallet.core.OfficeWriteKind
import org.ticketwallet.core.OfficeWriteState
import org.ticketwallet.core.Reservation
import org.ticketwallet.core.ReservationItem
import org.ticketwallet.core.SignIn
import org.ticketwallet.core.SystemConfig
import org.ticketwallet.core.TicketStatus
import org.ticketwallet.core.TicketSystem
import org.ticketwallet.core.UnidyGrant
import org.ticketwallet.core.UnidyOrder
import org.ticketwallet.core.UnidyTicketQuery
import org.ticketwallet.core.WalletException

/** What organisers do. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
internal class BoxOfficeTest : WithSandbox() {
    private val item = ReservationItem(ticketConfigId = 1, quantity = 2u, sectorId = 1)

    private fun open() = openOffice()

    /** Signs in as the organiser of the first tenant. */
    private suspend fun TicketBoxOffice.signInAsOrganiser(): String {
        val organiser = sandbox.organiser()
        val config = SystemConfig(sandbox.url, defaultTenant = TENANT, bam = BamConfig(organizerId = ORGANISER))
        return signIn(SignIn(TicketSystem.BAM, config, organiser.name, organiser.password)).id
    }

    /** A reservation for the first user. */
    private fun reservation() = TicketWallet.open("$temporary/wallet", vault).use { wallet ->
        val certificate = runBlocking {
            wallet.enroll(wallet.signIn(sandbox.url, sandbox.user, sandbox.password).id)
        }
        Reservation(eventId = 1, ownerEnrollmentId = certificate.enrollmentId, format = "SECURE", items = listOf(item))
    }

    private fun OfficeWrite.tickets(): List<String> =
        Regex("\"id\":\"([^\"]*)\"").findAll(answerJson.orEmpty()).map { it.groupValues[1] }.toList()

    @Test
    fun tickets_are_reserved_and_issued() = open().use { office ->
        val order = reservation()
        runBlocking {
            val account = office.signInAsOrganiser()
            assertEquals(listOf(account), office.accounts().map { it.id })
            val reserved = office.reserve(account, order)
            assertEquals(OfficeWriteKind.RESERVE to OfficeWriteState.DONE, reserved.kind to reserved.state)
            val ids = reserved.tickets()
            assertEquals(2, ids.size)
            assertTrue(office.reserved(account, 1).map { it.remoteId }.containsAll(ids))
            assertEquals(OfficeWriteState.DONE, office.issue(account, ids).state)
            val issued = office.waitUntilIssued(account, ids)
            assertEquals(List(2) { TicketStatus.Issued }, issued.map { it.status })
            assertEquals(issued, office.ticketStates(account, ids))
            val kinds = office.writes(account).map { it.kind }
            assertEquals(listOf(OfficeWriteKind.ISSUE, OfficeWriteKind.RESERVE), kinds)
            office.signOut(account)
            assertTrue(office.accounts().isEmpty())
        }
    }

    @Test
    fun tickets_are_freed_and_sent() = open().use { office ->
        val order = reservation()
        runBlocking {
            val account = office.signInAsOrganiser()
            val ids = office.reserve(account, order).tickets()
            assertEquals(OfficeWriteState.DONE, office.free(account, ids).state)
            assertEquals(List(2) { TicketStatus.Available }, office.ticketStates(account, ids).map { it.status })
            val group = GroupOrder(
                eventId = 1, format = "PDF", items = listOf(item), note = "Ahoi 🎫", ownerEmails = listOf(sandbox.users[1].name),
            )
            assertEquals(OfficeWriteState.DONE, office.sendGroup(account, group).state)
        }
        val refused = assertThrows(WalletException.InvalidInput::class.java) {
            runBlocking { office.reserve(office.accounts().single().id, order.copy(items = emptyList())) }
        }
        assertEquals("items", refused.field)
    }

    @Test
    fun a_write_whose_answer_was_lost_is_looked_up() {
        val order = reservation()
        val account = open().use { office -> runBlocking { office.signInAsOrganiser() } }
        open().use { office ->
            runBlocking {
                val ids = office.reserve(account, order).tickets()
                // The answer is lost, and what could be read afterwards is not to be had.
                sandbox.disturb("/ticket/free", "\"lost_reply\"")
                sandbox.disturb("/ticket/${ids[0]}", """{"unavailable":{"retry_after":"1"}}""")
                val write = office.free(account, ids)
                assertEquals(OfficeWriteState.UNKNOWN, write.state)
                assertEquals(write, office.writes(account, limit = 1).single())
                sandbox.calm()
                assertEquals(OfficeWriteState.DONE, office.lookUp(write.id).state)
                office.forget(write.id)
                assertEquals(listOf(OfficeWriteKind.RESERVE), office.writes(account).map { it.kind })
            }
        }
    }

    @Test
    fun waiting_for_an_issue_is_called_off() = open().use { office ->
        val order = reservation()
        runBlocking {
            val account = office.signInAsOrganiser()
            val ids = office.reserve(account, order).tickets()
            val short = office.waitUntilIssued(account, ids, forSeconds = 0)
            assertEquals(List(2) { TicketStatus.Reserved }, short.map { it.status })
            val waiting = async(Dispatchers.IO) { office.waitUntilIssued(account, ids, forSeconds = 3600) }
            delay(100)
            waiting.cancel()
            assertThrows(CancellationException::class.java) { runBlocking { waiting.await() } }
            assertEquals(2, office.ticketStates(account, ids).size)
        }
    }

    @Test
    fun a_partners_tickets() = open().use { office ->
        val brand = sandbox.brand("nord")
        val config = brand.oauth("partner", UnidyGrant.CLIENT_CREDENTIALS)
        runBlocking {
            val clientId = checkNotNull(config.unidy?.clientId)
            val account = office.signIn(SignIn(TicketSystem.UNIDY, config, clientId, brand.secret("partner"))).id
            assertTrue(office.categories(account).isNotEmpty())
            assertTrue(office.pages(account).all { it.startsWith(brand.url) })
            val page = office.partnerTickets(account)
            assertTrue(page.more && page.tickets.isNotEmpty())
            val known = page.tickets.first()
            val query = UnidyTicketQuery(
                page = 1u, limit = 5u, state = "active", orderBy = UnidyOrder.STARTS_AT, descending = true,
            )
            val active = office.findPartnerTickets(account, query).tickets.map { checkNotNull(it.unidy) }
            assertTrue(active.isNotEmpty() && active.size <= 5 && active.all { it.state == "active" })
            assertEquals(active.map { it.startsAt }, active.map { it.startsAt }.sortedByDescending { it })
            val fields = """{"ticket_category_id":"${known.bodyJson.member("ticket_category_id")}",
                "user_id":"${known.bodyJson.member("user_id")}","title":"Łódź 🎫","reference":"K-1",
                "starts_at":"2099-01-01T18:00:00+01:00"}"""
            val made = office.createTicket(account, fields)
            assertEquals(OfficeWriteState.DONE, made.state)
            val id = made.tickets().single()
            assertEquals("Łódź 🎫", office.partnerTicket(account, id).bodyJson.member("title"))
            assertEquals(OfficeWriteState.DONE, office.updateTicket(account, id, """{"title":"Neu"}""").state)
            assertEquals("Neu", office.partnerTicket(account, id).bodyJson.member("title"))
            assertEquals(OfficeWriteState.DONE, office.deleteTicket(account, id).state)
            val gone = runCatching { office.partnerTicket(account, id) }.exceptionOrNull()
            assertEquals(404, (gone as WalletException.Refused).status.toInt())
            val refused = runCatching { office.createTicket(account, "[]") }.exceptionOrNull()
            assertEquals("fields_json", (refused as WalletException.InvalidInput).field)
        }
    }

    private companion object {
        const val TENANT = "nordhafen"
        const val ORGANISER = 101L
    }
}
