package org.ticketwallet

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.ticketwallet.core.Config
import org.ticketwallet.core.HiddenReason
import org.ticketwallet.core.LedgerSale
import org.ticketwallet.core.ListedBarcode
import org.ticketwallet.core.ListingIntent
import org.ticketwallet.core.ListingState
import org.ticketwallet.core.MarketQuery
import org.ticketwallet.core.Money
import org.ticketwallet.core.NoBarcodeReason
import org.ticketwallet.core.OfficeWriteKind
import org.ticketwallet.core.OfficeWriteState
import org.ticketwallet.core.PurchaseState
import org.ticketwallet.core.TransferAnswer
import org.ticketwallet.core.WalletException

private const val CLUB = "nordhafen"

/** A ticket that goes from one person's wallet to another's. */
@Timeout(300)
@Suppress("ktlint:standard:function-naming", "FunctionName")
internal class MarketTest : WithSandbox() {
    private fun open(name: String) =
        TicketWallet.open(Config("$temporary/$name", sendByItself = false), vault)

    private suspend fun TicketWallet.signedIn(user: Int): String {
        val person = sandbox.users[user]
        val account = signIn(sandbox.url, person.name, person.password).id
        sync()
        return account
    }

    private fun TicketWallet.showable() = tickets().first { ticket(it.id).noBarcode == null }.id

    @Test
    fun a_ticket_is_sold_to_another_wallet() = open("seller").use { seller ->
        open("buyer").use { buyer ->
            runBlocking {
                seller.signedIn(0)
                val account = buyer.signedIn(1)
                val ticket = seller.showable()
                val rules = seller.resaleRules(ticket)
                assertTrue(rules.allowed)
                val price = checkNotNull(rules.faceValue)
                assertEquals(price, seller.previewPrice(ticket, price).sellerPrice)
                seller.listForSale(ticket, price)
                assertEquals(ListingIntent.DRAFT, seller.ticket(ticket).listing?.intent)
                assertNull(seller.withdrawListing(ticket))
                seller.listForSale(ticket, price)
                seller.sync()
                val detail = seller.ticket(ticket)
                assertEquals(NoBarcodeReason.LISTED, detail.noBarcode)
                assertEquals(ListedBarcode.Hidden(HiddenReason.LISTED), detail.listing?.barcode)
                val lower = Money(price.minor - 100, price.currency)
                seller.editListing(ticket, lower)
                seller.sync()
                val listing = seller.myListings().single()
                assertEquals(ListingState.Active to lower, listing.state to listing.price)

                val query = MarketQuery(checkNotNull(detail.event).remoteId, CLUB)
                val offers = buyer.market(account, query).offers
                val offer = offers.single { it.listingId == listing.remoteId }
                assertEquals(offer, buyer.offering(account, offer.listingId, CLUB))
                val total = checkNotNull(offer.breakdown).buyerTotal
                val short = Money(total.minor - 1, total.currency)
                val refused = runCatching { buyer.buy(account, offer.listingId, short, CLUB) }.exceptionOrNull()
                assertEquals(412.toUShort(), (refused as WalletException.Refused).status)
                val purchase = buyer.buy(account, offer.listingId, total, CLUB)
                assertEquals(PurchaseState.RESERVED to true, purchase.state to purchase.simulated)
                assertFalse(checkNotNull(purchase.paymentUrl) in "$purchase", "records show nothing of themselves")
                assertEquals(listOf(purchase), buyer.purchases())
                sandbox.pay(checkNotNull(purchase.paymentUrl))
                buyer.sync()
                assertTrue(buyer.purchases().isEmpty())
                assertEquals(2.toUShort(), buyer.ticket(ticket).generation)
                assertNotNull(buyer.present(ticket))
                seller.sync()
                assertEquals(ListingState.Sold, seller.myListings().single().state)
            }
        }
    }

    @Test
    fun a_ticket_is_handed_to_another_wallet() = open("sender").use { sender ->
        open("recipient").use { recipient ->
            runBlocking {
                sender.signedIn(0)
                val account = recipient.signedIn(1)
                val ticket = sender.showable()
                sender.transfer(ticket, sandbox.users[1].name)
                sender.sync()
                val first = recipient.incomingTransfers(account).single()
                assertEquals(TransferAnswer.DECLINED, recipient.declineTransfer(account, first.token))
                sender.sync()
                sender.transfer(ticket, sandbox.users[1].name)
                sender.sync()
                val offer = recipient.incomingTransfers(account).first()
                assertEquals(TransferAnswer.ACCEPTED, recipient.acceptTransfer(account, offer.token))
                assertNotNull(recipient.present(ticket))
            }
        }
    }

    @Test
    fun a_ticket_is_offered_and_handed_over_on_the_ledger() = open("owner").use { owner ->
        open("other").use { other ->
            runBlocking {
                val account = owner.signedIn(0)
                owner.enroll(account)
                val recipient = other.enroll(other.signedIn(1)).enrollmentId
                val ticket = owner.showable()
                val price = checkNotNull(owner.resaleRules(ticket).faceValue)
                val sale = LedgerSale(price, System.currentTimeMillis() / 1000 + 86_400)
                assertEquals("LedgerSale(..)", "$sale")
                val offered = owner.markForSale(ticket, sale)
                assertEquals(OfficeWriteKind.MARK_FOR_SALE to OfficeWriteState.DONE, offered.kind to offered.state)
                val told = checkNotNull(offered.answerJson)
                val offer = owner.ownOffers(account, CLUB).single { "\"${it.remoteId}\"" in told }
                assertEquals(price, offer.price)
                assertEquals(OfficeWriteState.DONE, owner.deleteOffer(ticket, offer.remoteId).state)
                assertEquals(OfficeWriteState.DONE, owner.transferOnLedger(ticket, recipient).state)
                assertEquals(NoBarcodeReason.HANDED_OVER, owner.ticket(ticket).noBarcode)
                other.sync()
                assertNotNull(other.present(ticket))
            }
        }
    }
}
