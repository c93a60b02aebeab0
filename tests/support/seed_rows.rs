//! What the ticketing systems' documents say, as rows: every endpoint, parameter, value, state, address, listed word and
//! member of an example in the texts of `fixtures/seeds`, and every sentence that holds none of these. Nothing is left
//! out by itself: what tells a client nothing stands, word for word, in the text's own list.

#[path = "notation.rs"]
mod notation;
#[path = "seed_rows/reference.rs"]
mod reference;
#[cfg(test)]
#[path = "seed_rows/reference_tests.rs"]
mod reference_tests;
#[path = "seed_rows/rules.rs"]
mod rules;
#[path = "seed_rows/seeds.rs"]
mod seeds;
#[cfg(test)]
#[path = "seed_rows/tests.rs"]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;

use rules::words;
pub(crate) use seeds::SEEDS;

/// A document of a ticketing system.
pub(crate) struct Seed {
    /// Names it in rows and tables.
    pub(crate) name: &'static str,
    /// The system.
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    /// Headings and sentences that tell a client nothing it could do or rely on.
    pub(crate) asides: &'static [&'static str],
    /// What is looked for in a sentence; none in a reference, which is read operation by operation.
    pub(crate) rules: &'static [Rule],
    /// Whether requests and replies are written with types in the place of values.
    pub(crate) has_shapes: bool,
}

/// Finds rows in a sentence.
pub(crate) type Rule = fn(&str, &mut Place) -> Vec<Found>;

/// What kind of thing a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A method and a path: `POST /ticket/free`.
    Endpoint,
    /// A field of a query, `GET v1/ticket ?format`, or of a body, `POST /ticket/reserve /event_id`.
    Parameter,
    /// A value that a field may have: the same with `=` and the value.
    Value,
    /// What authorises: `JWT`.
    Token,
    /// The status that an endpoint leaves tickets in: `POST /ticket/free → available`.
    State,
    /// An address: `https://{brand URL}/tickets`.
    Address,
    /// A word of a list.
    Item,
    /// A member of an example that holds no others, as a JSON pointer.
    Member,
    /// A header of every request, or of an endpoint's: `POST /events/{event}/tokens X-API-Key`.
    Header,
    /// The body of an error.
    Error,
    /// A heading below which the document names nothing.
    Heading,
    /// A sentence.
    Statement,
}

/// One thing that a document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) seed: &'static str,
    pub(crate) kind: Kind,
    /// Names it within its document.
    pub(crate) id: String,
    /// Where it stands, counted from 1.
    pub(crate) line: usize,
    /// The words around it.
    pub(crate) text: String,
}

impl Row {
    /// Whether its name is a sentence of the document.
    pub(crate) fn is_sentence(&self) -> bool {
        self.kind == Kind::Statement
    }

    /// Whether it is a heading below which the document names nothing, so that nothing can show it.
    pub(crate) fn is_heading_only(&self) -> bool {
        self.kind == Kind::Heading
    }
}

/// A row's kind and name.
pub(crate) type Found = (Kind, String);

/// Where in a document a sentence stands.
#[derive(Debug, Default)]
pub(crate) struct Place {
    /// What the fields of a list belong to.
    pub(crate) endpoint: Option<String>,
    /// Indentation and name of the fields around.
    parents: Vec<(usize, String)>,
}

impl Seed {
    /// Everything that the document says, in its order; what it says twice is one row.
    pub(crate) fn rows(&self) -> Vec<Row> {
        if self.is_reference() {
            let mut seen = BTreeSet::new();
            return reference::rows(self).into_iter().filter(|row| seen.insert(row.id.clone())).collect();
        }
        let mut place = Place::default();
        let mut seen = BTreeSet::new();
        let all = self.blocks().into_iter().flat_map(|block| self.rows_of(&block, &mut place));
        let mut all: Vec<_> = all.chain(self.rows_of_shapes()).collect();
        all.sort_by_key(|row| row.line);
        all.retain(|row| seen.insert(row.id.clone()));
        all
    }

    /// The examples in the document.
    pub(crate) fn examples(&self) -> Vec<Value> {
        self.blocks().into_iter().filter_map(|block| block.example).collect()
    }

