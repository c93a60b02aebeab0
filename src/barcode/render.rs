//! A QR matrix as SVG, PNG or terminal text, always with its light quiet zone of four modules.

use std::fmt::Write as _;

use super::qr::QrMatrix;

/// Light modules around the code (ISO/IEC 18004, section 6.3.8).
pub const QUIET_ZONE: u32 = 4;

/// An SVG picture, one unit a module; it scales to any size.
pub fn to_svg(matrix: &QrMatrix) -> String {
    let side = matrix.width + 2 * QUIET_ZONE;
    let mut path = String::new();
    for (x, y) in cells(matrix).filter(|&(x, y)| matrix.is_dark(x, y)) {
        let _ = write!(path, "M{} {}h1v1h-1z", x + i64::from(QUIET_ZONE), y + i64::from(QUIET_ZONE));
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path fill=\"#000\" d=\"{path}\"/></svg>\n"
    )
}

/// A grey PNG picture with `scale` pixels a module (at least one).
///
/// # Errors
/// The encoder's, for a picture beyond PNG's limits.
pub fn to_png(matrix: &QrMatrix, scale: u32) -> Result<Vec<u8>, png::EncodingError> {
    let scale = scale.max(1);
    let side = (matrix.width + 2 * QUIET_ZONE) * scale;
    let module = |pixel: u32| i64::from(pixel / scale) - i64::from(QUIET_ZONE);
    let pixels: Vec<u8> = (0..side)
        .flat_map(|y| (0..side).map(move |x| (x, y)))
        .map(|(x, y)| if matrix.is_dark(module(x), module(y)) { 0 } else { 255 })
        .collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

/// Half-block text for a terminal: two rows of modules a line, black on white by explicit colours, so that the quiet
/// zone is light in dark terminals too.
pub fn to_terminal(matrix: &QrMatrix) -> String {
    let quiet = i64::from(QUIET_ZONE);
    let end = i64::from(matrix.width) + quiet;
    let mut text = String::new();
    for y in (-quiet..end).step_by(2) {
        text.push_str("\x1b[38;5;16;48;5;231m");
        text.extend((-quiet..end).map(|x| match (matrix.is_dark(x, y), matrix.is_dark(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        }));
        text.push_str("\x1b[0m\n");
    }
    text
}

fn cells(matrix: &QrMatrix) -> impl Iterator<Item = (i64, i64)> {
    let width = i64::from(matrix.width);
    (0..width).flat_map(move |y| (0..width).map(move |x| (x, y)))
}
