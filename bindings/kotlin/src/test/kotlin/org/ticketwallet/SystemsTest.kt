package org.ticketwallet

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.ticketwallet.core.BarcodeProfile
import org.ticketwallet.core.Capability
import org.ticketwallet.core.CertificatePin
import org.ticketwallet.core.Config
import org.ticketwallet.core.HttpRequest
import org.ticketwallet.core.HttpTransport
import org.ticketwallet.core.ListDirection
import org.ticketwallet.core.MailRequest
import org.ticketwallet.core.Money
import org.ticketwallet.core.OfficeWriteKind
import org.ticketwallet.core.OfficeWriteState
import org.ticketwallet.core.SectionCount
import org.ticketwallet.core.ServerTicketQuery
import org.ticketwallet.core.SignIn
import org.ticketwallet.core.SystemConfig
import org.ticketwallet.core.TicketDetail
import org.ticketwallet.core.TicketFilter
import org.ticketwallet.core.TicketFormat
import org.ticketwallet.core.TicketStatus
import org.ticketwallet.core.TicketSystem
import org.ticketwallet.core.TicketingCode
import org.ticketwallet.core.TicketingConfig
import org.ticketwallet.core.TransferAnswer
import org.ticketwallet.core.TransferState
import org.ticketwallet.core.UnidyGrant
import org.ticketwallet.core.UnidyTicketQuery
import org.ticketwallet.core.WalletException

