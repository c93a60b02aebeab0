//! Whether others take what a scanner writes now.

use super::Registered;
use crate::error::Error;
use crate::ledger::Certificate;
use crate::model::GateCertification;
use crate::store::StoredScanner;

/// What a scanner's certificate says of a time, Unix milliseconds.
///
/// # Errors
/// [`Error::Untrusted`] for a registration that cannot be read.
pub fn certification(scanner: &StoredScanner, unix_ms: i64) -> Result<GateCertification, Error> {
    let Some(signed) = scanner.certificate.as_deref() else { return Ok(GateCertification::NotNeeded) };
    let pinned = Registered::read(scanner)?.pinned()?;
    let Ok(certificate) = Certificate::read(signed, &pinned) else {
        return Ok(GateCertification::Unreadable);
    };
    let (from, until) = (i64::from(certificate.not_before), certificate.not_after.map(i64::from));
    Ok(match until {
        _ if certificate.covers(u64::try_from(unix_ms).unwrap_or(0)) => GateCertification::Valid { until },
        Some(at) if unix_ms.div_euclid(1000) > at => GateCertification::Expired { at },
        _ => GateCertification::NotYetValid { from },
    })
}
