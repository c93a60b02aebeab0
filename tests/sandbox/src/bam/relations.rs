//! Relation expressions: which sub-objects a reply shall hold, for example `[ticket_holder,ticket_config.event]`.
//!
//! The grammar is objection.js's, without what no client of B.A.M needs: arguments, aliases and recursion.
//!
//! ```text
//! start      = "" | expression | list
//! expression = name [ "." ( list | expression ) ]
//! list       = "[" expression *( [","] expression ) "]"
//! ```

use std::collections::BTreeMap;

use serde_json::Value;

/// How deep expressions may nest.
const MAX_DEPTH: usize = 16;

/// A relation that B.A.M's tickets have, with those below it.
#[derive(Debug)]
pub(super) struct Known {
    name: &'static str,
    below: &'static [Known],
}

const fn leaf(name: &'static str) -> Known {
    Known { name, below: &[] }
}

/// All relations of a ticket.
pub(super) const TICKET: &[Known] = &[
    leaf("ticket_discount"),
    leaf("order_item"),
    Known { name: "ticket_holder", below: &[leaf("address")] },
    Known {
        name: "ticket_config",
        below: &[
            leaf("ticket_type"),
            leaf("ticket_discount"),
            leaf("promo_section"),
            leaf("depends_on"),
            leaf("event"),
        ],
    },
    Known { name: "sector", below: &[leaf("ticket_config")] },
    leaf("ticket_asset"),
    leaf("timeslot"),
];

/// All relations of an order.
pub(super) const ORDER: &[Known] =
    &[Known { name: "order_item", below: &[Known { name: "ticket", below: TICKET }] }, leaf("order_contact")];

/// All relations of what a ticket's holder answered.
pub(super) const TICKET_HOLDER: &[Known] = &[Known {
    name: "questionnaire",
    below: &[Known { name: "questionnaire_item", below: &[leaf("question")] }],
}];

/// All relations of an event.
pub(super) const EVENT: &[Known] = &[
    leaf("ticket_format"),
    Known { name: "occurrence", below: &[leaf("sector"), leaf("ticket_discount")] },
    Known {
        name: "ticket_config",
        below: &[leaf("ticket_type"), leaf("ticket_discount"), leaf("promo_section"), leaf("depends_on")],
    },
];

/// All relations of a category.
pub(super) const CATEGORY: &[Known] = &[leaf("subcategory")];

/// The relations that were asked for: a tree of names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Relations(BTreeMap<String, Relations>);

impl Relations {
    /// Reads an expression; `None` for a syntax error or a relation that is not among these.
    pub(super) fn parse(text: &str, known: &[Known]) -> Option<Self> {
        let mut parser = Parser { rest: text.trim() };
        let mut relations = Self::default();
        if !parser.rest.is_empty() {
            parser.expressions(&mut relations, 0)?;
        }
        (parser.rest.is_empty() && relations.are_among(known)).then_some(relations)
    }

    /// Whether a relation was asked for.
    pub(super) fn ask(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Takes every relation out of a value that was not asked for.
    pub(super) fn prune(&self, value: &mut Value, known: &[Known]) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.prune(item, known)),
            Value::Object(members) => {
                for relation in known {
                    match (self.0.get(relation.name), members.get_mut(relation.name)) {
                        (Some(asked), Some(member)) => asked.prune(member, relation.below),
                        _ => drop(members.shift_remove(relation.name)),
                    }
                }
            }
            _ => {}
        }
    }

    fn are_among(&self, known: &[Known]) -> bool {
        self.0.iter().all(|(name, below)| {
            known.iter().any(|relation| relation.name == name && below.are_among(relation.below))
        })
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    /// One expression or a list of them, merged into `into`.
    fn expressions(&mut self, into: &mut Relations, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        if !self.take('[') {
            return self.expression(into, depth);
        }
        loop {
            self.expression(into, depth)?;
            self.skip_space();
            if self.take(']') {
                return Some(());
            }
            self.take(',');
            self.skip_space();
        }
    }

    fn expression(&mut self, into: &mut Relations, depth: usize) -> Option<()> {
        self.skip_space();
        let end = self.rest.find(|c: char| "[](),.".contains(c) || c.is_whitespace());
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() {
            return None;
        }
        self.rest = rest;
        let below = into.0.entry(name.to_owned()).or_default();
        if self.take('.') { self.expressions(below, depth + 1) } else { Some(()) }
    }

    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Option<Relations> {
        Relations::parse(text, TICKET)
    }

    #[test]
    fn equal_expressions_give_equal_trees() {
        let seed = parse("[ticket_holder,ticket_config.event]").unwrap();
        for same in [
            "[ticket_holder,ticket_config.[event]]",
            " [ ticket_holder , ticket_config.[ event ] ] ",
            "[ticket_holder ticket_config.event]",
            "[ticket_config.event,ticket_holder,ticket_config]",
        ] {
            assert_eq!(parse(same).as_ref(), Some(&seed), "{same}");
        }
        assert_eq!(parse(""), Some(Relations::default()));
    }

    #[test]
    fn syntax_errors_and_unknown_relations_are_refused() {
        let deep = "ticket_config.".repeat(100);
        for bad in [
            "[",
            "]",
            "[]",
            "[sector",
            "sector]",
            "sector,timeslot",
            "sector.",
            ".sector",
            "[,sector]",
            "sector..x",
            "sector timeslot",
            "sector(a)",
            "*",
            "sector.^",
            "seat",
            "event",
            "ticket_holder.event",
            "[sector,[timeslot]]",
            &deep,
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn pruning_keeps_plain_members_and_what_was_asked_for() {
        let full = json!({"id": 1, "sector": {"name": "A", "ticket_config": [{"id": 2}]},
            "ticket_config": {"id": 2, "event": {"id": 3}, "ticket_type": {"id": 4}}, "timeslot": null});
        let pruned = |with: &str| {
            let mut ticket = full.clone();
            parse(with).unwrap().prune(&mut ticket, TICKET);
            ticket
        };
        assert_eq!(pruned(""), json!({"id": 1}));
        assert_eq!(pruned("[sector,timeslot]"), json!({"id": 1, "sector": {"name": "A"}, "timeslot": null}));
        let event = json!({"id": 1, "ticket_config": {"id": 2, "event": {"id": 3}}});
        assert_eq!(pruned("ticket_config.event"), event);
    }
}
