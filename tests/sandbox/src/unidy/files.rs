//! Small files: PDF 1.4 with one page of text, and passes, which are ZIP archives.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Value, json};

/// A page with these lines. Letters that its font does not have become question marks.
pub(crate) fn pdf(lines: &[String]) -> Vec<u8> {
    let mut text = b"BT /F1 14 Tf 56 780 Td 20 TL\n".to_vec();
    for line in lines {
        text.push(b'(');
        text.extend(line.chars().flat_map(letter));
        text.extend(b") Tj T*\n");
    }
    text.extend(b"ET");
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
        /Resources << /Font << /F1 5 0 R >> >> >>";
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";
    let mut content = format!("<< /Length {} >>\nstream\n", text.len()).into_bytes();
    content.extend(text);
    content.extend(b"\nendstream");
    document(&[
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page.as_bytes(),
        &content,
        font.as_bytes(),
    ])
}

/// A letter in Latin-1, escaped.
fn letter(letter: char) -> Vec<u8> {
    match u8::try_from(u32::from(letter)) {
        Ok(byte @ (b'(' | b')' | b'\\')) => vec![b'\\', byte],
        Ok(byte @ (0x20..=0x7e | 0xa0..)) => vec![byte],
        _ if matches!(letter, '–' | '—') => vec![b'-'],
        _ => vec![b'?'],
    }
}

/// A document of these objects, the first of which is its catalogue.
fn document(objects: &[&[u8]]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(file.len());
        file.extend(format!("{number} 0 obj\n").bytes());
        file.extend(*object);
        file.extend(b"\nendobj\n");
    }
    let (table, size) = (file.len(), objects.len() + 1);
    file.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
    for place in places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    file.extend(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes());
    file
}

/// A pass without a signature: what it says, and the list of its files.
pub(crate) fn pass(pass: &Value) -> serde_json::Result<Vec<u8>> {
    let pass = serde_json::to_vec(pass)?;
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &pass);
    let manifest = serde_json::to_vec(&json!({"pass.json": hex::encode(hash)}))?;
    Ok(zip(&[("pass.json", &pass), ("manifest.json", &manifest)]))
}

/// An archive of these files, none of them packed. Sizes stay far below what its fields hold.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes();
    let long = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, file) in files {
        let place = archive.len();
        // Version 2.0, no flags, stored, 1 January 1980.
        let mut facts = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        facts.extend(crc32(file).to_le_bytes());
        facts.extend([long(file.len()), long(file.len())].concat());
        facts.extend([short(name.len()), short(0)].concat());
        archive.extend(b"PK\x03\x04");
        archive.extend(&facts);
        archive.extend(name.bytes());
        archive.extend(*file);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&facts);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(long(place));
        directory.extend(name.bytes());
    }
    let place = archive.len();
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([short(files.len()), short(files.len())].concat());
    archive.extend([long(directory.len()), long(place)].concat());
    archive.extend(short(0));
    archive
}

/// CRC-32 as ZIP has it.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn checksums_are_the_known_ones() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn the_table_of_a_document_points_at_its_objects() {
        let file = pdf(&["Größe (1\\2) – 東".to_owned()]);
        let table = file.windows(5).rposition(|part| part == b"xref\n").unwrap();
        let text = String::from_utf8_lossy(&file[table..]).into_owned();
        for (number, line) in (1..).zip(text.lines().skip(3).take(5)) {
            let place: usize = line[..10].parse().unwrap();
            assert!(file[place..].starts_with(format!("{number} 0 obj").as_bytes()), "{line}");
        }
        assert!(file.windows(10).any(|part| part == b"Gr\xf6\xdfe \\(1\\"));
        assert!(file.ends_with(b"%%EOF\n"));
    }
}
