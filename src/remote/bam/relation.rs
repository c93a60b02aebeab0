//! RelationExpression, objection.js's language for "which sub-objects to include" (`relationExpressionParser.pegjs`).
//!
//! ```text
//! start      = expression | list              an empty text asks for nothing
//! expression = name [ "(" name *("," name) ")" ] [ " as " name ] [ "." ( list | expression ) ]
//! list       = "[" expression *( [","] expression ) "]"
//! name       = 1*( any character but [ ] ( ) . , and white space )
//! ```

use std::fmt;

/// A set of relations to include, in canonical form: each stands once, with its own set below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelationExpression {
    relations: Vec<Relation>,
}

/// One relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name; `*` and `^` (or `^3`) are objection.js's recursions.
    pub name: String,
    /// Names of modifiers.
    pub modifiers: Vec<String>,
    /// The name under which it appears, where that is another.
    pub alias: Option<String>,
    /// What to include of it in turn.
    pub children: RelationExpression,
}

/// The text does not follow the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a RelationExpression: {expected} expected at character {position}")]
pub struct RelationError {
    /// Counted from 1.
    pub position: usize,
    /// What could have stood there.
    pub expected: &'static str,
}

/// Deeper nesting is refused: no server's model has it, and it bounds the parser's own depth.
const MAX_DEPTH: usize = 32;

impl RelationExpression {
    /// Reads an expression and merges what stands twice at one level.
    ///
    /// # Errors
    /// [`RelationError`] with the place.
    pub fn parse(text: &str) -> Result<Self, RelationError> {
        let mut parser = Parser { characters: text.chars().collect(), position: 0 };
        parser.skip_space();
        let mut result = Self::default();
        if !parser.at_end() {
            parser.item(&mut result, 0)?;
        }
        if parser.at_end() { Ok(result) } else { Err(parser.expected("the end")) }
    }

    /// An expression of one relation, without sub-objects.
    ///
    /// # Errors
    /// [`RelationError`] when `name` is not one plain name.
    pub fn named(name: &str) -> Result<Self, RelationError> {
        let expression = Self::parse(name)?;
        match expression.relations.as_slice() {
            [relation] if relation.name == name => Ok(expression),
            _ => Err(RelationError { position: 1, expected: "one plain name" }),
        }
    }

    /// Includes `children` of every relation of this level.
    #[must_use]
    pub fn including(mut self, children: &Self) -> Self {
        for relation in &mut self.relations {
            relation.children = std::mem::take(&mut relation.children).merge(children.clone());
        }
        self
    }

    /// Adds everything that `other` asks for.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        other.relations.into_iter().for_each(|relation| self.add(relation));
        self
    }

    /// The relations of this level.
    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }

    /// Whether it only names relations: no modifier, alias or recursion, which a server may not know.
    pub fn is_plain(&self) -> bool {
        self.relations.iter().all(|relation| {
            relation.modifiers.is_empty()
                && relation.alias.is_none()
                && !relation.name.starts_with(['*', '^'])
                && relation.children.is_plain()
        })
    }

    /// The canonical text, percent-encoded to stand in a query.
    pub fn to_query_value(&self) -> String {
        percent_encoding::utf8_percent_encode(&self.to_string(), percent_encoding::NON_ALPHANUMERIC)
            .to_string()
    }

    fn add(&mut self, relation: Relation) {
        let same = |held: &&mut Relation| {
            held.name == relation.name && held.alias == relation.alias && held.modifiers == relation.modifiers
        };
        match self.relations.iter_mut().find(same) {
            Some(held) => held.children = std::mem::take(&mut held.children).merge(relation.children),
            None => self.relations.push(relation),
        }
    }
}

impl fmt::Display for RelationExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.relations.as_slice() {
            [] => Ok(()),
            [single] => single.fmt(f),
            [first, rest @ ..] => {
                write!(f, "[{first}")?;
                rest.iter().try_for_each(|relation| write!(f, ",{relation}"))?;
                f.write_str("]")
            }
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.modifiers.is_empty() {
            write!(f, "({})", self.modifiers.join(","))?;
        }
        if let Some(alias) = &self.alias {
            write!(f, " as {alias}")?;
        }
        if !self.children.relations.is_empty() {
            write!(f, ".{}", self.children)?;
        }
        Ok(())
    }
}

struct Parser {
    characters: Vec<char>,
    position: usize,
}

impl Parser {
    /// A list or an expression.
    fn item(&mut self, into: &mut RelationExpression, depth: usize) -> Result<(), RelationError> {
        if depth > MAX_DEPTH {
            return Err(self.expected("less nesting"));
        }
        if !self.take('[') {
            let relation = self.expression(depth)?;
            into.add(relation);
            return Ok(());
        }
        loop {
            self.skip_space();
            let relation = self.expression(depth)?;
            into.add(relation);
            self.skip_space();
            if self.take(']') {
                self.skip_space();
                return Ok(());
            }
            self.take(',');
        }
    }

