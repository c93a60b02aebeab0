//! Reads Rust source well enough to see which paths it names.

/// Code in pieces: identifiers, `::`, and single other characters.
type Tokens = Vec<String>;

/// The paths in a source that begin with `crate`, `self`, `super` or `std`, with nested braces spelt out: from
/// `use crate::{a::B, c}` come `crate::a::B` and `crate::c`. Comments, literals and test modules are left out.
pub(crate) fn paths(source: &str) -> Vec<Vec<String>> {
    let tokens = shipped(tokens(&blank_literals(source)));
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let begins = matches!(token.as_str(), "crate" | "self" | "super" | "std")
            && tokens.get(at + 1).is_some_and(|next| next == "::");
        if begins {
            spell_out(&tokens, at, &[], &mut found);
        }
    }
    found
}

/// The identifiers of a source, outside comments, literals and test modules.
pub(crate) fn identifiers(source: &str) -> Vec<String> {
    let mut tokens = shipped(tokens(&blank_literals(source)));
    tokens.retain(|token| token.starts_with(is_name));
    tokens
}

/// The paths after each `use`, whatever they begin with: `pub use a::{B, c::D}` gives `a::B` and `a::c::D`.
pub(crate) fn uses(source: &str) -> Vec<Vec<String>> {
    let tokens = shipped(tokens(&blank_literals(source)));
    let mut found = Vec::new();
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| *token == "use") {
        spell_out(&tokens, at + 1, &[], &mut found);
    }
    found
}

/// Collects the paths of the tree that starts at `at`; returns where it ends.
fn spell_out(tokens: &[String], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(at) {
        at += 1;
        if token == "{" {
            while tokens.get(at).is_some_and(|token| token != "}") {
                let end = spell_out(tokens, at, &path, found);
                // Over a comma, and over `as Name`.
                at = (end..tokens.len())
                    .find(|&i| tokens[i] == "," || tokens[i] == "}")
                    .unwrap_or(tokens.len());
                at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
            }
            return at + 1;
        }
        if token != "*" && !token.starts_with(is_name) {
            at -= 1;
            break;
        }
        path.push(token.clone());
        match tokens.get(at) {
            Some(next) if next == "::" => at += 1,
            _ => break,
        }
    }
    found.push(path);
    at
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tokens(code: &str) -> Tokens {
    let mut found = Tokens::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        found.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    found
}

/// The tokens without the items under `#[cfg(test)]`.
fn shipped(tokens: Tokens) -> Tokens {
    const TEST_ONLY: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Tokens::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..].iter().take(TEST_ONLY.len()).eq(TEST_ONLY.iter()) {
            at = end_of_item(&tokens, at + TEST_ONLY.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Where the item that starts at `at` ends: behind its `;` or its closing brace.
fn end_of_item(tokens: &[String], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.as_str() {
            ";" if depth == 0 => return index + 1,
            "{" => depth += 1,
            "}" if depth <= 1 => return index + 1,
            "}" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The source with a blank for each comment, string and character.
fn blank_literals(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    let mut word = false; // whether a name stands right before, as in `for"`: then no prefix like r or b begins here
    while let Some(first) = rest.chars().next() {
        let literal =
            if word { plain_literal(rest) } else { raw_string(rest).or_else(|| plain_literal(rest)) };
        match literal {
            Some(length) => {
                code.push(' ');
                rest = &rest[length..];
                word = false;
            }
            None => {
                code.push(first);
                rest = &rest[first.len_utf8()..];
                word = is_name(first);
            }
        }
    }
    code
}

/// The length of a comment, string or character at the start.
fn plain_literal(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [b'/', b'/', ..] => Some(text.find('\n').unwrap_or(text.len())),
        [b'/', b'*', ..] => Some(block_comment(text)),
        [b'"', ..] => Some(1 + quoted(&text[1..], '"')),
        // A lifetime has no quote two characters on.
        [b'\'', b'\\', ..] => Some(1 + quoted(&text[1..], '\'')),
        [b'\'', ..] => {
            let length = 1 + text[1..].chars().next()?.len_utf8();
            text[length..].starts_with('\'').then_some(length + 1)
        }
        _ => None,
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        match text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Where a quoted text ends, behind its closing quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `r"…"`, `br#"…"#` and the like at the start.
fn raw_string(text: &str) -> Option<usize> {
    let body = ["br", "cr", "r"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inside = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
    Some(text.len() - inside.len() + length)
}
