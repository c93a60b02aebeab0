//! After a sale nothing of the seller's code is left: neither the device key nor the credential, in no page and no log.

use std::fs;
use std::path::Path;

use aes::Aes256;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use ticket_wallet::barcode::{CREDENTIAL_LEN, PREFIX, base45};
use ticket_wallet::host::{KeyVault as _, KeyVaultError};

use crate::fair::Fair;
use crate::phone::vault_in;
use crate::raw_key::raw_key;

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

#[tokio::test]
async fn after_a_sale_the_sellers_key_and_credential_are_gone() {
    let fair = Fair::new().await;
    let folder = fair.seller.phone.folder.path().to_owned();
    let frame = Fair::frame(&fair.seller.phone, &fair.ticket).unwrap();
    let code = base45::decode(frame.strip_prefix(PREFIX).unwrap().as_bytes()).unwrap();
    let credential = &code[..CREDENTIAL_LEN];
    let handle: String = {
        let database = crate::raw_key::keyed(&folder.join("wallet.db"), &raw_key(&folder));
        let sql = "SELECT handle FROM device_key WHERE ticket_id = unhex(?1)";
        database.query_row(sql, [&fair.ticket], |row| row.get(0)).unwrap()
    };
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
