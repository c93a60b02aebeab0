//! Tickets as PDF (ISO 32000-1), a page for each: text in Helvetica and the code as squares.

use std::fmt::Write as _;

use qrcode::{Color, QrCode};

use super::order_file::Printed;

const SQUARE_POINTS: usize = 4;

/// The document.
pub(super) fn document(tickets: &[Printed]) -> std::io::Result<Vec<u8>> {
    let page_number = |index: usize| 4 + 2 * index;
    let kids: Vec<_> = (0..tickets.len()).map(|index| format!("{} 0 R", page_number(index))).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), tickets.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (index, ticket) in tickets.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Resources << /Font << /F1 3 0 R >> >> \
             /Contents {} 0 R >>",
            page_number(index) + 1
        ));
        let content = page(ticket)?;
        objects.push(format!("<< /Length {} >>\nstream\n{content}endstream", content.len()));
    }
    Ok(file(&objects).into_bytes())
}

/// Objects, the table of their places, and the trailer. All of it is ASCII.
fn file(objects: &[String]) -> String {
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(objects) {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = write!(file, "{number} 0 obj\n{object}\nendobj\n");
    }
    let place = file.len();
    let size = objects.len() + 1;
    let _ = write!(file, "{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{place}\n%%EOF\n");
    file
}

fn page(ticket: &Printed) -> std::io::Result<String> {
    let seat = ticket.seat.as_deref().unwrap_or("-");
    let mut content = "BT /F1 12 Tf 18 TL 40 550 Td\n".to_owned();
    for line in [&ticket.organizer, &ticket.event, &ticket.starts_at, &ticket.config, seat, &ticket.ledger_id]
    {
        let _ = writeln!(content, "({}) Tj T*", text(line));
    }
    content.push_str("ET\n");
    let code = QrCode::new(&ticket.code).map_err(std::io::Error::other)?;
    let (modules, colors) = (code.width(), code.to_colors());
    let dark = colors.iter().enumerate().filter(|(_, color)| **color == Color::Dark);
    for (at, _) in dark {
        let (x, y) = (40 + at % modules * SQUARE_POINTS, 400 - at / modules * SQUARE_POINTS);
        let _ = writeln!(content, "{x} {y} {SQUARE_POINTS} {SQUARE_POINTS} re f");
    }
    Ok(content)
}

/// A text in WinAnsiEncoding, as far as that has its characters, with escapes.
fn text(plain: &str) -> String {
    plain.chars().map(character).collect()
}

fn character(char: char) -> String {
    let code = match char {
        '(' | ')' | '\\' => return format!("\\{char}"),
        '–' => 0x96,
        '’' => 0x92,
        ' '..='~' => return char.to_string(),
        '\u{a0}'..='\u{ff}' => u32::from(char),
        _ => u32::from('?'),
    };
    format!("\\{code:03o}")
}
