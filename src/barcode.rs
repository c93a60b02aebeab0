//! The `signed` barcode, format 1: what a wallet shows and a gate reads.
//!
//! Beside it stands B.A.M's own code, which never changes, with the key that checks it and the reader of its picture.
//!
//! Everything here is pure: no clock, network, database or randomness. The byte layout stands in
//! `docs/barcode.md`; an independent implementation made the vectors in `tests/fixtures/barcode-v1.json`.

mod bam_code;
pub mod base45;
mod credential;
mod device_key;
mod event_key;
mod issuer_key;
mod proof;
mod qr;
mod reader;
mod render;
mod scan;
mod verified;

pub use bam_code::{BamCode, BamCodeError, BamCodeTicket, bam_code_text};
pub use credential::{
    CREDENTIAL_LEN, Credential, CredentialError, CredentialFields, MIN_WINDOW_S, SIGNED_LEN,
};
pub use device_key::{DeviceKey, DeviceKeyError, DeviceSignature, P256_PUBLIC_LEN, SIGNATURE_LEN};
pub use event_key::{EventKey, EventKeyError};
pub use issuer_key::{ISSUER_KEY_LEN, IssuerKey, IssuerKeyError};
pub use proof::{NONCE_LEN, PREFIX, Purpose, code_text, proof_message, statement_message};
pub use qr::{QrError, QrMatrix, signed_matrix, static_matrix};
pub(crate) use reader::strip_scanner_marks;
pub use reader::{CODE_LEN, Checks, CodeVerdict, Reading, ScannedCode, read, read_bytes, read_remembering};
pub use render::{QUIET_ZONE, to_png, to_svg, to_terminal};
pub use scan::{PictureError, read_png};
pub use verified::VerifiedCredentials;