    /// Asides that stand nowhere in the document.
    pub(crate) fn idle_asides(&self) -> Vec<&'static str> {
        if self.is_reference() {
            let lines = self.text.lines().map(str::trim);
            let lines: BTreeSet<_> = lines.flat_map(|line| sentences(line).chain([line])).collect();
            return self.asides.iter().copied().filter(|aside| !lines.contains(aside)).collect();
        }
        let blocks = self.blocks();
        let said: BTreeSet<_> =
            blocks.iter().flat_map(|block| sentences(&block.text).chain([block.text.as_str()])).collect();
        self.asides.iter().copied().filter(|aside| !said.contains(aside)).collect()
    }

    /// Whether it goes operation by operation.
    pub(crate) fn is_reference(&self) -> bool {
        self.rules.is_empty()
    }

    fn shapes(&self) -> Vec<notation::Shape> {
        if self.has_shapes { notation::shapes(self.text) } else { Vec::new() }
    }

    /// The blocks of what is no shape.
    fn blocks(&self) -> Vec<Block> {
        let shapes = self.shapes();
        let is_in = |line: usize| shapes.iter().any(|shape| (shape.lines.0..=shape.lines.1).contains(&line));
        let lines = (1..).zip(self.text.lines()).map(|(line, text)| if is_in(line) { "" } else { text });
        blocks(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// A row for each member of a request and a reply, one for each value that it names, and one for what has no members.
    fn rows_of_shapes(&self) -> Vec<Row> {
        let row = |line, kind, id, text: String| Row { seed: self.name, kind, id, line, text };
        let mut rows = Vec::new();
        for shape in self.shapes() {
            let kind = if shape.is_reply() { Kind::Member } else { Kind::Parameter };
            let name = format!("{} {}", shape.endpoint, shape.side);
            if shape.fields.is_empty() {
                rows.push(row(shape.lines.0, kind, format!("{name} {{}}"), "{ empty }".to_owned()));
            }
            for field in &shape.fields {
                let (id, text) =
                    (format!("{name} {}", field.pointer), format!("{} {}", field.kind, field.note));
                let of_value = |value| row(field.line, Kind::Value, format!("{id}={value}"), text.clone());
                let values: Vec<_> = field.values().into_iter().map(of_value).collect();
                rows.push(row(field.line, kind, id.clone(), text.trim_end().to_owned()));
                rows.extend(values);
            }
        }
        rows
    }

    fn rows_of(&self, block: &Block, place: &mut Place) -> Vec<Row> {
        let row = |text: &str, (kind, id): Found| Row {
            seed: self.name,
            kind,
            id,
            line: block.line,
            text: text.to_owned(),
        };
        if let Some(example) = &block.example {
            let mut leaves = Vec::new();
            add_leaves(example, "", &mut leaves);
            return leaves.into_iter().map(|leaf| row(&leaf, (Kind::Member, leaf.clone()))).collect();
        }
        if self.asides.contains(&block.text.as_str()) {
            if !block.text.ends_with(['.', ':']) {
                *place = Place::default();
            }
            return Vec::new();
        }
        let field = field(block, place);
        let mut rows = Vec::new();
        for (index, sentence) in sentences(&block.text).enumerate() {
            if self.asides.contains(&sentence) {
                continue;
            }
            let mut found: Vec<Found> = match &field {
                Some(field) => values(field, sentence),
                None => self.rules.iter().flat_map(|rule| rule(sentence, place)).collect(),
            };
            match &field {
                Some(field) if index == 0 => found.insert(0, (Kind::Parameter, field.clone())),
                // The words of a list say what the sentence above them introduces.
                _ if !block.items.is_empty() && sentence.ends_with(':') => {}
                _ if found.is_empty() => found.push((Kind::Statement, sentence.to_owned())),
                _ => {}
            }
            rows.extend(found.into_iter().map(|found| row(sentence, found)));
        }
        rows.extend(block.items.iter().map(|(line, item)| {
            let text = format!("{} {item}", block.text);
            Row { line: *line, ..row(&text, (Kind::Item, item.clone())) }
        }));
        rows
    }
}

/// A paragraph, an entry of a list, or an example.
#[derive(Debug, Default)]
struct Block {
    line: usize,
    indent: usize,
    is_entry: bool,
    text: String,
    /// The lines of one word each that follow a colon.
    items: Vec<(usize, String)>,
    example: Option<Value>,
}

/// The blocks of a text. A line that begins in lower case goes on with the one before it.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut example: Option<(usize, String)> = None;
    let mut open = false;
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim();
        if example.is_some() || trimmed == "{" {
            let (begun, mut json) = example.take().unwrap_or((number, String::new()));
            json.push_str(trimmed);
            json.push('\n');
            match serde_json::from_str(&json) {
                Ok(value) => blocks.push(Block { line: begun, example: Some(value), ..Block::default() }),
                Err(_) => example = Some((begun, json)),
            }
            open = false;
        } else if trimmed.is_empty() {
            open = false;
        } else if let Some(last) =
            blocks.last_mut().filter(|_| open && trimmed.starts_with(char::is_lowercase))
        {
            let in_list = last.text.ends_with(':') && trimmed.chars().all(is_word);
            if in_list {
                last.items.push((number, trimmed.to_owned()));
            } else {
                last.text.push(' ');
                last.text.push_str(trimmed);
            }
        } else {
            let entry = ["• ", "- "].iter().find_map(|bullet| trimmed.strip_prefix(bullet));
            blocks.push(Block {
                line: number,
                indent: line.len() - line.trim_start().len(),
                is_entry: entry.is_some(),
                text: entry.unwrap_or(trimmed).to_owned(),
                ..Block::default()
            });
            open = true;
        }
    }
    assert_eq!(example, None, "an example that does not end or is no JSON");
    blocks
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Splits a block where a full stop is followed by a capital.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let all = rest?;
        let is_end = |at: &usize| all[at + 2..].starts_with(char::is_uppercase) && !is_number(&all[..*at]);
        let end = all.match_indices(". ").map(|(at, _)| at).find(is_end);
        rest = end.map(|at| &all[at + 2..]);
        let sentence = end.map_or(all, |at| &all[..=at]);
        Some(without_number(sentence))
    })
}