/** Several ticketing systems in one wallet, and what each of them has beside tickets. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
internal class SystemsTest : WithSandbox() {
    /** A wallet that sends only when it syncs. */
    private fun open(name: String = "wallet") =
        TicketWallet.open(Config("$temporary/$name", sendByItself = false), vault)

    private suspend fun TicketWallet.signInTo(brand: String, user: Int = 0): String {
        val person = sandbox.users[user]
        return signIn(SignIn(TicketSystem.UNIDY, sandbox.brand(brand).sdk(), person.name, person.password)).id
    }

    private fun TicketWallet.all(account: String? = null) = tickets(TicketFilter(account, limit = 1000u))

    private fun TicketWallet.showable(account: String) = all(account).first { ticket(it.id).noBarcode == null }.id

    /** A ticket that its system hands out as files. */
    private fun TicketWallet.exportable() =
        all().first { "\"exportable_to_wallet\":true" in ticket(it.id).bodyJson }.id

    /** The ledger's name for a B.A.M ticket, made of three numbers. */
    private fun ledgerId(ticket: TicketDetail): String {
        val configuration = ticket.bodyJson.substringAfter("\"ticket_config\":{")
            .replace(Regex("\"event\":\\{[^{}]*(\\{[^{}]*}[^{}]*)*}"), "")
        fun number(json: String, name: String) = Regex("\"$name\":(\\d+)").find(json)!!.groupValues[1]
        return "E${ticket.event!!.remoteId}TC${number(configuration, "id")}T${number(ticket.bodyJson, "seq_num")}"
    }

    @Test
    fun several_systems_in_one_wallet() = open().use { wallet ->
        val (bam, nord, west) = runBlocking {
            val accounts = listOf(
                wallet.signIn(sandbox.url, sandbox.user, sandbox.password).id,
                wallet.signInTo("nord"),
                wallet.signInTo("west"),
            )
            wallet.sync()
            accounts
        }
        assertEquals(setOf(bam, nord, west), wallet.all().map { it.accountId }.toSet())
        val groups = wallet.ticketsByEvent(TicketFilter(limit = 1000u))
        assertEquals(wallet.all().map { it.id }.toSet(), groups.flatMap { it.tickets }.map { it.id }.toSet())
        assertTrue(groups.any { it.tickets.size > 1 })
        assertTrue(wallet.capabilities(bam).containsAll(listOf(Capability.SIGNED_BARCODES, Capability.ORDERS)))
        assertTrue(Capability.INCOMING_TRANSFERS in wallet.capabilities(nord))
        assertFalse(Capability.SIGNED_BARCODES in wallet.capabilities(west))

        val signed = wallet.present(wallet.showable(bam))
        assertEquals(BarcodeProfile.SIGNED to 32, signed.profile to signed.issuerKey.size)
        val static = wallet.present(wallet.showable(nord))
        assertEquals(BarcodeProfile.STATIC to 0, static.profile to static.issuerKey.size)
        assertEquals(static.text, wallet.present(wallet.showable(nord)).text)

        runBlocking { wallet.signOut(nord) }
        assertEquals(setOf(bam, west), wallet.all().map { it.accountId }.toSet())
    }

    @Test
    fun tickets_of_ticketing_and_of_texpo() = open().use { wallet ->
        val shown = TicketingConfig(codes = TicketingCode.SERIAL)
        val configs = listOf(
            TicketSystem.TICKETING to SystemConfig(sandbox.festival().url, ticketing = shown),
            TicketSystem.TEXPO to sandbox.expo().config,
        )
        val (festival, expo) = runBlocking {
            val accounts = configs.map { (system, config) ->
                wallet.signIn(SignIn(system, config, sandbox.user, sandbox.password))
            }
            assertEquals(configs.map { it.first }, accounts.map { it.system })
            wallet.sync()
            accounts.map { it.id }
        }
        assertTrue(Capability.ADMISSIONS in wallet.capabilities(festival))
        assertTrue(Capability.MANAGE_CATALOGUE in wallet.capabilities(expo))
        val issued = wallet.all(festival).first { it.status == TicketStatus.Issued }.id
        assertEquals(wallet.ticket(issued).remoteId, wallet.present(issued).text)
        val files = runBlocking { wallet.fetchDocuments(wallet.all(expo).first().id) }
        assertEquals(listOf("application/pdf"), files.map { it.mediaType })
    }

    @Test
    fun tickets_are_handed_over_and_ordered_by_section() = open().use { wallet ->
        val festival = sandbox.festival()
        val two = listOf(SectionCount(festival.sections[0], 2u))
        val other = sandbox.users[1]
        runBlocking {
            val config = SystemConfig(festival.url)
            val to = wallet.signIn(SignIn(TicketSystem.TICKETING, config, other.name, other.password)).id
            val from = wallet.signIn(SignIn(TicketSystem.TICKETING, config, sandbox.user, sandbox.password)).id
            assertTrue(Capability.SECTION_TRANSFERS in wallet.capabilities(from))
            val sent = wallet.startTransfer(from, other.name, two)
            assertEquals(OfficeWriteKind.START_TRANSFER to OfficeWriteState.DONE, sent.kind to sent.state)
            val incoming = wallet.sectionTransfers(to, true, 1u)
            val uri = incoming.transfers.single().uri
            assertEquals(two to false, incoming.transfers.single().tickets to incoming.more)
            assertEquals("SectionTransfer(..)", incoming.transfers.single().toString())
            assertEquals(OfficeWriteState.DONE, wallet.claimTransfer(to, uri).state)
            val over = assertThrows(WalletException.Refused::class.java) {
                runBlocking { wallet.takeTransferBack(from, uri) }
            }
            assertEquals(409, over.status.toInt())

            val ordered = wallet.placeOrder(from, two)
            assertEquals(OfficeWriteState.DONE, ordered.state)
            val order = wallet.sectionOrders(from, 1u).orders.single()
            assertEquals("Placed", order.status)
            assertEquals(OfficeWriteState.DONE, wallet.cancelOrder(from, order.number).state)
            assertEquals(4, wallet.writes(from, 10u).size)
            assertEquals(OfficeWriteState.DONE, wallet.lookUpWrite(ordered.id).state)
            wallet.forgetWrite(ordered.id)
            assertEquals(3, wallet.writes(from, 10u).size)
        }
    }

    @Test
    fun a_sign_in_in_the_browser_outlives_the_app() {
        val config = sandbox.brand("nord").oauth("app", UnidyGrant.AUTHORIZATION_CODE)
        sandbox.consent(sandbox.user)
        val begun = open().use { wallet -> runBlocking { wallet.beginSignIn(config) } }
        val back = sandbox.browse(begun.url)
        assertTrue(begun.state in back)
        open().use { wallet ->
            val done = runBlocking { wallet.completeSignIn(back) }
            assertEquals(sandbox.user to emptyList<String>(), done.account.userName to done.warnings)
            runBlocking { wallet.sync() }
            assertTrue(wallet.tickets().isNotEmpty())
            val again = assertThrows(WalletException.InvalidInput::class.java) {
                runBlocking { wallet.completeSignIn(back) }
            }
            assertEquals("redirect", again.field)
            sandbox.consent(null)
            assertThrows(WalletException.Cancelled::class.java) {
                runBlocking { wallet.completeSignIn(sandbox.browse(wallet.beginSignIn(config).url)) }
            }
        }
    }

    @Test
    fun a_code_that_comes_by_mail_signs_in() = open().use { wallet ->
        val asked = runBlocking { wallet.requestCode(sandbox.brand("west").sdk(), sandbox.user) }
        assertThrows(WalletException.Refused::class.java) { runBlocking { wallet.signInWithCode(asked, "no code") } }
        val account = runBlocking { wallet.signInWithCode(asked, sandbox.lastMail()) }
        assertEquals(listOf(account), wallet.accounts())
        runBlocking { wallet.sync(account.id) }
        assertTrue(wallet.tickets().isNotEmpty())
        Unit
    }

    @Test
    fun files_of_a_ticket_are_kept() = open().use { wallet ->
        val (account, id) = runBlocking {
            val account = wallet.signInTo("nord")
            wallet.sync()
            account to wallet.exportable()
        }
        assertEquals(emptyList<Any>(), wallet.documents(account))
        val files = runBlocking { wallet.fetchDocuments(id) }
        assertEquals(listOf("application/pdf", "application/vnd.apple.pkpass"), files.map { it.mediaType })
        sandbox.close()
        assertEquals(files, wallet.documents(account, "ticket/$id"))
        val pdf = wallet.document(files[0].id)
        assertEquals("%PDF-" to files[0].size.toInt(), pdf.decodeToString(0, 5) to pdf.size)
    }

    @Test
    fun fetching_files_is_called_off() {
        val transport = HeldTransport()
        TicketWallet.open(Config("$temporary/wallet", sendByItself = false), vault, transport).use { wallet ->
            runBlocking {
                val account = wallet.signInTo("nord")
                wallet.sync()
                val id = wallet.exportable()
                transport.armed = true
                val fetching = async(Dispatchers.IO) { wallet.fetchDocuments(id) }
                transport.waiting.acquire()
                fetching.cancel()
                assertThrows(CancellationException::class.java) { runBlocking { fetching.await() } }
                transport.release()
                assertTrue(wallet.documents(account).isEmpty())
                assertEquals(2, wallet.fetchDocuments(id).size)
            }
        }
    }

    @Test
    fun a_ticket_is_handed_over() = open("from").use { from ->
        open("to").use { to ->
            val (sender, recipient) = runBlocking {
                val accounts = from.signInTo("nord", 0) to to.signInTo("nord", 1)
                from.sync()
                to.sync()
                accounts
            }
            val id = from.showable(sender)
            suspend fun offer(): String {
                from.transfer(id, sandbox.users[1].name)
                from.sync()
                return to.incomingTransfers(recipient).single().token
            }
            val asked = runBlocking { from.unidyTickets(sender, UnidyTicketQuery(limit = 250u, state = "active")) }
            assertTrue(asked.tickets.any { it.remoteId == from.ticket(id).remoteId && it.unidy?.state == "active" })
            val documented = from.all().map { checkNotNull(from.ticket(it.id).unidy) }
                .first { it.title == "24-25 Heimspiel" }
            assertEquals(Money(6_400, "EUR"), documented.price)
            assertTrue(documented.amounts.any { it.pointer.endsWith("isoVatAmount") && it.amount == Money(1_000, "EUR") })
            assertNull(documented.paymentState)
            assertEquals(TransferAnswer.DECLINED, runBlocking { to.declineTransfer(recipient, offer()) })
            runBlocking { from.sync() }
            assertEquals(TransferState.Ended, from.transfers().single().state)
            from.present(id)
            runBlocking {
                assertEquals(TransferAnswer.ACCEPTED, to.acceptTransfer(recipient, offer()))
                to.sync()
                from.sync()
            }
            to.present(id)
            assertFalse(from.all().any { it.id == id })
            val refused = assertThrows(WalletException.Refused::class.java) {
                runBlocking { to.acceptTransfer(recipient, sandbox.lastMail()) }
            }
            assertEquals("transfer_not_pending", refused.serverCode)
        }
    }

    @Test
    fun orders_offers_questions_and_certificates() = open().use { wallet ->
        val tenant = "nordhafen"
        val account = runBlocking {
            val account = wallet.signIn(sandbox.url, sandbox.user, sandbox.password).id
            wallet.sync()
            account
        }
        val order = runBlocking { wallet.orders(account, tenant) }.first { it.format == "PDF" }
        assertEquals(order, runBlocking { wallet.order(account, order.remoteId, tenant) })
        val newest = ServerTicketQuery(
            format = TicketFormat.Pdf, sortBy = "updated_at", direction = ListDirection.DESCENDING, withEnrollmentId = true,
        )
        val listed = runBlocking { wallet.serverTickets(account, newest) }
        assertEquals(listed.records.size.toULong(), listed.total)
        assertTrue(listed.records.isNotEmpty() && listed.records.all { "\"format\":\"PDF\"" in it && "enrollment_id" in it })
        val file = runBlocking { wallet.fetchOrderDocument(account, order.remoteId, tenant) }
        assertEquals(listOf(file), wallet.documents(account, "order/${order.remoteId}"))
        assertEquals(file.size.toInt(), wallet.document(file.id).size)
        val ticket = wallet.all().map { wallet.ticket(it.id) }.first { it.remoteId in order.ticketIds }
        runBlocking {
            assertEquals(MailRequest.TAKEN, wallet.emailOrder(account, order.remoteId, tenant))
            wallet.ownOffers(account, tenant)
            for (size in listOf("S", "M")) {
                wallet.saveTicketHolder(ticket.summary.id, """{"size":"$size"}""")
                assertEquals(1, wallet.sync().sent.toInt())
            }
            val form = checkNotNull(wallet.holderQuestions(ticket.summary.id))
            assertTrue("\"M\"" in form.responseJson.orEmpty())
            val record = wallet.ticketByLedgerId(account, ledgerId(ticket), tenant)
            assertTrue("\"id\":${ticket.remoteId}" in record, record)
        }
        assertNull(wallet.certificate(account))
        val certificate = runBlocking { wallet.enroll(account) }
        assertTrue(certificate.certificatePem.startsWith("-----BEGIN CERTIFICATE-----"))
        assertEquals(certificate, wallet.certificate(account))
        assertEquals(false, runBlocking { wallet.certificateIsDue(account) })
        val unidy = runBlocking { wallet.signInTo("nord") }
        val refused = assertThrows(WalletException.InvalidInput::class.java) {
            runBlocking { wallet.orders(unidy) }
        }
        assertEquals("account_id", refused.field)
    }

    @Test
    fun pins_that_nobody_would_check_are_refused() {
        val pins = listOf("A", "E").map { CertificatePin(it.repeat(43) + "=") }
        fun refusal(config: SystemConfig, transport: HttpTransport) =
            TicketWallet.open("$temporary/wallet", vault, transport).use { wallet ->
                val signIn = SignIn(TicketSystem.BAM, config, sandbox.user, sandbox.password)
                val refused = assertThrows(WalletException.InvalidInput::class.java) {
                    runBlocking { wallet.signIn(signIn) }
                }
                assertEquals("pins", refused.field)
                refused.reason
            }
        val careless = object : HttpTransport {
            override fun checksPins() = false
            override fun send(request: HttpRequest) = throw IllegalStateException("nothing is to be sent")
        }
        assertTrue("https" in refusal(SystemConfig(sandbox.url, pins = pins), JvmHttpTransport()))
        assertTrue("HttpTransport" in refusal(SystemConfig("https://localhost:1", pins = pins), careless))
        assertTrue("two" in refusal(SystemConfig("https://localhost:1", pins = pins.take(1)), careless))
    }
}
