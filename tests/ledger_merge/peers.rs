//! Scanners of an event that are no gates: with a certificate and a key, and free to sign what they like.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use ticket_wallet::ScannerRequest;
use ticket_wallet::barcode::{CODE_LEN, DeviceSignature, PREFIX, base45};
use ticket_wallet::ledger::{
    ChainHead, ChainId, Delta, Evidence, HeadFields, Item, Kind, Place, Record, RecordFields, ScannerId,
    Verdict,
};
use ticket_wallet::manifest::Profile;
use ticket_wallet::model::{EventHash, Provider, TicketHash};

use crate::venue::{EVENT, PROVIDER, Venue};

pub(crate) fn event() -> EventHash {
    Provider::parse(PROVIDER).unwrap().event(EVENT).unwrap()
}

pub(crate) fn ticket(id: &str) -> TicketHash {
    Provider::parse(PROVIDER).unwrap().ticket(id).unwrap()
}

/// The bytes inside the text of a signed code.
pub(crate) fn code_bytes(text: &str) -> [u8; CODE_LEN] {
    base45::decode(text.strip_prefix(PREFIX).unwrap().as_bytes()).unwrap().try_into().unwrap()
}

pub(crate) fn delta(items: impl IntoIterator<Item = Item>) -> Vec<u8> {
    Delta { event: event(), more: None, items: items.into_iter().collect() }.to_bytes()
}

pub(crate) struct Peer {
    key: EcdsaKeyPair,
    pub(crate) scanner: ScannerId,
    pub(crate) chain: ChainId,
    pub(crate) certificate: Vec<u8>,
}

impl Peer {
    pub(crate) fn new(venue: &Venue, number: u8) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let certificate = venue.keys.certificate(ScannerRequest {
            provider: PROVIDER.to_owned(),
            event_id: EVENT.to_owned(),
            scanner_id: vec![number; 8],
            scanner_key: key.public_key().as_ref().to_vec(),
            not_before: 0,
            not_after: None,
            name: format!("Door {number}"),
            sections: Vec::new(),
        });
        let (scanner, chain) = (ScannerId([number; 8]), ChainId([number; 16]));
        Self { key, scanner, chain, certificate: certificate.unwrap() }
    }

    pub(crate) fn public_key(&self) -> Vec<u8> {
        self.key.public_key().as_ref().to_vec()
    }

    pub(crate) fn introduction(&self) -> Item {
        Item::Certificate(self.certificate.clone())
    }

    /// A refusal of a code that names no ticket, after a record.
    pub(crate) fn after(&self, before: Option<&Record>, time_ms: u64) -> RecordFields {
        RecordFields {
            chain: self.chain,
            scanner: self.scanner,
            sequence: before.map_or(0, |record| record.fields().sequence) + 1,
            previous: before.map_or([0; 32], Record::hash),
            event: event(),
            ticket: None,
            generation: 0,
            persons: 1,
            time_ms,
            presented_at: None,
            kind: Kind::Refusal,
            verdict: Verdict::Malformed,
            profile: Profile::Plain,
            clock_confirmed: true,
            evidence: Evidence::default(),
        }
    }

    /// The same as an admission that this code proves, or not.
    pub(crate) fn admission(
        &self,
        (before, time_ms): (Option<&Record>, u64),
        (ticket, generation): (TicketHash, u16),
        (code, presented_at): ([u8; CODE_LEN], u32),
    ) -> RecordFields {
        RecordFields {
            ticket: Some(ticket),
            generation,
            presented_at: Some(presented_at),
            kind: Kind::Admission,
            verdict: Verdict::Admit,
            profile: Profile::Signed,
            evidence: Evidence { code: Some(code), ..Evidence::default() },
            ..self.after(before, time_ms)
        }
    }

    pub(crate) fn sign(&self, fields: RecordFields) -> Record {
        let signature = self.signature(&Record::message(&fields.to_bytes().unwrap()));
        Record::from_parts(fields, signature).unwrap()
    }

    pub(crate) fn head(&self, last: &Place, time_ms: u64) -> ChainHead {
        let fields = HeadFields {
            chain: last.chain,
            scanner: self.scanner,
            event: event(),
            sequence: last.sequence,
            hash: last.hash,
            time_ms,
        };
        ChainHead::from_parts(&fields, self.signature(&ChainHead::message(&fields.to_bytes()))).unwrap()
    }

    fn signature(&self, message: &[u8]) -> DeviceSignature {
        DeviceSignature::from_der(self.key.sign(&SystemRandom::new(), message).unwrap().as_ref()).unwrap()
    }
}

pub(crate) fn item(record: &Record) -> Item {
    Item::Record(record.as_bytes().to_vec())
}
