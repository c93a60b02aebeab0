//! Reading the picture of a QR code that a server drew: upright, whole modules, no noise. Bounded in size and time
//! whatever the picture holds; photographs are not read here.

use std::io::Cursor;

use png::{ColorType, Decoder, Limits, Transformations};
use rqrr::{Grid, SimpleGrid};

/// The longest file.
const MAX_FILE: usize = 1 << 20;
/// The longest side, in pixels.
const MAX_SIDE: u32 = 2048;
/// What decoding may take in memory.
const MAX_MEMORY: usize = 64 << 20;
/// Finder patterns looked at; a code has three.
const MAX_FINDERS: usize = 24;
/// Squares that are tried.
const MAX_TRIES: usize = 48;
/// Between the greys of light and dark at least.
const MIN_CONTRAST: u8 = 32;

/// Why a picture gave no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// More than 1 MiB, or a side of more than 2,048 pixels.
    #[error("the picture is too large")]
    TooLarge,
    /// Not a PNG file, or a damaged one.
    #[error("the picture is not a PNG")]
    NotPng,
    /// No QR code is seen in it.
    #[error("the picture shows no QR code")]
    NoCode,
    /// There is one, and it cannot be read: too many wrong modules, or text that is not UTF-8.
    #[error("the picture's QR code cannot be read")]
    Unreadable,
}

/// The text of the one QR code in a PNG.
///
/// # Errors
/// [`PictureError`].
pub fn read_png(file: &[u8]) -> Result<String, PictureError> {
    let picture = Picture::decode(file)?;
    let finders = picture.finders();
    let mut seen = Err(PictureError::NoCode);
    for square in squares(&finders).into_iter().take(MAX_TRIES) {
        match picture.read(&square) {
            Ok(text) => return Ok(text),
            Err(error) => seen = Err(error),
        }
    }
    seen
}

/// Dark and light pixels.
struct Picture {
    width: usize,
    height: usize,
    dark: Vec<bool>,
}

/// A finder pattern: its centre and its module's width, in pixels.
#[derive(Debug, Clone, Copy)]
struct Finder {
    x: f64,
    y: f64,
    module: f64,
}

/// Where a code's modules are.
struct Square {
    top_left: Finder,
    step_x: f64,
    step_y: f64,
    size: usize,
}

