//! A reference that goes operation by operation: prose with headers and the bodies of errors in it, then headings, and below
//! some of them operations, each with its fields, a call by `curl`, and an example of its answer.

use serde_json::Value;

use super::{Kind, Row, Seed, add_leaves, sentences};

/// What is written behind a field's name.
const TYPES: [&str; 4] = ["Array of", "integer", "boolean", "string"];

/// The rows of a reference.
pub(super) fn rows(seed: &Seed) -> Vec<Row> {
    let numbered = (1..).zip(seed.text.lines()).map(|(number, line)| (number, line.trim()));
    let lines: Vec<(usize, &str)> = numbered.filter(|(_, line)| !line.is_empty()).collect();
    let mut reader = Reader { seed, rows: Vec::new(), said: String::new() };
    let mut at = 0;
    while at < lines.len() {
        let rest = &lines[at..];
        at += match rest {
            [_, (_, "Request"), ..] => {
                let length = operation_length(rest);
                reader.operation(&rest[..length]);
                length
            }
            [heading, (_, "Operations"), after @ ..] => {
                let has_one = matches!(after, [_, (_, "Request"), ..]);
                let kind = if has_one { Kind::Statement } else { Kind::Heading };
                let text = format!("{} Operations", heading.1);
                reader.add(heading.0, kind, heading.1.to_owned(), &text);
                2
            }
            _ => reader.prose(rest),
        };
    }
    reader.rows
}

/// The lines of an operation, up to the next one or the next heading.
fn operation_length(lines: &[(usize, &str)]) -> usize {
    let ends = |at: &usize| {
        let next = lines.get(at + 1).map(|(_, line)| *line);
        matches!(next, Some("Request" | "Operations"))
    };
    (2..lines.len()).find(ends).unwrap_or(lines.len())
}

struct Reader<'a> {
    seed: &'a Seed,
    rows: Vec<Row>,
    /// The sentence before.
    said: String,
}

impl Reader<'_> {
    fn add(&mut self, line: usize, kind: Kind, id: String, text: &str) {
        self.rows.push(Row { seed: self.seed.name, kind, id, line, text: text.to_owned() });
    }

    /// One line of prose, or the lines of a body; gives how many.
    fn prose(&mut self, lines: &[(usize, &str)]) -> usize {
        let (number, line) = lines[0];
        if line.starts_with('{') {
            let (body, length) = json(lines);
            let words =
                |key: &str| body.get(key).and_then(Value::as_str).map(|words| format!("{key}: {words}"));
            let id = words("message").or_else(|| words("error")).unwrap_or_else(|| body.to_string());
            let text = self.said.clone();
            self.add(number, Kind::Error, id, &text);
            return length;
        }
        if self.seed.asides.contains(&line) {
            return 1;
        }
        let (kind, whole) = if line.starts_with("https://") {
            (Kind::Address, true)
        } else if line.starts_with("X-") && line.contains(": ") {
            (Kind::Header, true)
        } else {
            (Kind::Statement, false)
        };
        if whole {
            let text = self.said.clone();
            self.add(number, kind, line.to_owned(), &text);
            return 1;
        }
        for sentence in sentences(line) {
            self.said = sentence.to_owned();
            if !self.seed.asides.contains(&sentence) {
                self.add(number, kind, sentence.to_owned(), sentence);
            }
        }
        1
    }

    fn operation(&mut self, lines: &[(usize, &str)]) {
        let Some(endpoint) = endpoint(lines) else { panic!("{}: an operation without a call", lines[0].1) };
        let mut operation =
            Operation { endpoint: &endpoint, part: Part::Words, field: None, around: String::new() };
        self.add(lines[0].0, Kind::Endpoint, endpoint.clone(), lines[0].1);
        let mut at = 2;
        while at < lines.len() {
            at += self.line_of(&lines[at..], &mut operation);
        }
    }

    /// A line of an operation, or those of a body; gives how many.
    fn line_of(&mut self, lines: &[(usize, &str)], operation: &mut Operation<'_>) -> usize {
        let ((number, line), endpoint) = (lines[0], operation.endpoint);
        if let Some(part) = Part::named(line, operation.part) {
            (operation.part, operation.field) = (part, None);
            operation.around = format!("{} {line}", operation.around).trim().to_owned();
            return 1;
        }
        let text = std::mem::take(&mut operation.around);
        let text = format!("{text} {line}").trim().to_owned();
        if let Some(header) = line.strip_prefix("-H '") {
            let name = header.split(':').next().unwrap_or(header);
            self.add(number, Kind::Header, format!("{endpoint} {name}"), &text);
            return 1;
        }
        if let Some(call) = line.strip_prefix("'https://") {
            let query = call.split_once('?').map_or("", |(_, query)| query);
            for pair in query.split(['&', '\'']).filter(|pair| pair.contains('=')) {
                self.add(number, Kind::Value, format!("{endpoint} ?{pair}"), &text);
            }
            if query.is_empty() {
                self.add(number, Kind::Address, call.trim_end_matches(['\'', ' ', '\\']).to_owned(), &text);
            }
            return 1;
        }
        let is_sent = line.starts_with("-d '{");
        if is_sent || line.starts_with('{') {
            let (body, length) = json(lines);
            let mut leaves = Vec::new();
            add_leaves(&body, "", &mut leaves);
            let what = if is_sent { "example" } else { "→ example" };
            for leaf in leaves {
                self.add(number, Kind::Member, format!("{endpoint} {what} {leaf}"), &text);
            }
            return length;
        }
        match (operation.part, field(line)) {
            (Part::Path | Part::Query | Part::Sent | Part::Answered, Some(name)) => {
                let id = match operation.part {
                    Part::Path => format!("{endpoint} {{{name}}}"),
                    Part::Query => format!("{endpoint} ?{name}"),
                    Part::Sent => format!("{endpoint} /{name}"),
                    _ => format!("{endpoint} → /{name}"),
                };
                let kind = if operation.part == Part::Answered { Kind::Member } else { Kind::Parameter };
                operation.field = Some(id.clone());
                self.add(number, kind, id, &text);
            }
            (_, _) => self.words(number, line, &text, operation),
        }
        1
    }

    /// Words about the operation, its field, or its answer.
    fn words(&mut self, number: usize, line: &str, text: &str, operation: &Operation<'_>) {
        if let Some(field) = &operation.field {
            let id = match line.strip_prefix("Default ") {
                Some(default) => format!("{field}={default}"),
                None => format!("{field}: {line}"),
            };
            return self.add(number, Kind::Value, id, text);
        }
        for sentence in sentences(line) {
            let text = if text.ends_with(line) { text } else { sentence };
            self.add(number, Kind::Statement, format!("{}: {sentence}", operation.endpoint), text);
        }
    }
}

