//! The notation of TEXPO's document: members with types in the place of values, `"price": float  // price in USD`.

use std::fmt::Write as _;

/// A request or a reply as the document describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Its method: `POST /jsonRpc/ticket.createPurchasableTicket`.
    pub(crate) endpoint: String,
    /// `request` or `reply`; empty where the document does not say which.
    pub(crate) side: &'static str,
    /// Its first and last line, counted from 1.
    pub(crate) lines: (usize, usize),
    /// Its members that hold no others.
    pub(crate) fields: Vec<Field>,
    /// An example of it: texts are the document's own words, or the last of the values that it names.
    pub(crate) example: String,
}

/// A member with what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) line: usize,
    /// JSON pointer; the items of a list are `*`.
    pub(crate) pointer: String,
    /// `string`, `float`, `timestamp`, `bool`, `int`.
    pub(crate) kind: String,
    pub(crate) note: String,
}

/// Every request and reply of a document, in its order.
pub(crate) fn shapes(text: &str) -> Vec<Shape> {
    let (mut shapes, mut open) = (Vec::new(), None::<Shape>);
    let (mut endpoint, mut side) = (String::new(), "");
    let mut parents = Vec::new();
    for (line, written) in (1..).zip(text.lines()) {
        let written = written.trim();
        match written {
            "Request:" => side = "request",
            "Response:" => side = "reply",
            _ => {}
        }
        if let Some(path) = written.strip_prefix("Path: ") {
            endpoint = format!("POST {path}");
            side = "";
        }
        if open.is_none() && written.starts_with('{') {
            let (endpoint, fields) = (endpoint.clone(), Vec::new());
            open = Some(Shape { endpoint, side, lines: (line, line), fields, example: String::new() });
        }
        let Some(shape) = &mut open else { continue };
        shape.lines.1 = line;
        for part in parts(written) {
            shape.add(line, &part, &mut parents);
        }
        if parents.is_empty() {
            shapes.extend(open.take());
        }
    }
    assert_eq!(open, None, "a shape that does not end");
    shapes
}

/// The parts of a line, which hold one member or one bracket each, with their notes.
fn parts(written: &str) -> Vec<String> {
    match written.split_once("\": { \"") {
        _ if written == "{ empty }" => vec!["{".to_owned(), "}".to_owned()],
        Some((name, members)) => {
            let members = format!("\"{}", members.trim_end_matches(" }"));
            let inside = members.split(", ").map(str::to_owned);
            [format!("{name}\": {{")].into_iter().chain(inside).chain(["}".to_owned()]).collect()
        }
        None => vec![written.to_owned()],
    }
}

impl Shape {
    pub(crate) fn is_reply(&self) -> bool {
        self.side == "reply"
    }

    fn add(&mut self, line: usize, part: &str, parents: &mut Vec<String>) {
        let (written, note) = part.split_once("//").unwrap_or((part, ""));
        let (written, note) = (written.trim(), note.trim());
        if written.starts_with('}') {
            parents.pop();
            return self.example.push_str(written.trim_end_matches(','));
        }
        if !self.example.is_empty() && !self.example.ends_with(['{', '[']) && written.starts_with('"') {
            self.example.push(',');
        }
        let Some((name, kind)) = written.split_once(": ") else {
            parents.push(String::new());
            return self.example.push_str(written);
        };
        let name = name.trim_matches('"');
        write!(self.example, "\"{name}\":").unwrap();
        let pointer = format!("{}/{name}", parents.last().map_or("", String::as_str));
        match kind {
            "{" | "[{" => {
                self.example.push_str(kind);
                parents.push(if kind == "{" { pointer } else { format!("{pointer}/*") });
            }
            kind => {
                self.example.push_str(&example(name, kind, note));
                self.fields.push(Field { line, pointer, kind: kind.to_owned(), note: note.to_owned() });
            }
        }
    }
}

impl Field {
    /// The values that are named: `single/days:1of3/days:2of3`.
    pub(crate) fn values(&self) -> Vec<&str> {
        let is_named = ["/ticketType", "/grantType", "/grantTarget"];
        if !is_named.iter().any(|name| self.pointer.ends_with(name)) {
            return Vec::new();
        }
        self.note.split('/').collect()
    }
}

fn example(name: &str, kind: &str, note: &str) -> String {
    let text = match name {
        "ticketType" | "grantType" | "grantTarget" => note.rsplit('/').next().unwrap_or(note),
        _ if note.is_empty() => name,
        _ => note,
    };
    match kind {
        "string" => serde_json::Value::from(text).to_string(),
        "timestamp" if name == "eventStartDate" => "1795824000".to_owned(),
        "timestamp" => "1795852800".to_owned(),
        "float" => "64.10".to_owned(),
        "bool" => "false".to_owned(),
        "int" => "0".to_owned(),
        other => panic!("no example of {other}"),
    }
}
