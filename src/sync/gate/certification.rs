//! Whether others take what a scanner writes now.

use super::Registered;
use crate::ledger::Certificate;
use crate::model::GateCertification;
use crate::store::StoredScanner;

/// What a scanner's certificate says of a time, Unix milliseconds.
pub fn certification(scanner: &StoredScanner, unix_ms: i64) -> GateCertification {
    let Some(signed) = scanner.certificate.as_deref() else { return GateCertification::NotNeeded };
    let pinned = Registered::read(scanner).and_then(|registered| registered.pinned()).ok();
    let Some(certificate) = pinned.and_then(|key| Certificate::read(signed, &key).ok()) else {
        return GateCertification::Unreadable;
    };
    let (from, until) = (i64::from(certificate.not_before), certificate.not_after.map(i64::from));
    match until {
        _ if certificate.covers(u64::try_from(unix_ms).unwrap_or(0)) => GateCertification::Valid { until },
        Some(at) if unix_ms.div_euclid(1000) > at => GateCertification::Expired { at },
        _ => GateCertification::NotYetValid { from },
    }
}
