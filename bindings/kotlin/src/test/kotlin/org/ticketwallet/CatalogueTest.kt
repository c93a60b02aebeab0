package org.ticketwallet

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.ticketwallet.core.GrantKind
import org.ticketwallet.core.Money
import org.ticketwallet.core.OfficeWriteKind
import org.ticketwallet.core.OfficeWriteState
import org.ticketwallet.core.ProductFields
import org.ticketwallet.core.ProductGrant
import org.ticketwallet.core.ProductType
import org.ticketwallet.core.SignIn
import org.ticketwallet.core.TicketSystem
import org.ticketwallet.core.WalletException

/** What a network's manager does to TEXPO's catalogue. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
internal class CatalogueTest : WithSandbox() {
    private fun open() = openOffice()

    private val fields = ProductFields(
        eventName = "Hafenmesse", startsAt = 4_070_908_800, endsAt = 4_070_937_600, ticketType = ProductType.Days(1u, 3u),
        ticketName = "Łódź 🎫", ticketDescription = "Zutritt zu allen Hallen", price = Money(6410, "USD"),
        thumbnailId = "thumb-1", discount = "-10%", grants = listOf(ProductGrant(GrantKind.UserRole, "visitor", "hall-7")),
    )

    private suspend fun TicketBoxOffice.signInAs(person: Person): String =
        signIn(SignIn(TicketSystem.TEXPO, sandbox.expo().config, person.name, person.password)).id

    @Test
    fun entries_are_listed_made_changed_and_deleted() = open().use { office ->
        runBlocking {
            val account = office.signInAs(sandbox.expo().manager)
            val before = office.catalogue(account)
            assertTrue(before.isNotEmpty())
            val made = office.createProduct(account, "new-1", fields)
            assertEquals(OfficeWriteKind.CREATE_PRODUCT to OfficeWriteState.DONE, made.kind to made.state)
            val entry = office.product(account, "new-1")
            assertEquals(fields.ticketName to fields.price, entry.ticketName to entry.price)
            assertEquals(fields.ticketType to fields.grants, entry.ticketType to entry.grants)
            assertEquals(fields.startsAt to fields.endsAt, entry.startsAt to entry.endsAt)
            assertFalse("hall-7" in "$made $fields $entry", "records show nothing of themselves")

            val dearer = ProductFields(price = Money(7000, "USD"))
            assertEquals(OfficeWriteState.DONE, office.updateProduct(account, "new-1", dearer).state)
            val changed = office.product(account, "new-1")
            assertEquals(entry.copy(price = dearer.price, bodyJson = changed.bodyJson), changed)
            val taken = runCatching { office.createProduct(account, "new-1", fields) }.exceptionOrNull()
            assertEquals("product_id", (taken as WalletException.InvalidInput).field)
            assertEquals(OfficeWriteState.DONE, office.deleteProduct(account, "new-1").state)
            val gone = runCatching { office.product(account, "new-1") }.exceptionOrNull()
            assertTrue(gone is WalletException.NotFound, "$gone")
            assertEquals(before, office.catalogue(account))
        }
    }

    @Test
    fun a_holder_lacks_the_permission() = open().use { office ->
        runBlocking {
            val account = office.signInAs(sandbox.users.first())
            val denied = runCatching { office.deleteProduct(account, "expo-00001") }.exceptionOrNull()
            assertEquals("network.manage", (denied as WalletException.PermissionDenied).permission)
            assertEquals(OfficeWriteState.REJECTED, office.writes(account).single().state)
        }
    }

    @Test
    fun a_deletion_whose_answer_was_lost_is_looked_up() = open().use { office ->
        runBlocking {
            val account = office.signInAs(sandbox.expo().manager)
            val id = office.catalogue(account).first().productId
            // The list that could be read afterwards is lost too.
            sandbox.disturb("PurchasableTicket", "\"lost_reply\"")
            val write = office.deleteProduct(account, id)
            assertEquals(OfficeWriteState.UNKNOWN, write.state)
            sandbox.calm()
            assertEquals(OfficeWriteState.DONE, office.lookUp(write.id).state)
            assertFalse(office.catalogue(account).any { it.productId == id })
        }
    }
}
