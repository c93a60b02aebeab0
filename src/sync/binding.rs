//! Binding tickets to device keys, and renewing their leases.

use std::collections::BTreeMap;

use super::engine::{Run, SyncStage};
use crate::barcode::{DeviceKey, DeviceSignature, IssuerKey, Purpose, statement_message};
use crate::device::{ask, new_id, sign};
use crate::error::Error;
use crate::host::{KeyVault, KeyVaultError};
use crate::model::NoBarcodeReason;
use crate::remote::extension::{Answer, BindItem, Issued, MAX_BATCH, RenewItem};
use crate::store::{Binding, HeldCredential};

impl Run<'_> {
    /// Binds what starts within the horizon and has no credential, renews what is due.
    pub(super) async fn bind_and_renew(&mut self) -> Result<(), Error> {
        let now = self.engine.time.now()?.unix_s();
        let until = now.saturating_add(self.engine.bind_ahead_s);
        let bindable = self.engine.store.bindable(&self.account.id, now, until)?;
        let renewable = self.engine.store.renewable(&self.account.id, now)?;
        let total = u32::try_from(bindable.len() + renewable.len()).ok();
        let mut done = 0;
        for (bindings, renew) in [(bindable, false), (renewable, true)] {
            for batch in batches(bindings) {
                let result = if renew { self.renew(&batch).await } else { self.bind(&batch).await };
                self.forgive(result)?;
                done += u32::try_from(batch.len()).unwrap_or(0);
                self.tell(SyncStage::Barcodes, done, total);
            }
        }
        Ok(())
    }

    async fn bind(&mut self, batch: &[Binding]) -> Result<(), Error> {
        let Some(extension) = self.extension(tenant(batch)).await?.cloned() else { return Ok(()) };
        let keys = self.device_keys(batch).await?;
        let items: Vec<_> = batch
            .iter()
            .zip(&keys)
            .map(|(binding, key)| BindItem { ticket_id: &binding.remote_id, device_key: *key })
            .collect();
        let answers = extension.bind(&self.engine.http, &self.session, &self.bam, &new_id()?, &items).await?;
        for ((binding, key), answer) in batch.iter().zip(&keys).zip(answers) {
            if self.keep(binding, key, extension.issuer_keys(), answer)? {
                self.report.bound += 1;
            }
        }
        Ok(())
    }

    async fn renew(&mut self, batch: &[Binding]) -> Result<(), Error> {
        let Some(extension) = self.extension(tenant(batch)).await?.cloned() else { return Ok(()) };
        let at = u32::try_from(self.engine.time.now()?.unix_s()).unwrap_or(u32::MAX);
        let idempotency_key = new_id()?;
        let signed = self.sign_renewals(batch, at, &idempotency_key).await?;
        if signed.is_empty() {
            return Ok(());
        }
        let items = signed.iter().map(|(binding, held, signature)| RenewItem {
            ticket_id: &binding.remote_id,
            credential: &held.credential,
            at,
            signature: *signature,
        });
        let items: Vec<_> = items.collect();
        let answers =
            extension.renew(&self.engine.http, &self.session, &self.bam, &idempotency_key, &items).await?;
        for ((binding, held, _), answer) in signed.iter().zip(answers) {
            let key = held
                .credential
                .device_key()
                .ok_or(Error::Untrusted { what: "a kept credential is damaged" })?;
            if self.keep(binding, &key, extension.issuer_keys(), answer)? {
                self.report.renewed += 1;
            }
        }
        Ok(())
    }

    /// The public keys of the tickets' device keys, which the vault makes where there are none yet.
    async fn device_keys(&self, batch: &[Binding]) -> Result<Vec<DeviceKey>, Error> {
        let plan = |binding: &Binding| self.engine.store.plan_device_key(binding.ticket, &new_id()?);
        let handles = batch.iter().map(plan).collect::<Result<Vec<_>, Error>>()?;
        let no_point = |_| Error::Untrusted { what: "the key vault's public key is no P-256 point" };
        ask(&self.engine.vault, move |vault| {
            let create = |handle| {
                let public = vault.create_key(handle).map_err(not_made)?;
                DeviceKey::from_x963(&public).map_err(no_point)
            };
            handles.into_iter().map(create).collect()
        })
        .await
    }

    /// The statements for renewals. A key that the vault no longer has must not keep other tickets from theirs.
    async fn sign_renewals<'b>(
        &self,
        batch: &'b [Binding],
        at: u32,
        idempotency_key: &str,
    ) -> Result<Vec<(&'b Binding, &'b HeldCredential, DeviceSignature)>, Error> {
        let statements = batch.iter().filter_map(|binding| {
            let held = binding.state.credential.as_ref()?;
            let message = statement_message(Purpose::Renew, &held.credential, at, idempotency_key)?;
            Some((binding, held, binding.state.handle.clone()?, message))
        });
        let statements: Vec<_> = statements.collect();
        let to_sign: Vec<_> =
            statements.iter().map(|(_, _, handle, message)| (handle.clone(), message.clone())).collect();
        let signatures: Vec<_> = ask(&self.engine.vault, move |vault| {
            to_sign.into_iter().map(|(handle, message)| sign_renewal(vault, handle, message)).collect()
        })
        .await?;
        let signed = statements.into_iter().zip(signatures).filter_map(|((binding, held, ..), signature)| {
            signature.map(|signature| (binding, held, signature))
        });
        Ok(signed.collect())
    }

    /// Checks an answer and keeps it; returns whether a credential was kept.
    fn keep(
        &mut self,
        binding: &Binding,
        key: &DeviceKey,
        issuers: &[IssuerKey],
        answer: Answer,
    ) -> Result<bool, Error> {
        match answer {
            Answer::Issued(issued) => {
                let Some(held) = self.checked(binding, key, issuers, issued)? else {
                    return self.refuse(binding, NoBarcodeReason::BAD_CREDENTIAL);
                };
                self.engine.store.save_credential(binding.ticket, &held)?;
                Ok(true)
            }
            Answer::Refused(problem) => self.refuse(binding, &problem),
        }
    }

    fn refuse(&mut self, binding: &Binding, problem: &str) -> Result<bool, Error> {
        self.engine.store.save_refusal(binding.ticket, problem)?;
        self.report.refused += 1;
        Ok(false)
    }

    /// A credential for which everything holds that must before it is kept: the issuer's signature, this device's key,
    /// this event and ticket, and no generation below the one held.
    fn checked(
        &self,
        binding: &Binding,
        key: &DeviceKey,
        issuers: &[IssuerKey],
        issued: Issued,
    ) -> Result<Option<HeldCredential>, Error> {
        let Issued { credential, renew_after } = issued;
        let fields = credential.fields();
        let provider = self.bam.provider(binding.tenant.as_deref())?;
        let event = binding.event_remote_id.as_deref().and_then(|id| provider.event(id).ok());
        let held = binding.state.credential.as_ref().map(|held| held.credential.fields().generation);
        let is_ours = credential.device_key().as_ref() == Some(key)
            && fields.ticket == binding.ticket
            && event == Some(fields.event)
            && held.is_none_or(|held| fields.generation >= held);
        let signed = |issuer: &&IssuerKey| issuer.id() == fields.key_id && credential.is_signed_by(issuer);
        let issuer_key = issuers.iter().find(signed).filter(|_| is_ours);
        Ok(issuer_key.map(|&issuer_key| HeldCredential { credential, issuer_key, renew_after }))
    }
}