impl Picture {
    fn decode(file: &[u8]) -> Result<Self, PictureError> {
        if file.len() > MAX_FILE {
            return Err(PictureError::TooLarge);
        }
        let mut decoder = Decoder::new_with_limits(Cursor::new(file), Limits { bytes: MAX_MEMORY });
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let mut reader = decoder.read_info().map_err(|_| PictureError::NotPng)?;
        let (width, height) = reader.info().size();
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(PictureError::TooLarge);
        }
        let mut pixels = vec![0; reader.output_buffer_size().ok_or(PictureError::TooLarge)?];
        let frame = reader.next_frame(&mut pixels).map_err(|_| PictureError::NotPng)?;
        let greys: Vec<u8> = pixels
            .chunks_exact(frame.color_type.samples())
            .map(|pixel| grey(frame.color_type, pixel))
            .collect();
        let (width, height) = (frame.width as usize, frame.height as usize);
        let range = greys.iter().min().zip(greys.iter().max()).ok_or(PictureError::NoCode)?;
        if range.1 - range.0 < MIN_CONTRAST || greys.len() != width * height {
            return Err(PictureError::NoCode);
        }
        let middle = range.0 + (range.1 - range.0) / 2;
        Ok(Self { width, height, dark: greys.into_iter().map(|grey| grey <= middle).collect() })
    }

    /// Everything outside is light.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.width && self.dark.get(y * self.width + x) == Some(&true)
    }

    fn finders(&self) -> Vec<Finder> {
        let mut found: Vec<Finder> = Vec::new();
        for y in 0..self.height {
            for (x, module) in self.candidates(y) {
                let at = y as f64 + 0.5;
                let known = |held: &Finder| {
                    (held.x - x).abs() < 2.0 * held.module && (held.y - at).abs() < 4.0 * held.module
                };
                if found.iter().any(known) {
                    continue;
                }
                if found.len() == MAX_FINDERS {
                    return found;
                }
                found.extend(self.upright(x, y, module).map(|y| Finder { x, y, module }));
            }
        }
        found
    }

    /// Where a row is dark, light, dark, light, dark like the middle of a finder pattern: centre and module.
    fn candidates(&self, y: usize) -> Vec<(f64, f64)> {
        let mut starts: Vec<usize> =
            (0..self.width).filter(|&x| self.is_dark(x, y) != (x > 0 && self.is_dark(x - 1, y))).collect();
        starts.push(self.width);
        // The first run is dark, and every other one.
        let patterns = starts.windows(6).step_by(2);
        let fitting = patterns.filter_map(|edges| {
            let runs = [0, 1, 2, 3, 4].map(|run| edges[run + 1] - edges[run]);
            let module = is_finder(runs)?;
            Some(((edges[2] + edges[3]) as f64 / 2.0, module))
        });
        fitting.collect()
    }

    /// The y of a finder pattern's centre in the column through `x` and `y`, where there is a whole one.
    fn upright(&self, x: f64, y: usize, module: f64) -> Option<f64> {
        // The core is three modules high.
        let limit = (module * 4.0).ceil() as usize;
        let dark = |y: &usize| self.is_dark(x as usize, *y);
        let above = (0..=y).rev().take(limit).take_while(dark).count();
        let below = (y + 1..self.height).take(limit).take_while(dark).count();
        let centre = (2 * y + 2 + below).checked_sub(above)? as f64 / 2.0;
        let rows = (0..7).flat_map(|row| (0..7).map(move |column| (column, row)));
        let whole = rows.into_iter().all(|(column, row)| {
            let at = |centre: f64, module_at: i32| centre + module * f64::from(module_at - 3);
            let (across, down) = (at(x, column), at(centre, row));
            let expected = matches!((column - 3).abs().max((row - 3).abs()), 0 | 1 | 3);
            across >= 0.0 && down >= 0.0 && self.is_dark(across as usize, down as usize) == expected
        });
        whole.then_some(centre)
    }

    fn read(&self, square: &Square) -> Result<String, PictureError> {
        let bit = |x: usize, y: usize| {
            let along = |start: f64, step: f64, module: usize| start + step * (module as f64 - 3.0);
            let x = along(square.top_left.x, square.step_x, x);
            let y = along(square.top_left.y, square.step_y, y);
            x >= 0.0 && y >= 0.0 && self.is_dark(x as usize, y as usize)
        };
        let grid = Grid::new(SimpleGrid::from_func(square.size, bit));
        grid.decode().map(|(_, text)| text).map_err(|_| PictureError::Unreadable)
    }
}