/// A sentence without the number that its paragraph begins with; a heading keeps its own.
fn without_number(sentence: &str) -> &str {
    match sentence.split_once(". ") {
        Some((number, rest)) if is_number(number) && rest.ends_with('.') => rest,
        _ => sentence,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name of a field of an endpoint's query or body, with what it belongs to; `None` for anything else.
fn field(block: &Block, place: &mut Place) -> Option<String> {
    let endpoint = place.endpoint.as_ref().filter(|_| block.is_entry)?;
    let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let name = words(&block.text).into_iter().next().filter(is_name)?;
    place.parents.retain(|(indent, _)| *indent < block.indent);
    let around: String = place.parents.iter().map(|(_, name)| format!("/{name}")).collect();
    place.parents.push((block.indent, name.to_owned()));
    Some(match endpoint.starts_with("GET ") {
        true => format!("{endpoint} ?{name}"),
        false => format!("{endpoint} {around}/{name}"),
    })
}

/// The values that a sentence about a field names: on both sides of an `or`, and an expression in brackets.
fn values(field: &str, sentence: &str) -> Vec<Found> {
    let words = words(sentence);
    let either = words.windows(3).filter(|three| three[1] == "or").flat_map(|three| [three[0], three[2]]);
    let expression = sentence.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    let expression = expression.map(|(inside, _)| format!("[{inside}]"));
    let named = either.map(str::to_owned).chain(expression);
    named.map(|value| (Kind::Value, format!("{field}={value}"))).collect()
}

/// Pointers (RFC 6901) to the members that hold no others.
fn add_leaves(value: &Value, at: &str, leaves: &mut Vec<String>) {
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) if !members.is_empty() => {
            members
                .iter()
                .for_each(|(name, member)| add_leaves(member, &format!("{at}/{}", escaped(name)), leaves));
        }
        Value::Array(items) if !items.is_empty() => {
            (0..)
                .zip(items)
                .for_each(|(index, item): (usize, _)| add_leaves(item, &format!("{at}/{index}"), leaves));
        }
        _ => leaves.push(at.to_owned()),
    }
}
