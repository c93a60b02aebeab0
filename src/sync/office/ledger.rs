//! A holder's market at B.A.M: tickets go up for sale and change hands by transactions of its ledger, which the person's
//! certificate signs. They are kept and read back as an organiser's writes are, and wait in no outbox.
//!
//! The two steps before the last change nothing, so that they are begun anew once when an answer is lost. Before the last
//! step that it is taken is kept. When its answer is lost, the server is read first; only if nothing is there is the very
//! same transaction, which the ledger takes once, sent again.
//!
//! | write | done | rejected | unknown |
//! | --- | --- | --- | --- |
//! | mark for sale | the ticket is on offer as asked | the last step was not begun; or nothing is there two minutes later | the ticket is gone, and may have been sold; everything else |
//! | transfer | the ticket is not the account's any more | as above | everything else |
//! | delete an offer | the offer is gone and the ticket is not | the ticket is gone too: it was sold first | everything else |

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Desk, Found, text};
use crate::device::ask;
use crate::error::Error;
use crate::model::{
    LedgerSale, Money, Offer, OfficeWrite, OfficeWriteKind, OfficeWriteState, TicketFormat, TicketHash,
    TicketStatus,
};
use crate::remote::bam::{
    Bam, BamRuleset, BamTicket, LedgerCall, LedgerReceipt, LedgerTicket, SignedTransaction, WalletKey,
};
use crate::resale::{Breakdown, ListingAsk, ListingState, NotOfferedReason, PriceError, PriceRules};
use crate::store::OfficeOutcome;
use crate::sync::bam::SEALED_FOR;

/// What stands in a write's answer from before its last step on.
const SUBMITTED: &str = "submitted";
/// The same, Unix seconds of that step.
const SUBMITTED_AT: &str = "submitted_at";

/// A ticket that is to be sold or handed over, as its server has it now.
struct Goods {
    tenant: Option<String>,
    remote_id: String,
    ticket: BamTicket,
    on_ledger: LedgerTicket,
}

/// What signs on the ledger.
struct Signer {
    enrollment_id: String,
    certificate_pem: String,
    key: WalletKey,
}

