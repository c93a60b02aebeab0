package org.ticketwallet

import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir
import org.ticketwallet.core.Allowed
import org.ticketwallet.core.Config
import org.ticketwallet.core.Gate
import org.ticketwallet.core.GateCertification
import org.ticketwallet.core.GateReadiness
import org.ticketwallet.core.GateService
import org.ticketwallet.core.GateSignIn
import org.ticketwallet.core.GateVerdict
import org.ticketwallet.core.Kind
import org.ticketwallet.core.ManifestRefusal
import org.ticketwallet.core.MergeReport
import org.ticketwallet.core.Profile
import org.ticketwallet.core.SignIn
import org.ticketwallet.core.SystemConfig
import org.ticketwallet.core.TicketStatus
import org.ticketwallet.core.TicketSummary
import org.ticketwallet.core.TicketSystem
import org.ticketwallet.core.TicketingConfig
import org.ticketwallet.core.Verdict
import org.ticketwallet.core.WalletException

/** Staff at a gate let in whom a wallet of the same sandbox brings along. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
class GateTest {
    @TempDir
    lateinit var temporary: Path
    private lateinit var sandbox: Sandbox
    private lateinit var vault: TestVault
    private lateinit var wallet: TicketWallet
    private lateinit var gate: Gate
    private lateinit var ticket: TicketSummary
    private lateinit var code: AdmissionCode

    @BeforeEach
    fun start() {
        sandbox = Sandbox()
        vault = TestVault(temporary.toString())
        wallet = TicketWallet.open("$temporary/wallet", vault)
        runBlocking {
            wallet.signIn(sandbox.url, sandbox.user, sandbox.password)
            wallet.sync()
        }
        ticket = wallet.tickets().first { wallet.ticket(it.id).noBarcode == null }
        code = sandbox.admissionCode(checkNotNull(wallet.ticket(ticket.id).event).remoteId)
        gate = Gate.open(Config("$temporary/gate"), vault, null, null)
    }

    @AfterEach
    fun stop() {
        listOf<AutoCloseable>(gate, wallet, vault, sandbox).forEach { it.close() }
    }

    private fun signIn() = GateSignIn(
        GateService.EXTENSION, SystemConfig(sandbox.gates(code)), code.code, "North door",
    )

    /** The bytes of a frame later than those before, which a gate tells apart by the second. */
    private fun frame(): ByteArray {
        Thread.sleep(1_100)
        return wallet.present(ticket.id).text.toByteArray()
    }

    private fun scan(bytes: ByteArray): GateVerdict = gate.scan(bytes, 1u)

    @Test
    fun a_gate_signs_in_and_is_prepared() = runBlocking {
        assertEquals(GateReadiness.NOT_SIGNED_IN, gate.status().readiness)
        assertThrows(WalletException.InvalidInput::class.java) { scan(frame()) }
        val unknown = runCatching { gate.signIn(signIn().copy(admissionCode = "NOTACODE")) }.exceptionOrNull()
        assertTrue(unknown is WalletException.NotFound, "$unknown")
        val signIn = signIn()
        assertFalse(code.code in "$signIn", "a record shows nothing of itself")
        val status = gate.signIn(signIn)
        assertTrue(status.readiness in setOf(GateReadiness.READY, GateReadiness.READY_WITH_OLD_DATA))
        assertEquals("North door" to ticket.eventHash, status.name to status.event)
        assertEquals(0u, status.unsent)
        assertTrue(status.tickets > 0u)
        assertEquals(status.manifestSequence, gate.prepare().manifestSequence)
        assertEquals(GateCertification.Valid(null), status.certification)
    }

    @Test
    fun a_certificate_that_is_over_is_told_until_the_next_sign_in() = runBlocking {
        assertEquals(GateCertification.NotNeeded, gate.status().certification)
        val over = System.currentTimeMillis() / 1000 - 60
        rules("""{"certified_until":$over}""")
        assertEquals(GateCertification.Expired(over), gate.signIn(signIn()).certification)
        assertEquals(Verdict.ADMIT, scan(frame()).verdict, "nobody waits at the door for it")
        gate.close()
        assertEquals(GateCertification.Expired(over), TicketWallet.diagnose("$temporary/gate", vault).certification)
        gate = Gate.open(Config("$temporary/gate"), vault, null, null)
        rules("""{"certified_until":0}""")
        assertEquals(GateCertification.Valid(null), gate.signIn(signIn().copy(leaveUnsent = true)).certification)
    }

    /** What the event's gates go by. */
    private fun rules(json: String) = sandbox.gateRules(code.tenant, event, json)

    private val event get() = checkNotNull(wallet.ticket(ticket.id).event).remoteId

    @Test
    fun each_policy_lets_in_as_often_as_it_says() = runBlocking {
        gate.signIn(signIn())
        suspend fun now(json: String) {
            rules(json)
            gate.prepare()
        }

        /** The verdicts on a group of each of these sizes. */
        fun enter(vararg persons: Int) = persons.map { gate.scan(frame(), it.toUShort()).verdict }
        val (admit, already) = Verdict.ADMIT to Verdict.ALREADY_ADMITTED

        now("""{"policy":"days","entries":2}""")
        assertEquals(listOf(admit), enter(1))
        val sameDay = scan(frame())
        assertEquals(already to Allowed.Days(2u), sameDay.verdict to sameDay.allowed)

        now("""{"policy":"entries","entries":5}""")
        assertEquals(listOf(admit, already), enter(3, 2))
        val last = scan(frame())
        assertEquals(Triple(admit, 4u, Allowed.Persons(5u)), last.run { Triple(verdict, entered, allowed) })
        assertEquals(listOf(already), enter(1))

        now("""{"policy":"re_entry"}""")
        assertEquals(listOf(already), enter(1))
        assertEquals(admit, gate.exit(frame(), 5u).verdict)
        assertEquals(listOf(admit, already), enter(3, 1))
        assertEquals(admit, gate.exit(frame(), 2u).verdict)
        assertEquals(listOf(already, admit, already), enter(3, 2, 1), "as many as have left")
        assertEquals(Allowed.AfterExit, scan(frame()).allowed)
        assertEquals(listOf(10u, 7u), gate.statistics().run { listOf(entered, left) })
    }

    @Test
    fun a_venue_nonce_is_asked_for_where_the_event_says_so() = runBlocking {
        rules("""{"nonce_required":true}""")
        gate.signIn(signIn())
        assertEquals(Verdict.BAD_DEVICE_SIGNATURE, scan(frame()).verdict)
        val nonce = sandbox.nonce(code.tenant, event)
        val other = nonce.map { (it + 1).toByte() }.toByteArray()
        val said = listOf(other, nonce).map { scan(wallet.present(ticket.id, it).text.toByteArray()).verdict }
        assertEquals(listOf(Verdict.BAD_DEVICE_SIGNATURE, Verdict.ADMIT), said)
        assertEquals(listOf(3u, 0u, 0u), gate.sync().run { listOf(sent, conflicts, unsent) })
    }

    @Test
    fun a_gate_of_ticketing_redeems_the_tickets_that_it_let_in() = runBlocking {
        val festival = sandbox.festival()
        TicketBoxOffice.open("$temporary/office", vault).use { office ->
            val host = sandbox.organiser()
            val account =
                office.signIn(SignIn(TicketSystem.TICKETING, SystemConfig(festival.url), host.name, host.password)).id
            val tickets = office.eventTickets(account, festival.event).tickets
            val serial = tickets.first { it.status == TicketStatus.Issued }.remoteId
            val config = SystemConfig(festival.url, ticketing = TicketingConfig(appKey = festival.key))
            val signIn = GateSignIn(GateService.TICKETING, config, festival.code, "Door 1")
            assertFalse(listOf(festival.code, festival.key).any { it in "$signIn" })
            val status = gate.signIn(signIn)
            assertTrue(status.tickets > 0u)
            assertEquals(GateCertification.NotNeeded, status.certification)
            val admitted = scan(serial.toByteArray())
            assertEquals(Verdict.ADMIT to Profile.PLAIN, admitted.verdict to admitted.profile)
            assertFalse(admitted.certainty.isProved, "nothing in a serial proves that it is no copy")
            assertEquals(Verdict.UNKNOWN_TICKET, scan("a wristband".toByteArray()).verdict)
            val again = scan(serial.toByteArray())
            assertEquals(Verdict.ALREADY_ADMITTED to admitted.recordId, again.verdict to again.earlier?.recordId)
            assertEquals(listOf(3u, 0u, 0u), gate.sync().run { listOf(sent, conflicts, unsent) })
            val redeemed = office.admissions(account, festival.event).admissions.single()
            assertEquals(
                Triple(serial, "Door 1", status.scanner), redeemed.run { Triple(ticket, redeemer, device) },
            )
        }
    }

    @Test
    fun a_validators_token_signs_in_to_bam_itself() = runBlocking {
        val event = checkNotNull(wallet.ticket(ticket.id).event).remoteId
        val token = sandbox.validatorToken(code.tenant, event)
        val status = gate.signIn(GateSignIn(GateService.BAM, SystemConfig(sandbox.url), token, "South door"))
        assertEquals("South door" to ticket.eventHash, status.name to status.event)
        assertEquals(Verdict.UNKNOWN_ISSUER, scan(frame()).verdict, "format 1 is not what B.A.M signs")
        assertEquals(Verdict.UNKNOWN_TICKET, scan("a wristband".toByteArray()).verdict)
        assertEquals(listOf(2u, 0u, 0u), gate.sync().run { listOf(sent, conflicts, unsent) })
    }

    @Test
    fun a_ticket_is_admitted_once_undone_overridden_and_handed_over() = runBlocking {
        gate.signIn(signIn())
        val shown = frame()
        val first = scan(shown)
        assertEquals(Verdict.ADMIT to Profile.SIGNED, first.verdict to first.profile)
        assertEquals(ticket.id to Allowed.Once, first.ticket to first.allowed)
        assertTrue(first.certainty.isProved)
        assertTrue(scan(shown).isRepeated, "a camera's double read")
        assertEquals(Verdict.UNKNOWN_TICKET, scan("a wristband".toByteArray()).verdict)
        assertEquals(Verdict.REPLAYED, scan(shown).verdict)

        val undone = gate.undo(first.recordId)
        assertEquals(Kind.UNDO to ticket.id, undone.kind to undone.ticket)
        assertThrows(WalletException.InvalidInput::class.java) { gate.undo(first.recordId) }
        assertEquals(0u to 1u, gate.statistics().run { entered to this.undone })

        val second = scan(frame())
        assertEquals(Verdict.ADMIT, second.verdict)
        val third = scan(frame())
        assertEquals(Verdict.ALREADY_ADMITTED, third.verdict)
        assertEquals(second.recordId to true, third.earlier?.run { recordId to isHere })
        val overridden = gate.overrideRefusal(third.recordId, "came out to park the car")
        assertEquals(Kind.OVERRIDE to "came out to park the car", overridden.kind to overridden.overrideReason)
        assertEquals(Verdict.ADMIT, gate.exit(frame(), 1u).verdict)

        val counted = gate.statistics()
        assertEquals(listOf(2u, 1u, 1u, 1u, 8u), counted.run { listOf(entered, left, this.overridden, this.undone, unsent) })
        assertEquals(
            setOf(Verdict.UNKNOWN_TICKET to 1u, Verdict.REPLAYED to 1u, Verdict.ALREADY_ADMITTED to 1u),
            counted.refusals.map { it.verdict to it.count }.toSet(),
        )
        val kinds = listOf(
            Kind.EXIT, Kind.OVERRIDE, Kind.REFUSAL, Kind.ADMISSION, Kind.UNDO, Kind.REFUSAL, Kind.REFUSAL, Kind.ADMISSION,
        )
        assertEquals(kinds, gate.records(50u).map { it.kind })

        assertFalse("\"kind\":\"Admission\"" in sandbox.gateReport())
        val report = gate.sync()
        assertEquals(listOf(8u, 0u, 0u), report.run { listOf(sent, conflicts, unsent) })
        assertTrue(gate.records(50u).all { it.isSent && it.conflict == null })
        val seen = Regex("\\{[^{}]*\"kind\":\"Admission\"[^{}]*}").findAll(sandbox.gateReport()).map { it.value }.toList()
        val admission = listOf("North door", ticket.id, "Admit")
        assertEquals(listOf(admission, admission), seen.map { one -> listOf("gate", "ticket", "verdict").map(one::member) })
    }

    @Test
    fun a_revoked_ticket_and_a_manifest_of_another_key_are_refused() = runBlocking {
        val before = gate.signIn(signIn()).manifestSequence
        sandbox.badManifest("other_key")
        val refused = runCatching { gate.prepare() }.exceptionOrNull() as WalletException.ManifestRefused
        assertEquals(ManifestRefusal.BAD_SIGNATURE to "manifest_refused", refused.why to refused.code)
        assertEquals(before, gate.status().manifestSequence, "the one in use stays")
        sandbox.goodManifest()

        sandbox.gateState(code.tenant, wallet.ticket(ticket.id).remoteId, "revoked")
        assertTrue(gate.prepare().manifestSequence!! > before!!)
        val said = scan(frame())
        assertEquals(Verdict.REVOKED to ticket.id, said.verdict to said.ticket)
        assertEquals(0u, gate.statistics().entered)
    }

    /** Another gate of the event, and no network from then on. */
    private suspend fun another(name: String): Gate {
        val other = Gate.open(Config("$temporary/$name"), vault, null, null)
        other.signIn(signIn().copy(name = name))
        gate.signIn(signIn())
        sandbox.disturb("", "\"reset\"")
        return other
    }

    /** Brings what [from] wrote to [to], in small pieces; what each merge did. */
    private fun bring(from: Gate, to: Gate): List<MergeReport> {
        val merged = mutableListOf<MergeReport>()
        var request: ByteArray? = to.ledgerRequest()
        while (request != null) {
            val delta = from.ledgerDelta(request, 4096u)
            merged += to.merge(delta.bytes)
            request = merged.last().nextRequest
            assertEquals(delta.more, request != null)
        }
        return merged
    }

    @Test
    fun two_gates_that_met_name_the_double_entry_and_let_in_no_third_time() = runBlocking {
        another("East door").use { east ->
            val first = scan(frame())
            val second = east.scan(frame(), 1u)
            assertEquals(Verdict.ADMIT to Verdict.ADMIT, first.verdict to second.verdict)
            assertEquals(0u to null, second.certainty.run { peers to newestPeerAgeS })
            val there = bring(gate, east)
            assertEquals(listOf(1u, 0u, 1u, 0u), there.single().run { listOf(added, repeated, admissions, discounted) })
            assertTrue(there.single().refused.isEmpty())
            assertFalse(ticket.id in "${there.single()}", "a record shows nothing of itself")
            val back = bring(east, gate)
            for (doubles in listOf(there.single().doubleEntries, back.single().doubleEntries)) {
                assertEquals(ticket.id, doubles.single().ticket)
                // Clocks of two gates differ by up to a second: either entry may be the later one.
                val entries = doubles.single().entries
                assertEquals(
                    setOf("North door" to first.recordId, "East door" to second.recordId),
                    entries.map { it.door to it.recordId }.toSet(),
                )
                assertEquals(listOf(false, true), entries.map { it.isExtra })
            }
            for (either in listOf(gate, east)) {
                val third = either.scan(frame(), 1u)
                assertEquals(Verdict.ALREADY_ADMITTED, third.verdict)
                assertEquals(1u, third.certainty.peers)
                assertTrue(third.certainty.run { newestPeerAgeS!! in 0..oldestPeerAgeS!! })
            }
            val report = gate.report()
            assertEquals(listOf(2u, 0u, 3u, 0u), report.run { listOf(entered, left, records, unprovable) })
            assertEquals(back.single().doubleEntries, report.doubleEntries)
            assertTrue(report.run { forks.isEmpty() && discounted.isEmpty() && missing.isEmpty() })
            val heard = report.scanners.map { it.door to it.isHere }.toSet()
            assertEquals(setOf("North door" to true, "East door" to false), heard)
        }
    }

    @Test
    fun a_file_carries_a_ledger_and_what_is_none_is_refused() = runBlocking {
        another("East door").use { east ->
            val first = scan(frame())
            assertEquals(Verdict.UNKNOWN_TICKET, scan("a wristband".toByteArray()).verdict)
            val file = "$temporary/ledger.bin"
            assertEquals(2u, gate.exportLedger(file))
            assertEquals(2u to 0u, east.mergeFile(file).run { added to repeated })
            assertEquals(0u to 2u, east.mergeFile(file).run { added to repeated })
            val second = east.scan(frame(), 1u)
            assertEquals(Verdict.ALREADY_ADMITTED, second.verdict)
            assertEquals(first.recordId to false, second.earlier?.run { recordId to isHere })

            val rubbish = "rubbish".toByteArray()
            val refused = mapOf(
                "delta" to { gate.merge(rubbish) },
                "request" to { gate.ledgerDelta(rubbish, 4096u) },
                "path" to { gate.mergeFile("$temporary/nowhere") },
            )
            for ((field, call) in refused) {
                assertEquals(field, assertThrows(WalletException.InvalidInput::class.java) { call() }.field)
            }
        }
    }
}