/// Light where it is transparent: codes are printed on white.
fn grey(color: ColorType, pixel: &[u8]) -> u8 {
    let over_white = |grey: u32, alpha: u8| {
        let alpha = u32::from(alpha);
        u8::try_from((grey * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    let mean = |parts: &[u8]| {
        let sum: u32 = parts.iter().copied().map(u32::from).sum();
        sum / u32::try_from(parts.len().max(1)).unwrap_or(1)
    };
    match (color, pixel) {
        (ColorType::GrayscaleAlpha | ColorType::Rgba, [parts @ .., alpha]) => over_white(mean(parts), *alpha),
        _ => over_white(mean(pixel), u8::MAX),
    }
}

/// Whether runs stand like 1:1:3:1:1; then the width of one module.
fn is_finder(runs: [usize; 5]) -> Option<f64> {
    let module = runs.iter().sum::<usize>() as f64 / 7.0;
    let fits = |(run, modules): (usize, f64)| (run as f64 - modules * module).abs() <= modules * module * 0.5;
    runs.into_iter().zip([1.0, 1.0, 3.0, 1.0, 1.0]).all(fits).then_some(module)
}

/// Where three finder patterns stand like those of an upright code.
fn squares(finders: &[Finder]) -> Vec<Square> {
    let mut found = Vec::new();
    for top_left in finders {
        for top_right in
            finders.iter().filter(|other| other.x > top_left.x && near(top_left, other.y - top_left.y))
        {
            for below in
                finders.iter().filter(|other| other.y > top_left.y && near(top_left, other.x - top_left.x))
            {
                let (across, down) = (top_right.x - top_left.x, below.y - top_left.y);
                if near(top_left, across - down) {
                    found.extend(candidates(*top_left, across, down));
                }
            }
        }
    }
    found
}

/// Less than a module and a half.
fn near(finder: &Finder, distance: f64) -> bool {
    distance.abs() < 1.5 * finder.module
}

/// The squares whose finder patterns may be so far apart, from centre to centre: the likeliest version, then its neighbours,
/// for a module of few pixels is not measured well.
fn candidates(top_left: Finder, across: f64, down: f64) -> impl Iterator<Item = Square> {
    // A code of version v has 17 + 4v modules a side, of which 10 + 4v lie between the centres.
    let likeliest = ((across / top_left.module - 10.0) / 4.0).round();
    let versions = [0.0, -1.0, 1.0].map(|step| likeliest + step).into_iter();
    versions.filter(|version| (1.0..=40.0).contains(version)).map(move |version| {
        let between = 10.0 + 4.0 * version;
        let (step_x, step_y) = (across / between, down / between);
        Square { top_left, step_x, step_y, size: between as usize + 7 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::barcode::{QrMatrix, to_png};
    use proptest::prelude::*;
    use qrcode::types::Color;
    use qrcode::{EcLevel, QrCode, Version};

    fn matrix(text: &[u8], version: i16, level: EcLevel) -> QrMatrix {
        let code = QrCode::with_version(text, Version::Normal(version), level).unwrap();
        let width = u32::try_from(code.width()).unwrap();
        let modules = code.into_colors().into_iter().map(|color| u8::from(color == Color::Dark)).collect();
        QrMatrix { width, modules }
    }

    /// A picture of `side` pixels, whose pixel is what the closure says, in these colours.
    fn encode(color: ColorType, side: u32, pixel: impl Fn(u32, u32) -> Vec<u8>) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, side, side);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        if color == ColorType::Indexed {
            encoder.set_palette(vec![20, 40, 90, 250, 250, 240]);
        }
        let pixels: Vec<u8> =
            (0..side).flat_map(|y| (0..side).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&pixels).unwrap();
        writer.finish().unwrap();
        file
    }

    /// Whether a pixel is dark when `matrix` fills `code` pixels of a side from `start` on.
    fn dark(matrix: &QrMatrix, start: u32, code: u32, x: u32, y: u32) -> bool {
        let module = |at: u32| at.checked_sub(start).map_or(-1, |at| i64::from(at * matrix.width / code));
        matrix.is_dark(module(x), module(y))
    }

    #[test]
    fn every_version_and_scale_is_read() {
        for version in 1..=40 {
            let text = format!("E{version}");
            for (scale, level) in [(1, EcLevel::L), (3, EcLevel::H)] {
                let file = to_png(&matrix(text.as_bytes(), version, level), scale).unwrap();
                assert_eq!(read_png(&file).as_deref(), Ok(text.as_str()), "version {version}, scale {scale}");
            }
        }
    }

    #[test]
    fn colours_captions_and_uneven_modules_do_no_harm() {
        let text = "6BF+70$ED:::A1B2";
        let matrix = matrix(text.as_bytes(), 6, EcLevel::M);
        let at = |x, y| dark(&matrix, 30, 240, x, y);
        let grey = |x, y| vec![if at(x, y) { 90 } else { 200 }];
        let caption = |x: u32, y: u32| vec![if at(x, y) || (y > 285 && x % 5 < 2) { 0 } else { 255 }];
        let palette = |x, y| vec![u8::from(!at(x, y))];
        let clear = |x, y| vec![0, 0, 0, if at(x, y) { 255 } else { 0 }];
        let blue = |x, y| if at(x, y) { vec![0, 0, 128] } else { vec![255, 255, 200] };
        for (name, file) in [
            ("grey", encode(ColorType::Grayscale, 300, grey)),
            ("caption", encode(ColorType::Grayscale, 300, caption)),
            ("palette", encode(ColorType::Indexed, 300, palette)),
            ("transparent", encode(ColorType::Rgba, 300, clear)),
            ("colour", encode(ColorType::Rgb, 300, blue)),
        ] {
            assert_eq!(read_png(&file).as_deref(), Ok(text), "{name}");
        }
        // 41 modules in any number of pixels.
        for code in 82..240 {
            let side = code + 20;
            let grey = |x, y| vec![if dark(&matrix, 10, code, x, y) { 0 } else { 255 }];
            let file = encode(ColorType::Grayscale, side, grey);
            assert_eq!(read_png(&file).as_deref(), Ok(text), "{code} pixels");
        }
    }

    #[test]
    fn what_is_no_picture_of_a_code_is_named() {
        let flat = encode(ColorType::Grayscale, 64, |_, _| vec![255]);
        assert_eq!(read_png(&flat), Err(PictureError::NoCode));
        assert_eq!(read_png(b""), Err(PictureError::NotPng));
        assert_eq!(read_png(&flat[..flat.len() / 2]), Err(PictureError::NotPng));
        assert_eq!(read_png(&vec![0; MAX_FILE + 1]), Err(PictureError::TooLarge));
        let wide = encode(ColorType::Grayscale, MAX_SIDE + 1, |_, _| vec![255]);
        assert_eq!(read_png(&wide), Err(PictureError::TooLarge));
        let matrix = matrix(b"E1", 2, EcLevel::L);
        let scratched = encode(ColorType::Grayscale, 330, |x, y| {
            let scratch = (120..230).contains(&x) && (120..230).contains(&y);
            vec![if scratch != dark(&matrix, 40, 250, x, y) { 0 } else { 255 }]
        });
        assert_eq!(read_png(&scratched), Err(PictureError::Unreadable));
        let latin = to_png(&self::matrix(b"\xE9", 1, EcLevel::L), 4).unwrap();
        assert_eq!(read_png(&latin), Err(PictureError::Unreadable));
    }

    #[test]
    fn a_picture_full_of_finder_patterns_takes_no_time() {
        let finder = |x: u32, y: u32| {
            let ring = |at: u32| matches!(at % 9, 0 | 6);
            let (inside, heart) =
                (x % 9 < 7 && y % 9 < 7, (2..5).contains(&(x % 9)) && (2..5).contains(&(y % 9)));
            inside && (ring(x) || ring(y) || heart)
        };
        let file = encode(ColorType::Grayscale, MAX_SIDE, |x, y| vec![if finder(x, y) { 0 } else { 255 }]);
        assert!(read_png(&file).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_pixels_are_too_odd(bytes: Vec<u8>, seed: u64, shape in 1_u32..12) {
            let _ = read_png(&bytes);
            let noise = |x: u32, y: u32| {
                let mixed = (u64::from(x / shape) << 32 | u64::from(y / shape)).wrapping_add(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                vec![if mixed >> 63 == 1 { 0 } else { 255 }]
            };
            let _ = read_png(&encode(ColorType::Grayscale, 120, noise));
        }

        #[test]
        fn a_code_with_any_modules_gives_a_text_or_an_error(seed: [u8; 32], version in 1_i16..=8, at: [prop::sample::Index; 8]) {
            let mut matrix = matrix(&seed[..4], version, EcLevel::L);
            for (index, at) in at.iter().enumerate() {
                let from = at.index(matrix.modules.len());
                for module in matrix.modules.iter_mut().skip(from).take(usize::from(seed[index])) {
                    *module ^= seed[index + 8] & 1;
                }
            }
            let _ = read_png(&to_png(&matrix, 2).unwrap());
        }
    }
}