impl Desk<'_> {
    /// What a ticket may be sold for, by its organiser's rules.
    ///
    /// # Errors
    /// [`Error::NotOffered`] for a ticket that cannot be sold; [`Error::NotFound`], as
    /// [`crate::remote::Session::send`], [`Error::Status`], [`Error::Reply`], [`Error::Database`].
    pub async fn ledger_rules(&self, ticket: TicketHash) -> Result<PriceRules, Error> {
        let bam = self.bam()?;
        let goods = self.goods(bam, ticket).await?;
        let config = goods.ticket.ticket_config.as_deref();
        let ruleset = self.ruleset(bam, &goods).await?.unwrap_or_default();
        config.map_or_else(|| Err(no_config()), |config| ruleset.price_rules(config))
    }

    /// What a price would come to at B.A.M's market, by its organiser's rules: no server is asked for it.
    ///
    /// # Errors
    /// As [`Desk::ledger_rules`]; [`Error::Input`] naming `price`.
    pub async fn ledger_preview(&self, ticket: TicketHash, price: &Money) -> Result<Breakdown, Error> {
        let rules = self.ledger_rules(ticket).await?;
        rules.preview(price, self.now_s()?).map_err(refused_price)
    }

    /// Offers a ticket for sale: to anybody, or to the one whose enrolment `sale` names.
    ///
    /// # Errors
    /// [`Error::NotOffered`] for a ticket that cannot be sold; [`Error::Input`] naming `price`, `until`, or `ticket_id` for
    /// one that is on offer already; [`Error::NotFound`] without a certificate; [`Error::Vault`]; as [`Desk::reserve`].
    pub async fn mark_for_sale(&self, ticket: TicketHash, sale: &LedgerSale) -> Result<OfficeWrite, Error> {
        let bam = self.bam()?;
        let (goods, now) = (self.goods(bam, ticket).await?, self.now_s()?);
        if sale.until <= now {
            return Err(input("until", "an offer stands until some time to come"));
        }
        self.check_price(bam, &goods, &sale.price, now).await?;
        let offers = bam.own_offers(&self.session, goods.tenant.as_deref()).await?;
        if offers.iter().any(|offer| is_of(offer, &goods.on_ledger)) {
            let listed = ListingAsk::Create.decide(Some(&ListingState::Active), None);
            return Err(input("ticket_id", listed.map_or_else(|why| why.to_string(), |_| String::new())));
        }
        let signer = self.signer().await?;
        let LedgerTicket { event_id, ticket_config_id, seq_num } = &goods.on_ledger;
        let asked = json!({
            "tenant": goods.tenant, "ticket_id": goods.remote_id, "event_id": event_id,
            "ticket_config_id": ticket_config_id, "seq_num": seq_num, "price": sale.price,
            "until": sale.until, "buyer_id": sale.buyer,
        });
        let certificate = signer.certificate_pem.clone();
        let call = LedgerCall::mark_for_sale(&goods.on_ledger, sale, &signer.enrollment_id, certificate)?;
        let id = self.begin(OfficeWriteKind::MarkForSale, &asked)?;
        self.transact(bam, (id, goods.tenant.as_deref()), &call, &signer).await
    }

    /// Hands a ticket over to an enrolment, at once. Its barcode is given up here when the ledger has taken it.
    ///
    /// # Errors
    /// As [`Desk::mark_for_sale`], naming `recipient`; [`Error::Untrusted`] where the server gives something else to be
    /// signed.
    pub async fn transfer_on_ledger(
        &self,
        ticket: TicketHash,
        recipient: &str,
    ) -> Result<OfficeWrite, Error> {
        let bam = self.bam()?;
        let recipient = recipient.trim();
        let goods = self.goods(bam, ticket).await?;
        let ruleset = self.ruleset(bam, &goods).await?;
        if ruleset.is_some_and(|ruleset| !ruleset.allows_transfer()) {
            return Err(Error::NotOffered(NotOfferedReason::TransferBarred));
        }
        let signer = self.signer().await?;
        if recipient.is_empty() || recipient == signer.enrollment_id {
            return Err(input("recipient", "somebody else's enrolment must be named here"));
        }
        let place = (goods.tenant.as_deref(), goods.remote_id.as_str());
        let payload = bam.transfer_payload(&self.session, place, &goods.on_ledger, recipient).await?;
        let asked = json!({
            "tenant": goods.tenant, "ticket_id": goods.remote_id, "subject": ticket.to_string(),
            "recipient": recipient,
        });
        let call = LedgerCall::transfer(payload, signer.certificate_pem.clone());
        let id = self.begin(OfficeWriteKind::TransferOnLedger, &asked)?;
        self.transact(bam, (id, goods.tenant.as_deref()), &call, &signer).await
    }

    /// Takes an offer of a ticket back.
    ///
    /// # Errors
    /// As [`Desk::reserve`]; [`Error::Status`] with 404 for an offer that is not there any more: it may have been sold.
    pub async fn delete_offer(&self, ticket: TicketHash, offer_id: &str) -> Result<OfficeWrite, Error> {
        let bam = self.bam()?;
        let binding = self.store().binding_of(ticket)?;
        let tenant = binding.tenant.as_deref();
        let asked = json!({ "tenant": tenant, "ticket_id": binding.remote_id, "offer_id": offer_id });
        let id = self.begin(OfficeWriteKind::DeleteOffer, &asked)?;
        let answer = bam.delete_offer(&self.session, (tenant, offer_id)).await;
        self.settle(id, answer.map(|()| json!({}))).await
    }

    /// The ticket as the server has it now, if it can change hands at all.
    async fn goods(&self, bam: &Bam, ticket: TicketHash) -> Result<Goods, Error> {
        let binding = self.store().binding_of(ticket)?;
        let place = (binding.tenant.as_deref(), binding.remote_id.as_str());
        let (ticket, _) = bam.ticket(&self.session, place).await?;
        match TicketFormat::from_text(ticket.format.as_deref().unwrap_or_default()) {
            TicketFormat::Secure => {}
            TicketFormat::Pdf => return Err(Error::NotOffered(NotOfferedReason::PdfTicket)),
            TicketFormat::Other { .. } => return Err(Error::NotOffered(NotOfferedReason::NotSecure)),
        }
        if !TicketStatus::from_text(ticket.status.as_deref().unwrap_or_default()).admits() {
            return Err(Error::NotOffered(NotOfferedReason::NotUsable));
        }
        let config = ticket.ticket_config.as_deref().ok_or_else(no_config)?;
        let event = config.event.as_deref().and_then(|event| event.id.clone());
        let on_ledger = LedgerTicket {
            event_id: event.ok_or_else(|| unreadable("data.ticket_config.event.id"))?,
            ticket_config_id: config.id.clone().ok_or_else(|| unreadable("data.ticket_config.id"))?,
            seq_num: ticket.seq_num.ok_or_else(|| unreadable("data.seq_num"))?,
        };
        Ok(Goods { tenant: binding.tenant, remote_id: binding.remote_id, ticket, on_ledger })
    }

    /// The rules for a ticket; `None` where its configuration has none.
    async fn ruleset(&self, bam: &Bam, goods: &Goods) -> Result<Option<BamRuleset>, Error> {
        let config = goods.ticket.ticket_config.as_deref();
        match config.and_then(|config| config.secondary_market_ruleset_id.as_deref()) {
            Some(id) if !id.is_empty() => bam.ruleset(&self.session, id).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Spares the person a refusal. A server that does not show its rules decides alone.
    async fn check_price(&self, bam: &Bam, goods: &Goods, price: &Money, now: i64) -> Result<(), Error> {
        let ruleset = match self.ruleset(bam, goods).await {
            Err(Error::Status { status: 403 | 404, .. }) => return Ok(()),
            ruleset => ruleset?.unwrap_or_default(),
        };
        let config = goods.ticket.ticket_config.as_deref().ok_or_else(no_config)?;
        ruleset.price_rules(config)?.check(price, now).map_err(refused_price)
    }

    /// The person's certificate with its key, which is open for as long as it signs.
    async fn signer(&self) -> Result<Signer, Error> {
        let held = self.store().enrollment(&self.account.id)?;
        let held = held.ok_or(Error::NotFound { what: "certificate on the ledger: enrol first; it is" })?;
        let (sealed, bound_to) = (held.sealed_key, format!("{SEALED_FOR}{}", self.account.id));
        let key = ask(&self.engine.vault, move |vault| {
            let opened = Zeroizing::new(vault.unseal(sealed, bound_to.into_bytes())?);
            let unreadable = Error::Untrusted { what: "the sealed key of the certificate is no text" };
            WalletKey::from_pem(std::str::from_utf8(&opened).map_err(|_| unreadable)?)
        });
        Ok(Signer { enrollment_id: held.enrollment_id, certificate_pem: held.certificate, key: key.await? })
    }

    /// The three steps of a transaction whose write is kept.
    async fn transact(
        &self,
        bam: &Bam,
        (id, tenant): (i64, Option<&str>),
        call: &LedgerCall,
        signer: &Signer,
    ) -> Result<OfficeWrite, Error> {
        let session = Some(&self.session);
        let mut signed = bam.sign_transaction(session, tenant, call, &signer.key).await;
        if signed.as_ref().is_err_and(Error::is_uncertain) {
            signed = bam.sign_transaction(session, tenant, call, &signer.key).await;
        }
        let signed = match signed {
            Ok(signed) => signed,
            Err(error) => return self.not_submitted(id, error),
        };
        fail::fail_point!("ledger-signed");
        self.keep_submitted(id, &signed)?;
        fail::fail_point!("ledger-begun");
        let submit = || bam.submit(session, tenant, &signed.endorsement, &signed.signature);
        let answer = match submit().await {
            Err(error) if error.is_uncertain() => {
                return self.recover(bam, (id, tenant), &signed, error).await;
            }
            answer => answer,
        };
        fail::fail_point!("ledger-replied");
        self.settle_receipt(id, answer).await
    }

    /// Keeps that the last step is about to be taken.
    fn keep_submitted(&self, id: i64, signed: &SignedTransaction) -> Result<(), Error> {
        let told = json!({ SUBMITTED: signed.endorsement.as_text(), SUBMITTED_AT: self.now_s()? });
        self.keep(id, OfficeWriteState::Sent, Some(told)).map(drop)
    }

    /// Nothing is on the ledger: not before the last step.
    fn not_submitted(&self, id: i64, error: Error) -> Result<OfficeWrite, Error> {
        let (status, server_code) = match &error {
            Error::Status { status, server_code, .. } => (Some(*status), server_code.clone()),
            _ => (None, None),
        };
        let state = OfficeWriteState::Rejected;
        self.store().settle_office_write(id, &OfficeOutcome { state, answer: None, status, server_code })?;
        Err(error)
    }

    /// What the ledger answered to the last step.
    async fn settle_receipt(
        &self,
        id: i64,
        answer: Result<LedgerReceipt, Error>,
    ) -> Result<OfficeWrite, Error> {
        match answer {
            Ok(receipt) if receipt.is_done() => {
                let found = self.read_back_kept(id).await.unwrap_or(Found::Unclear);
                let told = if let Found::Done(told) = found { told } else { json!({}) };
                self.settle_done(id, told)
            }
            Ok(receipt) => {
                let write = self.settle_ledger_by_reading(&self.store().office_write(id)?).await?;
                if write.state != OfficeWriteState::Unknown {
                    return Ok(write);
                }
                let told = receipt.name().map(str::to_owned);
                let mut answer = told_before(&write);
                answer["status"] = told.map_or(Value::Null, Value::from);
                self.keep(id, OfficeWriteState::Unknown, Some(answer))
            }
            Err(error) => self.not_submitted(id, error),
        }
    }

    /// After a lost answer to the last step: reads first, and sends the same transaction again if nothing is there.
    async fn recover(
        &self,
        bam: &Bam,
        (id, tenant): (i64, Option<&str>),
        signed: &SignedTransaction,
        lost: Error,
    ) -> Result<OfficeWrite, Error> {
        match self.read_back_kept(id).await {
            Ok(Found::Done(told)) => return self.settle_done(id, told),
            Ok(Found::Unchanged) => {}
            found => {
                let write = self.store().office_write(id)?;
                let kept = match found {
                    Ok(Found::Maybe(told)) => self.keep_candidates(&write, told),
                    _ => self.keep_unknown(&write),
                };
                return self.with_report(kept?, lost);
            }
        }
        self.keep_submitted(id, signed)?;
        let session = Some(&self.session);
        let again = bam.submit(session, tenant, &signed.endorsement, &signed.signature).await;
        match again {
            Ok(receipt) => self.settle_receipt(id, Ok(receipt)).await,
            // Spent, so that the first one counted, or refused: what is there tells.
            Err(error) => {
                let write = self.settle_ledger_by_reading(&self.store().office_write(id)?).await?;
                self.with_report(write, error)
            }
        }
    }

    async fn read_back_kept(&self, id: i64) -> Result<Found, Error> {
        let write = self.store().office_write(id)?;
        self.read_back(&write).await
    }

    /// Settles a transaction by what the server holds. Where that is unclear, that the last step was taken stays kept.
    pub(super) async fn settle_ledger_by_reading(&self, write: &OfficeWrite) -> Result<OfficeWrite, Error> {
        let before = told_before(write);
        if before[SUBMITTED].is_null() && write.state == OfficeWriteState::Sent {
            return self.keep(write.id, OfficeWriteState::Rejected, None);
        }
        let submitted_at = before[SUBMITTED_AT].as_i64().unwrap_or(write.created_at);
        match self.read_back(write).await.unwrap_or(Found::Unclear) {
            Found::Done(told) => self.settle_done(write.id, told),
            Found::Unchanged if self.has_landed(submitted_at)? => {
                self.keep(write.id, OfficeWriteState::Rejected, None)
            }
            Found::Maybe(told) => self.keep_candidates(write, told),
            _ => self.keep_unknown(write),
        }
    }

    /// Keeps what may be what was asked for: the person knows.
    fn keep_candidates(&self, write: &OfficeWrite, told: Value) -> Result<OfficeWrite, Error> {
        let mut answer = told_before(write);
        answer["candidates"] = told;
        self.keep(write.id, OfficeWriteState::Unknown, Some(answer))
    }

    fn keep_unknown(&self, write: &OfficeWrite) -> Result<OfficeWrite, Error> {
        self.keep_text(write.id, OfficeWriteState::Unknown, write.answer_json.clone())
    }

    /// A ticket that was handed over has no barcode here any more, whatever the next sync brings.
    fn settle_done(&self, id: i64, told: Value) -> Result<OfficeWrite, Error> {
        let write = self.store().office_write(id)?;
        if write.kind == OfficeWriteKind::TransferOnLedger {
            let asked: Value = serde_json::from_str(&write.request_json).unwrap_or_default();
            if let Some(ticket) = TicketHash::from_hex(text(&asked, "subject")) {
                self.store().give_up(ticket)?;
            }
        }
        self.keep(id, OfficeWriteState::Done, Some(told))
    }

    /// What the server tells of a lost answer.
    pub(super) async fn read_back_market(&self, write: &OfficeWrite, asked: &Value) -> Result<Found, Error> {
        let (bam, tenant) = (self.bam()?, asked["tenant"].as_str());
        let is_here = self.is_here(bam, (tenant, text(asked, "ticket_id"))).await?;
        if write.kind == OfficeWriteKind::TransferOnLedger {
            return Ok(if is_here { Found::Unchanged } else { Found::Done(json!({})) });
        }
        let offers = bam.own_offers(&self.session, tenant).await?;
        if write.kind == OfficeWriteKind::DeleteOffer {
            let stands = offers.iter().any(|offer| offer.remote_id == text(asked, "offer_id"));
            return Ok(match (stands, is_here) {
                (true, _) => Found::Unchanged,
                (false, true) => Found::Done(json!({})),
                (false, false) => Found::Otherwise(json!({ "sold": true })),
            });
        }
        let ticket = LedgerTicket {
            event_id: text(asked, "event_id").to_owned(),
            ticket_config_id: text(asked, "ticket_config_id").to_owned(),
            seq_num: asked["seq_num"].as_i64().unwrap_or_default(),
        };
        let price: Option<Money> = serde_json::from_value(asked["price"].clone()).ok();
        let found = offers.iter().find(|offer| is_of(offer, &ticket));
        Ok(match found {
            Some(offer) if offer.price == price => Found::Done(json!({ "offer_id": offer.remote_id })),
            Some(offer) => Found::Maybe(json!([{ "offer_id": offer.remote_id }])),
            None if is_here => Found::Unchanged,
            None => Found::Maybe(json!([])),
        })
    }

    /// Whether a ticket is still the account's.
    async fn is_here(&self, bam: &Bam, place: (Option<&str>, &str)) -> Result<bool, Error> {
        match bam.ticket(&self.session, place).await {
            Ok(_) => Ok(true),
            Err(Error::Status { status: 403 | 404 | 410, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What was kept with a write before.
fn told_before(write: &OfficeWrite) -> Value {
    let told = write.answer_json.as_deref().and_then(|json| serde_json::from_str(json).ok());
    told.filter(Value::is_object).unwrap_or_else(|| json!({}))
}

fn is_of(offer: &Offer, ticket: &LedgerTicket) -> bool {
    offer.ticket_config_id.as_ref() == Some(&ticket.ticket_config_id)
        && offer.seq_num == Some(ticket.seq_num)
        && offer.event_id.as_ref().is_none_or(|event| *event == ticket.event_id)
}

fn input(field: &'static str, reason: impl ToString) -> Error {
    Error::Input { field, reason: reason.to_string() }
}

fn refused_price(why: PriceError) -> Error {
    match why {
        PriceError::NotAllowed { .. } => Error::NotOffered(NotOfferedReason::ResaleBarred),
        why => input("price", why),
    }
}

fn no_config() -> Error {
    unreadable("data.ticket_config")
}

fn unreadable(field: &str) -> Error {
    Error::Reply { endpoint: "GET event/v1/ticket/:id".to_owned(), field: field.to_owned() }
}
