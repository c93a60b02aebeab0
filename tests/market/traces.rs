//! After a sale nothing of the seller's code is left: neither the device key nor the credential, in no page and no log.

use std::fs;
use std::path::Path;

use aes::Aes256;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use ticket_wallet::barcode::{
    CREDENTIAL_LEN, Credential, DeviceSignature, PREFIX, Purpose, base45, code_text, proof_message,
};
use ticket_wallet::host::{KeyVault as _, KeyVaultError};
use ticket_wallet::ledger::Verdict;
use ticket_wallet_sandbox::GateEventEdit;

use crate::fair::{CLUB, Door, EVENT, Fair};
use crate::phone::vault_in;
use crate::raw_key::{keyed, raw_key};

const PAGE: usize = 4096;
/// What SQLCipher puts behind each page: 16 bytes IV, 64 bytes HMAC-SHA512.
const RESERVE: usize = 80;
/// The header of a write-ahead log, and of each of its frames.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Every page of the database and of its log, free ones included, decrypted by the format of the file alone.
fn pages(folder: &Path) -> Vec<Vec<u8>> {
    let key: [u8; 32] = hex::decode(raw_key(folder)).unwrap()[..32].try_into().unwrap();
    let database = fs::read(folder.join("wallet.db")).unwrap();
    let log = fs::read(folder.join("wallet.db-wal")).unwrap_or_default();
    let frames = log.get(LOG_HEADER..).unwrap_or_default().chunks_exact(FRAME_HEADER + PAGE);
    let frames = frames.map(|frame| &frame[FRAME_HEADER..]);
    database.chunks_exact(PAGE).chain(frames).map(|page| decrypted(&key, page)).collect()
}

fn decrypted(key: &[u8; 32], page: &[u8]) -> Vec<u8> {
    let (sealed, reserve) = page.split_at(PAGE - RESERVE);
    let iv: [u8; 16] = reserve[..16].try_into().unwrap();
    let plain = |sealed: &[u8]| {
        let mut bytes = sealed.to_vec();
        let cipher = cbc::Decryptor::<Aes256>::new(key.into(), (&iv).into());
        cipher.decrypt_padded::<NoPadding>(&mut bytes).unwrap().to_vec()
    };
    // The first page begins with the salt, in one block's place: its text is in the second of these.
    [plain(sealed), plain(&sealed[16..])].concat()
}

fn contain(folder: &Path, wanted: &[u8]) -> bool {
    pages(folder).iter().any(|page| page.windows(wanted.len()).any(|window| window == wanted))
}

/// Of the seller's device key.
fn handle(fair: &Fair) -> String {
    let folder = fair.seller.phone.folder.path();
    let database = keyed(&folder.join("wallet.db"), &raw_key(folder));
    let sql = "SELECT handle FROM device_key WHERE ticket_id = unhex(?1)";
    database.query_row(sql, [&fair.ticket], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn after_a_sale_the_sellers_key_and_credential_are_gone() {
    let fair = Fair::new().await;
    let folder = fair.seller.phone.folder.path().to_owned();
    let frame = Fair::frame(&fair.seller.phone, &fair.ticket).unwrap();
    let code = base45::decode(frame.strip_prefix(PREFIX).unwrap().as_bytes()).unwrap();
    let credential = &code[..CREDENTIAL_LEN];
    let handle = handle(&fair);
    let vault = vault_in(&folder);
    assert!(vault.public_key(handle.clone()).is_ok() && contain(&folder, credential), "the control");
    fair.list().await;
    assert!(!contain(&folder, credential), "given up with the listing");
    assert!(matches!(vault_in(&folder).public_key(handle), Err(KeyVaultError::Missing)));
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.pay(&purchase).await;
    fair.settle().await;
    let bought = Fair::frame(&fair.buyer, &fair.ticket).unwrap();
    let bought = base45::decode(bought.strip_prefix(PREFIX).unwrap().as_bytes()).unwrap();
    assert!(contain(fair.buyer.folder.path(), &bought[..CREDENTIAL_LEN]), "the buyer's is there");
    assert!(!contain(&folder, credential) && !contain(&folder, &bought[..CREDENTIAL_LEN]));
}

/// A seller on a rooted phone signs a code for later before selling. Whoever has the sale refuses it, and so does a gate that
/// asks for the venue's nonce; a gate that has neither lets it in, which is the bound that the README tells.
#[tokio::test]
async fn a_code_signed_ahead_is_refused_by_whoever_has_the_sale_or_asks_for_the_nonce() {
    let fair = Fair::new().await;
    let folder = fair.seller.phone.folder.path().to_owned();
    let frame = Fair::frame(&fair.seller.phone, &fair.ticket).unwrap();
    let code = base45::decode(frame.strip_prefix(PREFIX).unwrap().as_bytes()).unwrap();
    let credential = Credential::from_bytes(&code[..CREDENTIAL_LEN]).unwrap();
    let later = u32::try_from(fair.seller.phone.clock.wall_ms() / 1000 + 3600).unwrap();
    let message = proof_message(&credential, later, None);
    let signature = vault_in(&folder).sign(handle(&fair), Purpose::Present, message).unwrap();
    let ahead = code_text(&credential, later, &DeviceSignature::from_der(&signature).unwrap());
    let unaware = Door::open(&fair).await;
    fair.list().await;
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.pay(&purchase).await;
    fair.settle().await;
    fair.seller.phone.clock.pass_s(3600);
    let aware = Door::open(&fair).await;
    assert_eq!(aware.scan(&ahead), Verdict::Superseded);
    let strict = GateEventEdit { nonce_required: Some(true), ..GateEventEdit::default() };
    assert!(fair.seller.sandbox.edit_gate_event(CLUB, EVENT, &strict).unwrap());
    let asking = Door::open(&fair).await;
    assert_ne!(asking.scan(&ahead), Verdict::Admit);
    assert_eq!(unaware.scan(&ahead), Verdict::Admit, "the bound");
    unaware.prepare().await;
    let bought = Fair::frame(&fair.buyer, &fair.ticket).unwrap();
    assert_ne!(
        unaware.scan(&bought),
        Verdict::Admit,
        "the buyer finds the ticket entered, and staff see on which copy"
    );
}