    fn expression(&mut self, depth: usize) -> Result<Relation, RelationError> {
        let name = self.name()?;
        let modifiers = if self.take('(') { self.modifiers()? } else { Vec::new() };
        let alias = self.alias()?;
        self.skip_space();
        let mut children = RelationExpression::default();
        if self.take('.') {
            self.skip_space();
            self.item(&mut children, depth + 1)?;
        }
        Ok(Relation { name, modifiers, alias, children })
    }

    fn modifiers(&mut self) -> Result<Vec<String>, RelationError> {
        let mut names = Vec::new();
        loop {
            self.skip_space();
            names.push(self.name()?);
            self.skip_space();
            if self.take(')') {
                return Ok(names);
            }
            if !self.take(',') {
                return Err(self.expected("a comma or )"));
            }
        }
    }

    /// ` as name`, where there is one; white space before anything else is left to the caller.
    fn alias(&mut self) -> Result<Option<String>, RelationError> {
        let start = self.position;
        self.skip_space();
        let rest = &self.characters[self.position..];
        let is_alias = self.position > start
            && rest.starts_with(&['a', 's'])
            && rest.get(2).is_some_and(|character| character.is_whitespace());
        if !is_alias {
            self.position = start;
            return Ok(None);
        }
        self.position += 2;
        self.skip_space();
        self.name().map(Some)
    }

    fn name(&mut self) -> Result<String, RelationError> {
        let rest = &self.characters[self.position..];
        let name: String =
            rest.iter().take_while(|c| !c.is_whitespace() && !"[]().,".contains(**c)).collect();
        if name.is_empty() {
            return Err(self.expected("a relation's name"));
        }
        self.position += name.chars().count();
        Ok(name)
    }

    fn take(&mut self, character: char) -> bool {
        let found = self.characters.get(self.position) == Some(&character);
        self.position += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while self.characters.get(self.position).is_some_and(|c| c.is_whitespace()) {
            self.position += 1;
        }
    }

    fn at_end(&self) -> bool {
        self.position == self.characters.len()
    }

    fn expected(&self, expected: &'static str) -> RelationError {
        RelationError { position: self.position + 1, expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        RelationExpression::parse(text).unwrap().to_string()
    }

    #[test]
    fn reads_what_the_grammar_allows_and_writes_it_canonically() {
        for (text, expected) in [
            ("", ""),
            ("a", "a"),
            ("[a]", "a"),
            ("[ticket_holder,ticket_config.event]", "[ticket_holder,ticket_config.event]"),
            ("[ticket_holder,ticket_config.[event]]", "[ticket_holder,ticket_config.event]"),
            ("[a.b, a.c]", "a.[b,c]"),
            ("[a.b, a.[c.d, b.e], f]", "[a.[b.e,c.d],f]"),
            (" [ a  b\n, c ] ", "[a,b,c]"),
            ("a(first, second) as b.[c(x), *]", "a(first,second) as b.[c(x),*]"),
            ("parent.^3", "parent.^3"),
            ("[a as b, a]", "[a as b,a]"),
            ("[a as, b]", "[a,as,b]"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn says_where_a_text_goes_wrong() {
        for (text, position) in [
            ("[", 2),
            ("[]", 2),
            ("a.", 3),
            ("a..b", 3),
            ("a]", 2),
            ("[a", 3),
            ("a(", 3),
            ("a(b", 4),
            ("a b", 3),
            (",", 1),
        ] {
            assert_eq!(RelationExpression::parse(text).unwrap_err().position, position, "{text}");
        }
        assert!(RelationExpression::parse(&"a.".repeat(100_000)).is_err(), "bounded depth");
    }

    #[test]
    fn merges_and_encodes() {
        let merged =
            RelationExpression::parse("a.b").unwrap().merge(RelationExpression::parse("[a.c,d]").unwrap());
        assert_eq!(merged.to_string(), "[a.[b,c],d]");
        assert_eq!(merged.to_query_value(), "%5Ba%2E%5Bb%2Cc%5D%2Cd%5D");
        assert!(merged.is_plain());
        for text in ["a.*", "^2", "a as b", "a(m)"] {
            assert!(!RelationExpression::parse(text).unwrap().is_plain(), "{text}");
        }
    }

    #[test]
    fn builds_from_names() {
        let named = |name| RelationExpression::named(name).unwrap();
        let built = named("ticket_config")
            .including(&named("event").merge(named("ticket_type")))
            .merge(named("sector"));
        assert_eq!(built.to_string(), "[ticket_config.[event,ticket_type],sector]");
        for name in ["", "a.b", "[a]", "a b", "a(m)", "a as b", "a,b"] {
            assert!(RelationExpression::named(name).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn canonical_text_is_stable(text in "[ab\\[\\]().,^* ]{0,24}") {
            if let Ok(expression) = RelationExpression::parse(&text) {
                prop_assert_eq!(RelationExpression::parse(&expression.to_string()).unwrap(), expression);
            }
        }
    }
}
