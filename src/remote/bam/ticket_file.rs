//! Tickets as a file, known by its content: what a server calls it is not relied on.

use crate::error::Error;
use crate::remote::Reply;

/// The largest file that is taken, in bytes.
const MAX_FILE: usize = 16 << 20;

/// Tickets as a file.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketFile {
    /// `application/pdf`, `application/vnd.apple.pkpass`, `application/vnd.apple.pkpasses` or `application/zip`, by its
    /// content.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

opaque_debug!(TicketFile);

impl TicketFile {
    /// The file that a reply is.
    ///
    /// # Errors
    /// [`Error::Status`] for any status but 2xx; [`Error::Reply`] for what is neither a PDF nor a ZIP file, and beyond
    /// 16 MiB.
    pub(super) fn read(reply: Reply) -> Result<Self, Error> {
        if !reply.is_success() {
            return Err(reply.error());
        }
        if reply.bytes().len() > MAX_FILE {
            return Err(reply.unreadable("its length"));
        }
        let media_type = media_type(reply.bytes()).ok_or_else(|| reply.unreadable("its content"))?;
        Ok(Self { media_type, bytes: reply.into_bytes() })
    }
}

/// What a file is by its content: a PDF has its mark within the first kilobyte (ISO 32000-1, annex H.3.4.1), a pass is a ZIP
/// file with a `pass.json`, several passes are one of `.pkpass` files.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(1024)];
    if head.windows(5).any(|window| window == b"%PDF-") {
        return Some("application/pdf");
    }
    let names = zip_names(bytes).filter(|names| !names.is_empty())?;
    if names.contains(&b"pass.json".as_slice()) {
        Some("application/vnd.apple.pkpass")
    } else if names.iter().all(|name| name.ends_with(b".pkpass")) {
        Some("application/vnd.apple.pkpasses")
    } else {
        Some("application/zip")
    }
}

/// The names in a ZIP file's central directory (APPNOTE.TXT, sections 4.3.12 and 4.3.16).
fn zip_names(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let number = |from: &[u8], at: usize, len: usize| {
        let digits = from.get(at..at + len)?;
        Some(digits.iter().rev().fold(0_usize, |number, digit| number << 8 | usize::from(*digit)))
    };
    if !bytes.starts_with(b"PK\x03\x04") {
        return None;
    }
    // A comment of up to 65,535 bytes may follow the end.
    let start = bytes.len().saturating_sub(22 + 65_535);
    let end = start + bytes[start..].windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let count = number(bytes, end + 10, 2)?;
    let mut at = number(bytes, end + 16, 4)?;
    let mut names = Vec::new();
    for _ in 0..count {
        let entry = bytes.get(at..).filter(|entry| entry.starts_with(b"PK\x01\x02"))?;
        let lengths = [number(entry, 28, 2)?, number(entry, 30, 2)?, number(entry, 32, 2)?];
        names.push(entry.get(46..46 + lengths[0])?);
        at += 46 + lengths.iter().sum::<usize>();
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A ZIP file of empty members, without compression, checksums and dates.
    fn zip(names: &[&str]) -> Vec<u8> {
        let (mut file, mut directory) = (Vec::new(), Vec::new());
        for name in names {
            let len = [u8::try_from(name.len()).unwrap(), 0];
            let offset = u32::try_from(file.len()).unwrap().to_le_bytes();
            directory.extend(
                [b"PK\x01\x02".as_slice(), &[0; 24], &len, &[0; 12], &offset, name.as_bytes()].concat(),
            );
            file.extend([b"PK\x03\x04".as_slice(), &[0; 22], &len, &[0; 2], name.as_bytes()].concat());
        }
        let count = [u8::try_from(names.len()).unwrap(), 0];
        let [size, start] =
            [directory.len(), file.len()].map(|len| u32::try_from(len).unwrap().to_le_bytes());
        let end = [b"PK\x05\x06".as_slice(), &[0; 4], &count, &count, &size, &start, &[0; 2]].concat();
        [file, directory, end].concat()
    }

    #[test]
    fn files_are_known_by_their_content() {
        assert_eq!(media_type(b"\xEF\xBB\xBF%PDF-1.7"), Some("application/pdf"));
        assert_eq!(media_type(&zip(&["icon.png", "pass.json"])), Some("application/vnd.apple.pkpass"));
        assert_eq!(media_type(&zip(&["1.pkpass", "2.pkpass"])), Some("application/vnd.apple.pkpasses"));
        assert_eq!(media_type(&zip(&["1.pkpass", "tickets.pdf"])), Some("application/zip"));
        assert_eq!(media_type(&[zip(&["a.pdf"]), b"!".to_vec()].concat()), Some("application/zip"));
        let cut = zip(&["pass.json"]);
        let others = [b"".as_slice(), b"%PDF", br#"{"data":{}}"#, b"<html>", b"PK", &cut[..cut.len() - 30]];
        for bytes in others.into_iter().chain([zip(&[]).as_slice()]) {
            assert_eq!(media_type(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn no_file_is_too_odd(at: prop::sample::Index, byte: u8, bytes: Vec<u8>) {
            let mut file = zip(&["icon.png", "pass.json"]);
            let at = at.index(file.len());
            file[at] = byte;
            let _ = media_type(&file);
            let _ = media_type(&[b"PK\x03\x04".as_slice(), &bytes, b"PK\x05\x06", &bytes].concat());
        }
    }
}
