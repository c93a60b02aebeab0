//! What B.A.M gives to a gate: validators, and the ledger's `TICKET.INVALIDATE`.

use std::sync::Arc;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use ticket_wallet::barcode::{BamCode, BamCodeTicket};
use ticket_wallet::error::Error;
use ticket_wallet::model::{BamConfig, SystemConfig};
use ticket_wallet::remote::Session;
use ticket_wallet::remote::bam::{
    Bam, BamValidator, LedgerCall, LedgerDigest as Digest, LedgerReceipt, WalletKey,
};
use ticket_wallet_sandbox::{BamChoices, LedgerDigest, Sandbox, SandboxConfig};

use crate::bam_client::{self, Client};
use crate::gatehouse::{CLUB, EVENT};
use crate::phone::{TestClock, sandbox};
use crate::refusal;

struct Gate {
    sandbox: Sandbox,
    clock: TestClock,
    bam: Bam,
}

impl Gate {
    async fn new() -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig::default()).await;
        let bam = bam_client::client(&clock, &SystemConfig::at(sandbox.url()));
        Self { sandbox, clock, bam }
    }

    async fn validator(&self, event: i64) -> BamValidator {
        self.bam.validator(&self.sandbox.validator_token(CLUB, event)).await.unwrap()
    }

    /// A new ticket's id and what its code names.
    fn ticket(&self) -> (i64, BamCodeTicket) {
        let user = self.sandbox.users()[0].name.clone();
        let id = self.sandbox.add_ticket(&user, CLUB, EVENT).unwrap().unwrap();
        let seq_num = u64::try_from(1_000_000 + id).unwrap();
        (id, BamCodeTicket { event: 1, ticket_config: 1, seq_num })
    }

    fn call(&self, validator: &BamValidator, ticket: BamCodeTicket) -> LedgerCall {
        let certificate = validator.wallet.certificate_pem.clone();
        LedgerCall::invalidate(ticket, self.clock.wall_ms(), certificate)
    }

    async fn invalidate(
        &self,
        call: &LedgerCall,
        sign: impl Fn(&Digest) -> Vec<u8>,
    ) -> Result<LedgerReceipt, Error> {
        let proposal = self.bam.propose(None, Some(CLUB), call).await?;
        let endorsed = self.bam.endorse(None, Some(CLUB), &proposal, &sign(&proposal)).await?;
        self.bam.submit(None, Some(CLUB), &endorsed, &sign(&endorsed)).await
    }
}

fn key(validator: &BamValidator) -> SigningKey {
    use base64::Engine as _;
    let pem = validator.wallet.private_key.lines().filter(|line| !line.starts_with('-'));
    let der = base64::engine::general_purpose::STANDARD.decode(pem.collect::<String>()).unwrap();
    // ECPrivateKey (RFC 5915): version 1, then the scalar in an octet string.
    let version = b"\x02\x01\x01\x04\x20";
    let at = der.windows(version.len()).position(|bytes| bytes == version).unwrap() + version.len();
    SigningKey::from_slice(&der[at..at + 32]).unwrap()
}

/// A signature in DER, made with a high s as some vaults do.
fn high(signature: Signature) -> Vec<u8> {
    let (r, s) = signature.normalize_s().split_scalars();
    Signature::from_scalars(r, -s).unwrap().to_der().as_bytes().to_vec()
}

