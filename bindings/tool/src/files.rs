//! Text files, and the code in Markdown.

use std::fs;
use std::path::Path;

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))
}

/// Writes a file with the folders above it, unless it holds the text already: what is unchanged is not compiled again.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().unwrap_or(path))
        .and_then(|()| fs::write(path, text))
        .map_err(|e| format!("{} cannot be written: {e}", path.display()))
}

/// The first fenced block of a language in a Markdown file.
pub(crate) fn example(path: &Path, language: &str) -> Result<String, String> {
    let text = read(path)?;
    block(&text, language)
        .map(str::to_owned)
        .ok_or_else(|| format!("{} has no {language} example", path.display()))
}

fn block<'a>(text: &'a str, language: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("```{language}\n"))?;
    Some(rest.split_once("```")?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_of_the_language_is_the_example() {
        let text = "a\n```sh\nls\n```\n```swift\nlet a = 1\n```\n```swift\nlet b = 2\n```\n";
        assert_eq!(block(text, "swift"), Some("let a = 1\n"));
        assert_eq!(block(text, "kotlin"), None);
        assert_eq!(block("```kotlin\nunfinished", "kotlin"), None);
    }

    #[test]
    fn a_file_with_the_text_already_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("ticket-wallet-files-{}", std::process::id()));
        let path = folder.join("deep/file.txt");
        write(&path, "one").unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(long_ago)).unwrap();
        write(&path, "one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), long_ago);
        write(&path, "two").unwrap();
        assert_eq!(read(&path).as_deref(), Ok("two"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
