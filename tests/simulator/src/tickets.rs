//! Tickets and the phones that show them. Keys and credentials are made when they are first shown.

use std::collections::HashMap;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use ticket_wallet::barcode::{Credential, DeviceSignature, code_text, proof_message};
use ticket_wallet::model::{Provider, TicketHash};
use ticket_wallet::{CredentialRequest, Issuer};

use crate::device::BEGIN_MS;
use crate::event_server::{EVENT, PROVIDER};

/// A phone with one copy of a ticket.
struct Phone {
    key: EcdsaKeyPair,
    credential: Credential,
}

/// A frame as it is shown.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) text: String,
    /// Unix seconds.
    pub(crate) shown_at: u32,
}

pub(crate) struct Tickets {
    issuer: Issuer,
    provider: Provider,
    window_s: u8,
    phones: HashMap<(u32, u16), Phone>,
    random: SystemRandom,
}

/// A ticket's id in its system.
pub(crate) fn ticket_id(ticket: u32) -> String {
    format!("t{ticket}")
}

impl Tickets {
    pub(crate) fn new(window_s: u8) -> Result<Self, String> {
        Ok(Self {
            issuer: Issuer::new(vec![7; 32]).map_err(said)?,
            provider: Provider::parse(PROVIDER).map_err(said)?,
            window_s,
            phones: HashMap::new(),
            random: SystemRandom::new(),
        })
    }

    pub(crate) fn issuer_key(&self) -> Vec<u8> {
        self.issuer.public_key()
    }

    pub(crate) fn hash(&self, ticket: u32) -> Result<TicketHash, String> {
        self.provider.ticket(&ticket_id(ticket)).map_err(said)
    }

    /// What the phone with this copy shows at a time, Unix seconds.
    pub(crate) fn show(&mut self, ticket: u32, generation: u16, shown_at: u32) -> Result<Frame, String> {
        if !self.phones.contains_key(&(ticket, generation)) {
            let phone = self.sell(ticket, generation)?;
            self.phones.insert((ticket, generation), phone);
        }
        let phone = self.phones.get(&(ticket, generation)).ok_or("a phone is gone")?;
        let message = proof_message(&phone.credential, shown_at, None);
        let signature =
            phone.key.sign(&self.random, &message).map_err(|_| "a phone does not sign".to_owned())?;
        let signature = DeviceSignature::from_der(signature.as_ref()).map_err(said)?;
        let text = code_text(&phone.credential, shown_at, &signature);
        Ok(Frame { text, shown_at })
    }

    fn sell(&self, ticket: u32, generation: u16) -> Result<Phone, String> {
        let refused = |_| "a phone makes no key".to_owned();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.random);
        let pkcs8 = pkcs8.map_err(refused)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &self.random)
            .map_err(said)?;
        let begin = u32::try_from(BEGIN_MS / 1000).unwrap_or(0);
        let request = CredentialRequest {
            provider: PROVIDER.to_owned(),
            event_id: EVENT.to_owned(),
            ticket_id: ticket_id(ticket),
            section: 0,
            generation,
            not_before: begin - 86_400,
            lease_end: begin + 7 * 86_400,
            window_s: self.window_s,
            nonce_required: false,
            device_key: key.public_key().as_ref().to_vec(),
        };
        let credential = Credential::from_bytes(&self.issuer.credential(request).map_err(said)?);
        Ok(Phone { key, credential: credential.map_err(said)? })
    }
}

/// What an error says.
pub(crate) fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