/// A key that cannot be made is no key that was lost: no ticket must be bound anew for it.
fn not_made(error: KeyVaultError) -> KeyVaultError {
    match error {
        KeyVaultError::Missing | KeyVaultError::Invalidated => {
            KeyVaultError::Failed { reason: "it makes no device keys now".to_owned() }
        }
        other => other,
    }
}

/// `None` when the vault no longer has the key.
fn sign_renewal(
    vault: &dyn KeyVault,
    handle: String,
    message: Vec<u8>,
) -> Result<Option<DeviceSignature>, Error> {
    match sign(vault, handle, Purpose::Renew, message) {
        Err(Error::Vault(KeyVaultError::Missing | KeyVaultError::Invalidated)) => Ok(None),
        other => other.map(Some),
    }
}

/// Batches of one tenant each, in the order in which the tickets start.
fn batches(bindings: Vec<Binding>) -> Vec<Vec<Binding>> {
    let mut by_tenant = BTreeMap::<Option<String>, Vec<Binding>>::new();
    for binding in bindings {
        by_tenant.entry(binding.tenant.clone()).or_default().push(binding);
    }
    by_tenant
        .into_values()
        .flat_map(|of_one| of_one.chunks(MAX_BATCH).map(<[_]>::to_vec).collect::<Vec<_>>())
        .collect()
}

fn tenant(batch: &[Binding]) -> Option<&str> {
    batch.first().and_then(|binding| binding.tenant.as_deref())
}
