//! What a decoder of others makes of our pictures.

use std::path::Path;

use serde_json::Value;

use crate::support::{json_lines, run_script};

/// As drawn, and eight ways of spoiling it.
const VARIANTS: usize = 9;

/// Spoils a picture in every way and decodes each result.
pub(crate) fn decode_all(picture: &Path) -> Vec<Value> {
    let folder = picture.parent().unwrap();
    let paths: Vec<String> = serde_json::from_str(&run_script("degrade.py", &[picture, folder], "")).unwrap();
    assert_eq!(paths.len(), VARIANTS);
    let mut decoded = json_lines(&run_script("decode.py", &paths, ""));
    assert_eq!(decoded.len(), VARIANTS);
    for (found, path) in decoded.iter_mut().zip(paths) {
        found["file"] = path.into();
    }
    decoded
}

/// Checks that every variant of a picture holds exactly this text, as version 10-M.
pub(crate) fn assert_readable(picture: &Path, text: &str) {
    for found in decode_all(picture) {
        assert_eq!(found["text"], text, "{found}");
        assert_eq!(found["content_bytes_hex"], hex::encode(text), "{found}");
        assert_eq!((&found["version"], &found["ec_level"]), (&10.into(), &"M".into()), "{found}");
        assert_eq!(found["format"], "QR Code", "{found}");
    }
}
