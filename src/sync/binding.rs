//! Binding tickets to device keys, and renewing their leases: what is due is put into the outbox, one request for each
//! tenant and hundred tickets, and sent from there.

use std::collections::BTreeMap;

use super::engine::Run;
use super::outbox::Outcomes;
use crate::barcode::{DeviceKey, DeviceSignature, IssuerKey, Purpose, statement_message};
use crate::clock::TrustedNow;
use crate::device::{ask, new_id, sign};
use crate::error::Error;
use crate::host::{KeyVault, KeyVaultError};
use crate::model::{NoBarcodeReason, Statement, Write};
use crate::remote::extension::{Answer, BindItem, Issued, MAX_BATCH, RenewItem};
use crate::store::{Binding, HeldCredential, NewWrite, OutboxRow, Settled};

impl Run<'_> {
    /// Puts into the outbox what starts within the horizon and has no credential, and what is to be renewed.
    pub(super) async fn plan_barcodes(&mut self) -> Result<(), Error> {
        let time = self.engine.time.now()?;
        let now = time.unix_s();
        let until = now.saturating_add(self.engine.bind_ahead_s);
        for batch in batches(self.engine.store.bindable(&self.account.id, now, until)?) {
            let fresh = batch.iter().map(|binding| Ok((binding.ticket, new_id()?)));
            let handles = self.engine.store.plan_device_keys(&fresh.collect::<Result<Vec<_>, Error>>()?)?;
            let writes = batch.iter().zip(handles);
            let writes = writes.map(|(binding, handle)| (binding, Write::Bind { handle, take_over: false }));
            self.keep_plan(new_id()?, writes.collect(), &time)?;
        }
        for batch in batches(self.engine.store.renewable(&self.account.id, now)?) {
            let (key, at) = (new_id()?, u32::try_from(now).unwrap_or(u32::MAX));
            let signed = match self.sign_renewals(&batch, at, &key).await {
                Err(error @ (Error::Vault(_) | Error::Untrusted { .. })) => {
                    self.failure.get_or_insert(error);
                    continue;
                }
                signed => signed?,
            };
            let writes = signed.into_iter().map(|(binding, signature)| {
                let signature = hex::encode(signature.to_bytes());
                (binding, Write::Renew { statement: Statement { at, signature } })
            });
            self.keep_plan(key, writes.collect(), &time)?;
        }
        Ok(())
    }

    fn keep_plan(
        &mut self,
        key: String,
        writes: Vec<(&Binding, Write)>,
        now: &TrustedNow,
    ) -> Result<(), Error> {
        self.barcodes_planned += u32::try_from(writes.len()).unwrap_or(0);
        let new = writes.into_iter().map(|(binding, write)| NewWrite {
            account_id: self.account.id.clone(),
            subject: binding.ticket,
            write,
            key: key.clone(),
            created_at: now.unix_s(),
            dated: now.uncertainty.confirmed,
        });
        self.engine.store.enqueue_automatic(&new.collect::<Vec<_>>())
    }

    /// One request that binds tickets of one tenant.
    pub(super) async fn send_binds(&mut self, rows: Vec<OutboxRow>) -> Result<Outcomes, Error> {
        let (mut rows, bindings) = self.with_bindings(rows)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let Some(extension) = self.extension(tenant(&bindings)).await?.cloned() else {
            return Ok(rows.into_iter().map(|row| (row, Settled::Dropped)).collect());
        };
        let handles = rows.iter().filter_map(|row| match &row.new.write {
            Write::Bind { handle, .. } => Some(handle.clone()),
            _ => None,
        });
        let keys = self.create_keys(handles.collect()).await?;
        let items = bindings.iter().zip(&keys);
        let items: Vec<_> = items
            .map(|(binding, key)| BindItem { ticket_id: &binding.remote_id, device_key: *key })
            .collect();
        let key = request_key(&rows)?;
        if !self.engine.store.begin_attempt(&mut rows)? {
            return Ok(Vec::new());
        }
        let answers = extension.bind(self.system.http(), &self.session, &self.system, &key, &items).await?;
        let asked = rows.into_iter().zip(bindings.iter().zip(&keys)).zip(answers);
        let outcomes = asked.map(|((row, (binding, key)), answer)| {
            Ok((row, self.outcome(binding, key, extension.issuer_keys(), answer)?))
        });
        outcomes.collect()
    }

    /// One request that renews leases of one tenant.
    pub(super) async fn send_renewals(&mut self, rows: Vec<OutboxRow>) -> Result<Outcomes, Error> {
        let (mut rows, bindings) = self.with_bindings(rows)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let extension = self.extension(tenant(&bindings)).await?.cloned();
        let statements = rows.iter().zip(&bindings).map(|(row, binding)| match &row.new.write {
            Write::Renew { statement } => Some((statement.clone(), binding.state.credential.as_ref()?)),
            _ => None,
        });
        let statements: Option<Vec<_>> = statements.collect();
        let (Some(extension), Some(statements)) = (extension, statements) else {
            return Ok(rows.into_iter().map(|row| (row, Settled::Dropped)).collect());
        };
        let items = statements.iter().zip(&bindings).map(|((statement, held), binding)| RenewItem {
            ticket_id: &binding.remote_id,
            credential: &held.credential,
            statement,
        });
        let key = request_key(&rows)?;
        let items: Vec<_> = items.collect();
        if !self.engine.store.begin_attempt(&mut rows)? {
            return Ok(Vec::new());
        }
        let answers = extension.renew(self.system.http(), &self.session, &self.system, &key, &items).await?;
        let outcomes = rows.into_iter().zip(&bindings).zip(answers).map(|((row, binding), answer)| {
            let held = binding.state.credential.as_ref();
            let key = held.and_then(|held| held.credential.device_key());
            let key = key.ok_or(Error::Untrusted { what: "a kept credential is damaged" })?;
            Ok((row, self.outcome(binding, &key, extension.issuer_keys(), answer)?))
        });
        outcomes.collect()
    }

    /// The writes whose tickets are still listed, with them.
    fn with_bindings(&self, rows: Vec<OutboxRow>) -> Result<(Vec<OutboxRow>, Vec<Binding>), Error> {
        let mut found = (Vec::new(), Vec::new());
        for row in rows {
            match self.engine.store.binding_of(row.new.subject) {
                Ok(binding) => {
                    found.0.push(row);
                    found.1.push(binding);
                }
                Err(Error::NotFound { .. }) => self.engine.store.settle(&[(row, Settled::Dropped)])?,
                Err(other) => return Err(other),
            }
        }
        Ok(found)
    }

    /// The public keys under these handles, which the vault makes where there are none yet.
    pub(super) async fn create_keys(&self, handles: Vec<String>) -> Result<Vec<DeviceKey>, Error> {
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

    /// The statements for renewals. A key that the vault no longer has is marked as lost and keeps no other ticket from
    /// its renewal.
    async fn sign_renewals<'b>(
        &self,
        batch: &'b [Binding],
        at: u32,
        idempotency_key: &str,
    ) -> Result<Vec<(&'b Binding, DeviceSignature)>, Error> {
        let statements = batch.iter().filter_map(|binding| {
            let held = binding.state.credential.as_ref()?;
            let message = statement_message(Purpose::Renew, &held.credential, at, idempotency_key)?;
            Some((binding, binding.state.handle.clone()?, message))
        });
        let statements: Vec<_> = statements.collect();
        let to_sign: Vec<_> =
            statements.iter().map(|(_, handle, message)| (handle.clone(), message.clone())).collect();
        let signatures: Vec<_> = ask(&self.engine.vault, move |vault| {
            to_sign.into_iter().map(|(handle, message)| sign_renewal(vault, handle, message)).collect()
        })
        .await?;
        let mut signed = Vec::new();
        for ((binding, handle, _), signature) in statements.into_iter().zip(signatures) {
            match signature {
                Some(signature) => signed.push((binding, signature)),
                None => self.engine.store.mark_key(&handle, true)?,
            }
        }
        Ok(signed)
    }

    /// What an answer leads to; a credential is checked first.
    fn outcome(
        &self,
        binding: &Binding,
        key: &DeviceKey,
        issuers: &[IssuerKey],
        answer: Answer,
    ) -> Result<Settled, Error> {
        Ok(match answer {
            Answer::Issued(issued) => match self.checked(binding, key, issuers, issued)? {
                Some(held) => Settled::Credential(Box::new(held)),
                None => Settled::NotBound(NoBarcodeReason::BAD_CREDENTIAL.to_owned()),
            },
            Answer::Refused(problem) => Settled::NotBound(problem),
        })
    }

    /// A credential for which everything holds that must before it is kept: the issuer's signature, this device's key,
    /// this event and ticket, and no generation below the one held.
    pub(super) fn checked(
        &self,
        binding: &Binding,
        key: &DeviceKey,
        issuers: &[IssuerKey],
        issued: Issued,
    ) -> Result<Option<HeldCredential>, Error> {
        let Issued { credential, renew_after } = issued;
        let fields = credential.fields();
        let provider = self.system.provider(binding.tenant.as_deref())?;
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

fn request_key(rows: &[OutboxRow]) -> Result<String, Error> {
    rows.first().map(|row| row.new.key.clone()).ok_or(Error::NotFound { what: "ticket" })
}

fn tenant(batch: &[Binding]) -> Option<&str> {
    batch.first().and_then(|binding| binding.tenant.as_deref())
}
