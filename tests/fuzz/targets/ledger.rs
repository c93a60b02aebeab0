//! Whatever bytes come as a delta or a request: they are read or refused, and what was read is written as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ticket_wallet::barcode::IssuerKey;
use ticket_wallet::ledger::{Certificate, ChainHead, Delta, Item, Record, Request};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = Request::from_bytes(bytes) {
        assert_eq!(request.to_bytes(), bytes);
        let places = [(1, [1; 32]), (2, [2; 32]), (4, [4; 32])];
        assert!(request.held.values().all(|state| state.lacks_after(&places) <= state.last));
    }
    let Ok(delta) = Delta::from_bytes(bytes) else { return };
    assert_eq!(delta.to_bytes(), bytes);
    let key = IssuerKey::from_bytes(&KEY).expect("the key of RFC 8032, 7.1, test 1");
    for item in &delta.items {
        match item {
            Item::Certificate(signed) => drop(Certificate::read(signed, &key)),
            Item::Head(bytes) => {
                if let Ok(head) = ChainHead::from_bytes(bytes) {
                    assert_eq!(head.as_bytes()[..], bytes[..]);
                }
            }
            Item::Record(bytes) => {
                if let Ok(record) = Record::from_bytes(bytes) {
                    assert_eq!(record.as_bytes(), &bytes[..]);
                    assert_eq!(record.fields().to_bytes().as_deref().ok(), bytes.get(..bytes.len() - 64));
                }
            }
        }
    }
});

const KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
    0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];
