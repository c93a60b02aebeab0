//! The ledger itself: what is signed is checked for real, and counts once.

use std::sync::Arc;

use ticket_wallet::error::Error;
use ticket_wallet::model::{LedgerSale, Money, SystemConfig, TicketFormat, Tokens};
use ticket_wallet::remote::Session;
use ticket_wallet::remote::bam::{
    Bam, Enrollment, LedgerCall, LedgerReceipt, LedgerTicket, SignedTransaction, WalletKey,
};

use crate::client::http;
use crate::seller::{Held, Seller};

/// A client of the sandbox in a user's name, with a certificate of that user's.
struct Client {
    bam: Bam,
    session: Session,
    enrollment: Enrollment,
    key: WalletKey,
}

impl Client {
    async fn of(seller: &Seller, user: usize) -> Self {
        let http = http(None, &seller.clock, Vec::new());
        let bam = Bam::new(Arc::new(http), &SystemConfig::at(seller.sandbox.url())).unwrap();
        let who = &seller.sandbox.users()[user];
        let tokens: Tokens = bam.login(&who.name, &who.password).await.unwrap();
        let session = Session::new(tokens, Box::new(|_| Ok(())));
        let enrollment = match bam.enroll(&session).await {
            Ok(made) => made,
            Err(_) => bam.renew_certificate(&session).await.unwrap(),
        };
        let key = WalletKey::from_pem(&enrollment.private_key).unwrap();
        Self { bam, session, enrollment, key }
    }

    fn offers(&self, held: &Held, sale: &LedgerSale) -> LedgerCall {
        let certificate = self.enrollment.certificate_pem.clone();
        let seller = &self.enrollment.enrollment_id;
        LedgerCall::mark_for_sale(&on_ledger(held), sale, seller, certificate).unwrap()
    }

    async fn sign(&self, held: &Held, call: &LedgerCall) -> Result<SignedTransaction, Error> {
        self.bam.sign_transaction(Some(&self.session), Some(held.tenant), call, &self.key).await
    }

    async fn submit(&self, held: &Held, signed: &SignedTransaction) -> Result<LedgerReceipt, Error> {
        let session = Some(&self.session);
        self.bam.submit(session, Some(held.tenant), &signed.endorsement, &signed.signature).await
    }
}

fn on_ledger(held: &Held) -> LedgerTicket {
    let config = &held.record["ticket_config"];
    LedgerTicket {
        event_id: config["event"]["id"].to_string(),
        ticket_config_id: config["id"].to_string(),
        seq_num: held.record["seq_num"].as_i64().unwrap(),
    }
}

fn refusal<T>(result: Result<T, Error>) -> (u16, String) {
    match result {
        Err(Error::Status { status, server_code, .. }) => (status, server_code.unwrap_or_default()),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken"),
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn only_the_owners_key_signs_and_a_transaction_counts_once() {
    let seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let (owner, other) = (Client::of(&seller, 0).await, Client::of(&seller, 1).await);
    let call = owner.offers(&held, &seller.sale(held.face_value()));

    // Another's ticket, another's name, another's key.
    let theirs = other.offers(&held, &seller.sale(held.face_value()));
    assert_eq!(refusal(other.sign(&held, &theirs).await), refused(404, "NOT_FOUND"));
    let certificate_pem = other.enrollment.certificate_pem.clone();
    let named = LedgerCall { certificate_pem, ..call.clone() };
    assert_eq!(refusal(other.sign(&held, &named).await), refused(403, "FORBIDDEN"));
    let session = Some(&owner.session);
    let forged = owner.bam.sign_transaction(session, Some(held.tenant), &call, &other.key).await;
    assert_eq!(refusal(forged), refused(400, "INVALID_SIGNATURE"));
    let mut signed = owner.sign(&held, &call).await.unwrap();
    let good = signed.signature.clone();
    signed.signature = other.key.sign_hash(&signed.endorsement.to_bytes()).unwrap();
    assert_eq!(refusal(owner.submit(&held, &signed).await), refused(400, "INVALID_SIGNATURE"));
    assert_eq!(seller.done("ledger.mark_for_sale", &held), 0);

    signed.signature = good;
    assert!(owner.submit(&held, &signed).await.unwrap().is_done());
    assert_eq!(refusal(owner.submit(&held, &signed).await), refused(404, "NOT_FOUND"));
    assert_eq!(refusal(owner.sign(&held, &call).await), refused(409, "ALREADY_OFFERED"));
    assert_eq!(seller.done("ledger.mark_for_sale", &held), 1);
}

#[tokio::test]
async fn the_server_keeps_to_its_rules_whoever_asks() {
    let seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let owner = Client::of(&seller, 0).await;
    let face = held.face_value();
    let over = Money { minor: face.minor + face.minor / 10 + 1, ..face.clone() };
    let sale = seller.sale(face.clone());
    let cases = [
        (owner.offers(&held, &seller.sale(over)), (422, "PRICE_TOO_HIGH")),
        (owner.offers(&held, &LedgerSale { until: 1, ..sale.clone() }), (422, "VALIDATION_FAILED")),
        (
            owner.offers(&held, &LedgerSale { buyer: Some("e-0".to_owned()), ..sale.clone() }),
            (404, "NOT_FOUND"),
        ),
        (altered(owner.offers(&held, &sale), "MARKET", "AUCTION"), (422, "AUCTION_NOT_AVAILABLE")),
        (altered(owner.offers(&held, &sale), "MARKET", "DIRECT"), (422, "VALIDATION_FAILED")),
        (altered(owner.offers(&held, &sale), "\"price\":", "\"price\":-"), (422, "VALIDATION_FAILED")),
    ];
    for (call, (status, code)) in cases {
        assert_eq!(refusal(owner.sign(&held, &call).await), refused(status, code), "{}", call.argument);
    }
    let pdf = seller.ticket(TicketFormat::Pdf).await;
    let call = owner.offers(&pdf, &seller.sale(pdf.face_value()));
    assert_eq!(refusal(owner.sign(&pdf, &call).await), refused(422, "TICKET_NOT_SECURE"));
}

fn altered(call: LedgerCall, from: &str, to: &str) -> LedgerCall {
    let argument = call.argument.replace(from, to);
    assert_ne!(argument, call.argument);
    LedgerCall { argument, ..call }
}

#[tokio::test]
async fn an_argument_has_its_price_as_it_was_written() {
    let ticket = LedgerTicket { event_id: "9".to_owned(), ticket_config_id: "seven".to_owned(), seq_num: 3 };
    let sale = LedgerSale { price: "64.50 EUR".parse().unwrap(), until: 1_795_219_200, buyer: None };
    let call = LedgerCall::mark_for_sale(&ticket, &sale, "e-1", "PEM".to_owned()).unwrap();
    let expected = r#"{"tickets":[{"seq_num":3,"ticket_config":{"id":"seven","event":{"id":9}},"price":64.50,"locked_until":"2026-11-21T00:00:00.000Z","type":"MARKET"}],"seller_id":"e-1"}"#;
    assert_eq!((call.function, call.argument.as_str()), ("TICKET.MARK_FOR_SALE", expected));
    let direct = LedgerSale { buyer: Some("e-2".to_owned()), price: "1250 JPY".parse().unwrap(), ..sale };
    let call = LedgerCall::mark_for_sale(&ticket, &direct, "e-1", "PEM".to_owned()).unwrap();
    assert!(
        call.argument.contains(r#""price":1250,"#)
            && call.argument.contains(r#""type":"DIRECT","buyer_id":"e-2""#)
    );
}
