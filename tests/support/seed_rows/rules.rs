//! What is looked for in a sentence.

use super::{Found, Kind, Place};

/// The words of a sentence without what surrounds them.
pub(super) fn words(sentence: &str) -> Vec<&str> {
    sentence.split_whitespace().map(|word| word.trim_matches(['(', ')', ',', '.', ':'])).collect()
}

/// `GET v1/ticket`, of which the lists that follow tell the fields.
pub(crate) fn endpoints(sentence: &str, place: &mut Place) -> Vec<Found> {
    const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let words = words(sentence);
    let calls = words.windows(2).filter(|two| METHODS.contains(&two[0]) && two[1].contains('/'));
    let found: Vec<_> = calls.map(|call| (Kind::Endpoint, call.join(" "))).collect();
    if let Some((_, endpoint)) = found.last() {
        *place = Place { endpoint: Some(endpoint.clone()), parents: Vec::new() };
    }
    found
}

/// What a call is authorised with.
pub(crate) fn tokens(sentence: &str, _: &mut Place) -> Vec<Found> {
    let named = words(sentence).into_iter().filter(|word| *word == "JWT");
    named.map(|word| (Kind::Token, word.to_owned())).collect()
}

/// `in the reserved state`, `makes the tickets available`.
pub(crate) fn states(sentence: &str, place: &mut Place) -> Vec<Found> {
    let words = words(sentence);
    let Some(endpoint) = &place.endpoint else { return Vec::new() };
    let named = words.windows(4).filter_map(|four| match four {
        ["in", "the", state, "state"] | ["makes", "the", "tickets", state] => Some(*state),
        _ => None,
    });
    named.map(|state| (Kind::State, format!("{endpoint} → {state}"))).collect()
}

/// `https://{brand URL}/tickets`; a blank between braces belongs to it.
pub(crate) fn addresses(sentence: &str, _: &mut Place) -> Vec<Found> {
    let starts = sentence.match_indices("https://");
    let address = |at: usize| {
        let mut depth = 0_i32;
        let end = sentence[at..].find(|character| {
            depth += i32::from(character == '{') - i32::from(character == '}');
            depth == 0 && char::is_whitespace(character)
        });
        sentence[at..].split_at(end.unwrap_or(sentence.len() - at)).0
    };
    starts.map(|(at, _)| (Kind::Address, address(at).to_owned())).collect()
}

/// What TEXPO says of a method: its line in the table, its heading, its kind, its path, its permission.
pub(crate) fn methods(sentence: &str, place: &mut Place) -> Vec<Found> {
    const CALLED: &str = "jsonRpc";
    let in_table = sentence.strip_prefix("/jsonRpc/").and_then(|rest| rest.split_once(CALLED));
    let named = in_table.map(|(method, _)| format!("POST /jsonRpc/{method}")).or_else(|| heading(sentence));
    if let Some(endpoint) = named {
        *place = Place { endpoint: Some(endpoint.clone()), parents: Vec::new() };
        return vec![(Kind::Endpoint, endpoint)];
    }
    let Some(endpoint) = &place.endpoint else { return Vec::new() };
    let kind = match sentence.split_once(": ") {
        _ if sentence == "Permissions:" || sentence == "network.manage /networkId" => Kind::Token,
        Some(("Method" | "HTTP Method", _)) => Kind::Value,
        Some(("Path", _)) => Kind::Address,
        _ => return Vec::new(),
    };
    vec![(kind, format!("{endpoint} {sentence}"))]
}

/// The method that a heading is of: `Create purchasable ticket`.
fn heading(sentence: &str) -> Option<String> {
    let mut words = sentence.split(' ');
    let verb = words.next().filter(|verb| ["Create", "Delete", "Update", "Get"].contains(verb))?;
    let rest: String = words.map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..])).collect();
    let is_name = rest.starts_with("Purchasable") && rest.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_name.then(|| format!("POST /jsonRpc/ticket.{}{rest}", verb.to_lowercase()))
}