struct Operation<'a> {
    endpoint: &'a str,
    part: Part,
    field: Option<String>,
    /// Lines that name what comes next.
    around: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Words,
    Path,
    Query,
    Sent,
    /// The answer, before its body.
    Answer,
    Answered,
    Example,
}

impl Part {
    /// The part that a line begins.
    fn named(line: &str, now: Self) -> Option<Self> {
        match line {
            "Path" => Some(Self::Path),
            "Query" => Some(Self::Query),
            "Bodyapplication/json" if matches!(now, Self::Answer) => Some(Self::Answered),
            "Bodyapplication/json" => Some(Self::Sent),
            "Responses" => Some(Self::Answer),
            "Response" | "application/json" => Some(Self::Example),
            line if line.starts_with("curl ") => Some(Self::Words),
            _ => None,
        }
    }
}

/// `POST /events/{event}/tokens`, from the call.
fn endpoint(lines: &[(usize, &str)]) -> Option<String> {
    let call = lines.windows(2).find(|two| two[0].1.starts_with("curl "))?;
    let method = call[0].1.split_whitespace().skip_while(|word| *word != "-X").nth(1)?;
    let path = call[1].1.split_once("/openapi")?.1;
    let path = path.split(['\'', '?']).next()?;
    Some(format!("{method} {path}"))
}

/// The name in `recordsinteger`.
fn field(line: &str) -> Option<&str> {
    let ends = TYPES.iter().filter_map(|kind| line.find(kind)).filter(|at| *at > 0);
    let name = &line[..ends.min()?];
    name.chars().all(|c| c.is_ascii_lowercase() || c == '_').then_some(name)
}

/// The body that begins at a line, and over how many lines; what it leaves out is an empty object.
fn json(lines: &[(usize, &str)]) -> (Value, usize) {
    let mut text = String::new();
    for (index, (_, line)) in lines.iter().enumerate() {
        let line = line.strip_prefix("-d '").unwrap_or(line);
        text.push_str(&line.trim_end_matches('\'').replace("{ … }", "{}"));
        if let Ok(body) = serde_json::from_str(&text) {
            return (body, index + 1);
        }
    }
    panic!("an example that does not end or is no JSON: {}", lines[0].1)
}
