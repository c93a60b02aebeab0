//! The picture: a QR matrix. A signed barcode has version 10, level M and one fixed mask; any other code what it needs.

use qrcode::QrCode;
use qrcode::bits::Bits;
use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::ec::construct_codewords;
use qrcode::types::{Color, EcLevel, QrError as EncoderError, Version};

const VERSION: Version = Version::Normal(10);
const LEVEL: EcLevel = EcLevel::M;
/// Scoring all eight masks costs most of an encoder's time and makes no measurable difference to decoders.
const MASK: MaskPattern = MaskPattern::Checkerboard;

/// The text does not fit: a signed barcode's into version 10, level M in alphanumeric mode, any other into version 40
/// (ISO/IEC 18004).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text does not fit the QR code")]
pub struct QrError;

impl From<EncoderError> for QrError {
    fn from(_: EncoderError) -> Self {
        Self
    }
}

/// A square of modules without its quiet zone.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct QrMatrix {
    /// Modules on each side.
    pub width: u32,
    /// One byte a module, row by row from the top left: 1 is dark, 0 is light.
    pub modules: Vec<u8>,
}

opaque_debug!(QrMatrix);

impl QrMatrix {
    /// Whether the module is dark; everything outside the square is light.
    pub fn is_dark(&self, x: i64, y: i64) -> bool {
        let inside = 0..i64::from(self.width);
        inside.contains(&x)
            && inside.contains(&y)
            && usize::try_from(y * i64::from(self.width) + x)
                .is_ok_and(|index| self.modules.get(index) == Some(&1))
    }
}

/// Draws a signed barcode's text.
///
/// # Errors
/// [`QrError`] when the text is longer than version 10-M holds or leaves the alphanumeric alphabet.
pub fn signed_matrix(text: &str) -> Result<QrMatrix, QrError> {
    if base45_only(text) { draw(text.as_bytes()).map_err(QrError::from) } else { Err(QrError) }
}

/// Draws any text, as small as it goes at level M.
///
/// # Errors
/// [`QrError`] when the text is empty or longer than a QR code holds.
pub fn static_matrix(text: &str) -> Result<QrMatrix, QrError> {
    if text.is_empty() {
        return Err(QrError);
    }
    let code = QrCode::with_error_correction_level(text, LEVEL)?;
    let width = u32::try_from(code.width()).map_err(|_| QrError)?;
    Ok(QrMatrix { width, modules: modules(code.into_colors()) })
}

fn modules(colors: Vec<Color>) -> Vec<u8> {
    colors.into_iter().map(|color| u8::from(color == Color::Dark)).collect()
}

fn draw(text: &[u8]) -> Result<QrMatrix, EncoderError> {
    let mut bits = Bits::new(VERSION);
    bits.push_alphanumeric_data(text)?;
    bits.push_terminator(LEVEL)?;
    let (data, correction) = construct_codewords(&bits.into_bytes(), VERSION, LEVEL)?;
    let mut canvas = Canvas::new(VERSION, LEVEL);
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    canvas.apply_mask(MASK);
    Ok(QrMatrix { width: u32::from(VERSION.width().unsigned_abs()), modules: modules(canvas.into_colors()) })
}

/// Base45's alphabet is QR's alphanumeric alphabet (RFC 9285, section 4).
fn base45_only(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase() || b" $%*+-./:".contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_of_the_eight_codes_of_a_full_encoder() {
        let text = format!("TW1:{}", "A1:".repeat(101));
        let ours = signed_matrix(&text).unwrap();
        assert_eq!((ours.width, ours.modules.len()), (57, 57 * 57));
        let theirs = qrcode::QrCode::with_version(text.as_bytes(), VERSION, LEVEL).unwrap().to_colors();
        // Masks differ, function patterns do not: finder patterns and timing stand at the same places.
        for (x, y) in [(0, 0), (6, 6), (56, 0), (0, 56), (8, 6), (6, 20)] {
            assert_eq!(
                ours.is_dark(x, y),
                theirs[usize::try_from(y * 57 + x).unwrap()] == Color::Dark,
                "{x},{y}"
            );
        }
        assert!(!ours.is_dark(-1, 0) && !ours.is_dark(57, 0));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert_eq!(signed_matrix(&"A".repeat(312)), Err(QrError));
        assert!(signed_matrix(&"A".repeat(311)).is_ok());
        assert_eq!(signed_matrix("TW1:a"), Err(QrError));
    }
}
