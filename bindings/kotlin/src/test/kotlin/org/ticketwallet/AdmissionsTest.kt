package org.ticketwallet

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.ticketwallet.core.AdmissionOrder
import org.ticketwallet.core.AdmissionQuery
import org.ticketwallet.core.OfficeWriteKind
import org.ticketwallet.core.OfficeWriteState
import org.ticketwallet.core.SignIn
import org.ticketwallet.core.SystemConfig
import org.ticketwallet.core.TicketStatus
import org.ticketwallet.core.TicketSystem
import org.ticketwallet.core.TicketingAccess
import org.ticketwallet.core.TicketingConfig
import org.ticketwallet.core.TokenQuery
import org.ticketwallet.core.WalletException

/** What hosts and event staff do at TickeTing. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
internal class AdmissionsTest : WithSandbox() {
    private fun open() = openOffice()

    private suspend fun TicketBoxOffice.signInAsHost(): String {
        val host = sandbox.organiser()
        val config = SystemConfig(sandbox.festival().url)
        return signIn(SignIn(TicketSystem.TICKETING, config, host.name, host.password)).id
    }

    /** Serials of tickets for an event that let somebody in. */
    private suspend fun TicketBoxOffice.serials(account: String, event: String): List<String> =
        eventTickets(account, event).tickets.filter { it.status == TicketStatus.Issued }.map { it.remoteId }

    @Test
    fun tokens_are_issued_changed_and_deleted() = open().use { office ->
        val festival = sandbox.festival()
        val (event, sections) = festival.event to festival.sections
        runBlocking {
            val account = office.signInAsHost()
            val writes = office.issueTokens(account, event, sections, count = 2)
            val issued = OfficeWriteKind.ISSUE_TOKEN to OfficeWriteState.DONE
            assertEquals(listOf(issued, issued), writes.map { it.kind to it.state })
            val page = office.tokens(account, event, TokenQuery(global = false))
            assertEquals(2 to false, page.total?.toInt() to page.more)
            assertEquals(1, office.tokens(account, event).tokens.count { it.global })
            val token = page.tokens.first()
            assertEquals(token, office.token(account, event, token.id))
            val code = checkNotNull(token.code)
            assertTrue(writes.any { it.answerJson?.member("code") == code })
            val access = office.lookUpCode(account, code)
            assertEquals(event to sections, access.eventId to access.sections)
            assertFalse(listOf(code, access.key).any { it in "$writes $page $token $access" })

            assertEquals(OfficeWriteState.DONE, office.updateToken(account, event, token.id, sections.take(1)).state)
            assertEquals(sections.take(1), office.token(account, event, token.id).sections)
            assertEquals(OfficeWriteState.DONE, office.deleteToken(account, event, token.id).state)
            val gone = runCatching { office.token(account, event, token.id) }.exceptionOrNull()
            assertEquals("unknown_resource", (gone as WalletException.Refused).serverCode)
            val refused = runCatching { office.updateToken(account, event, token.id, emptyList()) }.exceptionOrNull()
            assertEquals("sections", (refused as WalletException.InvalidInput).field)
        }
    }

    @Test
    fun staff_redeem_tickets_by_the_key_of_a_token() = open().use { office ->
        val festival = sandbox.festival()
        runBlocking {
            val host = office.signInAsHost()
            val token = office.issueTokens(host, festival.event, festival.sections).single()
            val access = office.lookUpCode(host, checkNotNull(token.answerJson).member("code"))
            val ticketing = TicketingConfig(access = TicketingAccess.INTEGRATION_KEY)
            val config = SystemConfig(festival.url, ticketing = ticketing)
            val gate = office.signIn(SignIn(TicketSystem.TICKETING, config, "Gate 1", access.key)).id

            val serial = office.serials(gate, access.eventId).first()
            val order = AdmissionOrder(access.eventId, "Juno", "D1", listOf(serial, UNKNOWN))
            val write = office.admit(gate, order)
            assertEquals(OfficeWriteKind.ADMIT to OfficeWriteState.DONE, write.kind to write.state)
            assertEquals(serial, write.answerJson?.member("ticket"))
            assertTrue("\"refused\":[\"$UNKNOWN\"]" in write.answerJson.orEmpty())
            val again = runCatching { office.admit(gate, order) }.exceptionOrNull()
            assertEquals(400, (again as WalletException.Refused).status.toInt())

            val listed = office.admissions(gate, access.eventId, AdmissionQuery(device = "D1")).admissions.single()
            assertEquals(serial to "Juno", listed.ticket to listed.redeemer)
            assertEquals(1, office.admissions(gate, access.eventId).admissions.size)
            val since = checkNotNull(listed.admittedAt) - 1
            val changed = office.eventTickets(gate, access.eventId, modifiedSince = since).tickets.single()
            assertEquals(serial to TicketStatus.Invalidated, changed.remoteId to changed.status)
        }
    }

    @Test
    fun an_admission_whose_answer_was_lost_is_looked_up() = open().use { office ->
        val event = sandbox.festival().event
        runBlocking {
            val account = office.signInAsHost()
            val serial = office.serials(account, event).first()
            // What could be read afterwards is lost too.
            sandbox.disturb("/admissions", "\"lost_reply\"")
            val write = office.admit(account, AdmissionOrder(event, "Juno", "D1", listOf(serial)))
            assertEquals(OfficeWriteState.UNKNOWN, write.state)
            sandbox.calm()
            val found = office.lookUp(write.id)
            assertEquals(OfficeWriteState.DONE to serial, found.state to found.answerJson?.member("ticket"))
            assertEquals(1, office.admissions(account, event).admissions.size)
        }
    }

    private companion object {
        const val UNKNOWN = "NOSUCH-TICKET000000"
    }
}