#[tokio::test]
async fn a_token_gives_an_events_validator_and_no_other_does() {
    let gate = Gate::new().await;
    let validator = gate.validator(EVENT).await;
    assert_eq!((validator.event_id.as_str(), validator.organizer.as_str()), ("1", CLUB));
    assert!(validator.wallet.certificate_pem.starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(validator.server_url, None);
    assert!(!format!("{validator:?}").contains(&*validator.wallet.private_key));
    assert_eq!(gate.validator(EVENT).await.wallet, validator.wallet);
    assert_eq!(refusal(gate.bam.validator("nothing").await), (404, "NOT_FOUND".to_owned()));
    assert!(matches!(gate.bam.validator("..").await, Err(Error::Input { field: "id", .. })));
}

#[tokio::test]
async fn an_organizer_exports_the_validators_of_its_events() {
    let gate = Gate::new().await;
    let desk = Client::organizer(&gate.clock, &gate.sandbox, CLUB, BamConfig::default()).await;
    let all = desk.bam.validators(&desk.session, "101", None).await.unwrap();
    assert_eq!(all.len(), 5);
    let one = desk.bam.validators(&desk.session, "101", Some("1")).await.unwrap();
    assert!(one == [gate.validator(EVENT).await]);
    let other = desk.bam.validators(&desk.session, "102", None).await;
    assert_eq!(refusal(other), (403, "FORBIDDEN".to_owned()));
    let holder = Client::holder(&gate.clock, &gate.sandbox, 0).await;
    let refused = holder.bam.validators(&holder.session, "101", None).await;
    assert_eq!(refusal(refused), (403, "FORBIDDEN".to_owned()));
}

#[tokio::test]
async fn a_ticket_is_invalidated_once_in_three_signed_steps() {
    let gate = Gate::new().await;
    let validator = gate.validator(EVENT).await;
    let key = key(&validator);
    for (form, sign) in [
        (
            LedgerDigest::Message,
            (&|digest: &Digest| high(key.sign(&digest.to_bytes()))) as &dyn Fn(&Digest) -> Vec<u8>,
        ),
        (LedgerDigest::Hash, &|digest: &Digest| high(key.sign_prehash(&digest.to_bytes()).unwrap())),
    ] {
        gate.sandbox.set_bam_choices(BamChoices { ledger_digest: form, ..BamChoices::default() });
        let (id, ticket) = gate.ticket();
        let call = gate.call(&validator, ticket);
        let done = gate.invalidate(&call, sign).await.unwrap();
        assert_eq!(done.status, "SUCCESS");
        assert!(done.info.unwrap().contains(&id.to_string()));
        let again = gate.invalidate(&call, sign).await;
        assert_eq!(refusal(again), (409, "TICKET_NOT_USABLE".to_owned()));
    }
    let applied = gate.sandbox.journal().unwrap();
    assert_eq!(applied.iter().filter(|entry| entry.kind == "ledger.invalidate").count(), 2);
}

#[tokio::test]
async fn a_step_without_its_signature_changes_nothing() {
    let gate = Gate::new().await;
    let (validator, other) = (gate.validator(EVENT).await, gate.validator(2).await);
    let (own, foreign) = (key(&validator), key(&other));
    let (_, ticket) = gate.ticket();
    let call = gate.call(&validator, ticket);
    let sign = |key: &SigningKey, digest: &Digest| {
        let signature: Signature = key.sign_prehash(&digest.to_bytes()).unwrap();
        signature.to_der().as_bytes().to_vec()
    };
    let refused = gate.invalidate(&call, |digest| sign(&foreign, digest)).await;
    assert_eq!(refusal(refused), (400, "INVALID_SIGNATURE".to_owned()));
    let nonsense = gate.invalidate(&call, |_| b"no DER".to_vec()).await;
    assert!(matches!(nonsense, Err(Error::Untrusted { .. })));
    let proposal = gate.bam.propose(None, Some(CLUB), &call).await.unwrap();
    let skipped = gate.bam.submit(None, Some(CLUB), &proposal, &sign(&own, &proposal)).await;
    assert_eq!(refusal(skipped), (404, "NOT_FOUND".to_owned()), "an endorsement is needed first");
    gate.bam.endorse(None, Some(CLUB), &proposal, &sign(&own, &proposal)).await.unwrap();
    let twice = gate.bam.endorse(None, Some(CLUB), &proposal, &sign(&own, &proposal)).await;
    assert_eq!(refusal(twice), (404, "NOT_FOUND".to_owned()), "a digest counts once");
    // Another event's validator, a certificate of nobody, a ticket that is none.
    let theirs = gate.bam.propose(None, Some(CLUB), &gate.call(&other, ticket)).await;
    assert_eq!(refusal(theirs), (403, "FORBIDDEN".to_owned()));
    let nobody = LedgerCall { certificate_pem: "none".to_owned(), ..call.clone() };
    let nobody = gate.bam.propose(None, Some(CLUB), &nobody).await;
    assert_eq!(refusal(nobody), (403, "UNKNOWN_CERTIFICATE".to_owned()));
    let missing = gate.call(&validator, BamCodeTicket { seq_num: 4_000_000, ..ticket });
    let missing = LedgerCall { argument: missing.argument, ..call.clone() };
    assert_eq!(refusal(gate.bam.propose(None, Some(CLUB), &missing).await), (404, "NOT_FOUND".to_owned()));
    let strange = LedgerCall { function: "TICKET.ISSUE", ..call.clone() };
    let strange = gate.bam.propose(None, Some(CLUB), &strange).await;
    assert_eq!(refusal(strange), (400, "UNKNOWN_FUNCTION".to_owned()));
    assert_eq!(gate.invalidate(&call, |digest| sign(&own, digest)).await.unwrap().status, "SUCCESS");
}

#[tokio::test]
async fn a_validators_wallet_signs_in_and_reads_its_events_key_and_nothing_of_the_office() {
    let gate = Gate::new().await;
    let validator = gate.validator(EVENT).await;
    let wallet = WalletKey::from_pem(&validator.wallet.private_key).unwrap();
    let enrollment = validator.wallet.enrollment_id.as_str();
    let tokens = gate.bam.sign_in_with_wallet((enrollment, &wallet), CLUB, "first").await.unwrap();
    assert!(tokens.refresh.is_none());
    let session = Session::new(tokens, Box::new(|_| Ok(())));
    assert_eq!(gate.bam.tenant_of_organizer(&session, Some(CLUB)).await.unwrap().as_deref(), Some(CLUB));
    let by_name = gate.bam.event_public_key(&session, Some(CLUB), CLUB, "1").await.unwrap();
    let desk = Client::organizer(&gate.clock, &gate.sandbox, CLUB, BamConfig::default()).await;
    let by_id = desk.bam.event_public_key(&desk.session, Some(CLUB), "101", "1").await.unwrap();
    assert_eq!(by_name.to_x963(), by_id.to_x963());
    let office = gate.bam.validators(&session, "101", None).await;
    assert_eq!(refusal(office), (403, "FORBIDDEN".to_owned()));
    let other = WalletKey::from_pem(&gate.validator(2).await.wallet.private_key).unwrap();
    for (who, key, organizer) in
        [(enrollment, &other, CLUB), ("nobody", &wallet, CLUB), (enrollment, &wallet, "nowhere")]
    {
        let refused = gate.bam.sign_in_with_wallet((who, key), organizer, "second").await;
        assert_eq!(refused.err(), Some(Error::SignedOut), "{who} {organizer}");
    }
}

/// The code that a phone shows names the ticket that the ledger takes.
#[tokio::test]
async fn a_scanned_code_is_enough_to_invalidate() {
    let gate = Gate::new().await;
    let holder = Client::holder(&gate.clock, &gate.sandbox, 0).await;
    let (id, _) = gate.ticket();
    let place = (Some(CLUB), id.to_string());
    let code = holder.bam.static_code(&holder.session, (place.0, &place.1)).await.unwrap();
    let read = BamCode::parse(&code.text).unwrap();
    let desk = Client::organizer(&gate.clock, &gate.sandbox, CLUB, BamConfig::default()).await;
    let event_key = desk.bam.event_public_key(&desk.session, Some(CLUB), "101", "1").await.unwrap();
    read.verify(&event_key).unwrap();
    let validator = gate.validator(EVENT).await;
    let key = Arc::new(key(&validator));
    let call = gate.call(&validator, read.ticket());
    let sign = |digest: &Digest| high(key.sign_prehash(&digest.to_bytes()).unwrap());
    assert_eq!(gate.invalidate(&call, sign).await.unwrap().status, "SUCCESS");
    let with_session = desk.bam.propose(Some(&desk.session), Some(CLUB), &call).await;
    assert_eq!(refusal(with_session), (409, "TICKET_NOT_USABLE".to_owned()));
}
