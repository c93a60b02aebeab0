//! A new manifest, and what it makes of the records that are here.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use super::{Post, Scanner, knowledge};
use crate::admission::{Knowledge, Standing, revoked};
use crate::barcode::IssuerKey;
use crate::error::Error;
use crate::ledger::{ChainId, Place};
use crate::manifest::{Manifest, ManifestError};
use crate::store::{StoredRecord, StoredScanner};

impl Scanner {
    /// Takes a signed manifest or delta into use. The one in use stays unless all of it holds.
    ///
    /// # Errors
    /// [`Error::Manifest`], [`Error::Database`].
    pub(in crate::sync) fn take_manifest(&self, signed: &[u8], key: &IssuerKey) -> Result<(), Error> {
        let post = self.post()?;
        let held = post.knowledge.as_ref().map(Knowledge::manifest);
        let manifest = Manifest::offered(held, signed, key)?;
        self.use_manifest(post.scanner.clone(), manifest)
    }

    /// Takes a manifest into use that its signature, or the connection over which it came, vouches for. Every record is
    /// judged by it in the same transaction, and no decision that was taken on the one before is written after it.
    ///
    /// Scans go on while the records are judged; those that were written in the meantime are judged while scans wait.
    pub(in crate::sync) fn use_manifest(
        &self,
        scanner: StoredScanner,
        manifest: Manifest,
    ) -> Result<(), Error> {
        let _one_at_a_time = self.judging.lock().unwrap_or_else(PoisonError::into_inner);
        may_be_used(&manifest, &scanner)?;
        let post = self.post()?;
        let before = post.knowledge.as_ref().filter(|_| post.scanner.event == scanner.event);
        let floors = before.map(|held| held.manifest().floors_above(&manifest)).unwrap_or_default();
        let next = knowledge(&scanner, manifest)?;
        let mut judged = HashMap::new();
        let newest = self.store.newest_record()?;
        let mut standings = self.rejudge(&scanner, before, &next, &mut judged)?;
        let _no_decision = self.deciding.write().unwrap_or_else(PoisonError::into_inner);
        if self.store.newest_record()? != newest {
            standings = self.rejudge(&scanner, before, &next, &mut judged)?;
        }
        let mut at = self.post.write().unwrap_or_else(PoisonError::into_inner);
        self.store.set_gate_manifest((scanner.event, next.manifest().body()), &floors, &standings)?;
        let chain = self.chain_of(&scanner)?;
        *at = Some(Arc::new(Post::new(scanner, chain, Some(next))?));
        self.forget_recent();
        Ok(())
    }

    /// What the next manifest changes of the records' standing. `judged` keeps what was found of rows before.
    fn rejudge(
        &self,
        scanner: &StoredScanner,
        before: Option<&Knowledge>,
        next: &Knowledge,
        judged: &mut HashMap<i64, Standing>,
    ) -> Result<Vec<(i64, Standing)>, Error> {
        let same_keys = before.is_some_and(|before| before.judges_as(next));
        let same_revoked = before
            .is_some_and(|one| one.manifest().revoked_scanners().eq(next.manifest().revoked_scanners()));
        if same_keys && same_revoked {
            return Ok(Vec::new());
        }
        let mut by_itself = |stored: &StoredRecord| match stored.standing {
            standing @ (Standing::Counted | Standing::Unproved | Standing::Failed) if same_keys => standing,
            _ => *judged.entry(stored.id).or_insert_with(|| next.judge(&stored.record)),
        };
        let mut changed = Vec::new();
        for chain in self.store.chains(scanner.event)? {
            let held = self.store.chain_records(&Place::before(chain), u32::MAX)?;
            let after =
                revoked(next.manifest(), held.iter().map(|stored| &stored.record)).unwrap_or_default();
            for stored in held {
                let is_after = after.contains(&stored.record.place());
                let standing = if is_after { Standing::Revoked } else { by_itself(&stored) };
                if standing != stored.standing {
                    changed.push((stored.id, standing));
                }
            }
        }
        Ok(changed)
    }

    /// The chain of a scanner's records: another one begins where it was lost, and where others would not know it for this
    /// scanner's.
    pub(super) fn chain_of(&self, scanner: &StoredScanner) -> Result<ChainId, Error> {
        match scanner.chain {
            Some(chain) if chain.is_of(scanner.scanner) => Ok(chain),
            _ => {
                let chain = ChainId::of(scanner.scanner, crate::device::random()?);
                self.store.begin_chain(chain)?;
                Ok(chain)
            }
        }
    }
}

fn may_be_used(manifest: &Manifest, scanner: &StoredScanner) -> Result<(), ManifestError> {
    if manifest.head().event != scanner.event {
        return Err(ManifestError::WrongEvent);
    }
    let mut ids: Vec<_> =
        manifest.issuers().filter_map(|one| Some(IssuerKey::from_bytes(&one.key).ok()?.id())).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(ManifestError::DoubledKey);
    }
    if manifest.revoked_scanners().any(|one| one.scanner == scanner.scanner.0) {
        return Err(ManifestError::ScannerRevoked);
    }
    Ok(())
}
