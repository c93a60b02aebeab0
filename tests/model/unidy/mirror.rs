//! What the brands hold and ever held, and how a wallet must show it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Url;
use serde_json::Value;
use ticket_wallet::model::{BarcodeProfile, Provider};
use ticket_wallet_sandbox::Sandbox;

use crate::home::{Home, UNIDY};
use crate::shown::{Shown, View};

pub(crate) const BRANDS: [&str; 2] = ["nord", "west"];

/// Whether the first part of a subject is a tenant, not a brand.
pub(crate) fn is_of_bam(subject: &str) -> bool {
    subject.split_once('/').is_some_and(|(place, _)| !BRANDS.contains(&place))
}

/// A ticket at its brand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) home: Home,
    pub(crate) id: String,
    /// The text of its JSON.
    pub(crate) text: String,
}

/// The brands' tickets of the people whose accounts the wallet has.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    held: BTreeSet<Held>,
    /// Every record that was ever served, with whose it was.
    versions: BTreeSet<Held>,
}

impl Held {
    pub(crate) fn record(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// How the account with this id must show it, under which id.
    fn shown(&self, sandbox: &Sandbox, account: &str) -> (String, Shown) {
        let record = self.record();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let time = |name: &str| {
            let time = chrono::DateTime::parse_from_rfc3339(record[name].as_str()?).unwrap();
            Some(time.timestamp())
        };
        let (metadata, seat) = (&record["metadata"], &record["metadata"]["seat"]);
        let labels = [first(&[&seat["rowLabel"], &seat["row"]]), first(&[&seat["seatLabel"], &seat["seat"]])];
        let labels: Vec<_> = labels.into_iter().flatten().collect();
        let from_metadata = Some(labels.join("/")).filter(|seat| !seat.is_empty());
        let codes = [&metadata["barcode"], &record["wallet_export"]["qr_code"]];
        let profile = match codes.iter().any(|code| code.is_string()) {
            true => BarcodeProfile::Static,
            false => BarcodeProfile::None,
        };
        let shown = Shown {
            account: account.to_owned(),
            remote_id: self.id.clone(),
            title: text(&record["title"]).unwrap(),
            status: status(record["state"].as_str().unwrap()),
            starts_at: time("starts_at"),
            ends_at: time("ends_at"),
            venue: text(&record["venue"]),
            section: first(&[&metadata["areaLabel"], &metadata["block"], &seat["areaLabel"], &seat["block"]]),
            seat: text(&record["seating"]).or(from_metadata),
            profile,
            generation: None,
            record: self.text.clone(),
        };
        (wallet_id(sandbox, self.home, &self.id), shown)
    }
}

/// The first that is a text or a number.
fn first(values: &[&Value]) -> Option<String> {
    values.iter().find_map(|value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn status(state: &str) -> String {
    match state {
        "active" => "Active".to_owned(),
        "passive" => "Passive".to_owned(),
        "inactive" => "Inactive".to_owned(),
        other => format!("Other {{ text: {other:?} }}"),
    }
}

/// The id that a brand's ticket has in every wallet.
fn wallet_id(sandbox: &Sandbox, home: Home, id: &str) -> String {
    let url = Url::parse(&sandbox.url()).unwrap();
    let tenant = format!("unidy/{}", home.brand.unwrap());
    Provider::new("unidy", &url, Some(&tenant)).unwrap().ticket(id).unwrap().to_string()
}

impl Mirror {
    /// Leaves each person a few of the season's tickets.
    pub(crate) fn thin_out(sandbox: &Sandbox) {
        for (offset, (brand, user)) in BRANDS.iter().flat_map(|brand| [(brand, 0), (brand, 1)]).enumerate() {
            let tickets = sandbox.unidy_tickets(brand, &sandbox.users()[user].name).unwrap();
            for (_, ticket) in tickets.iter().enumerate().filter(|(n, _)| (n + offset) % 6 > 0) {
                let record: Value = serde_json::from_str(ticket).unwrap();
                sandbox.remove_unidy_ticket(brand, record["id"].as_str().unwrap()).unwrap();
            }
        }
    }

    /// Looks at what the brands hold now.
    pub(crate) fn look(&mut self, sandbox: &Sandbox) {
        self.held = UNIDY.into_iter().flat_map(|home| held(sandbox, home)).collect();
        self.versions.extend(self.held.iter().cloned());
    }

    /// The ticket of this number, in the order of brands, people and ids.
    pub(crate) fn numbered(&self, number: usize) -> Option<Held> {
        self.held.iter().nth(number.checked_rem(self.held.len())?).cloned()
    }

    /// That a wallet shows of a brand's tickets nothing but what the brand once said of them, each to the person whose
    /// it was then; `homes` are those of the wallet's accounts.
    pub(crate) fn check_owners(
        &self,
        sandbox: &Sandbox,
        view: &View,
        homes: &BTreeMap<String, Home>,
    ) -> Result<(), String> {
        for (id, shown) in view {
            let home = homes.get(&shown.account).ok_or_else(|| format!("nobody's: {shown:#?}"))?;
            if home.brand.is_none() {
                continue;
            }
            let version = Held { home: *home, id: shown.remote_id.clone(), text: shown.record.clone() };
            if !self.versions.contains(&version) || wallet_id(sandbox, *home, &version.id) != *id {
                return Err(format!("{home:?} was never served this: {shown:#?}"));
            }
        }
        Ok(())
    }
}

fn held(sandbox: &Sandbox, home: Home) -> Vec<Held> {
    let user = &sandbox.users()[home.user].name;
    let texts = sandbox.unidy_tickets(home.brand.unwrap(), user).unwrap();
    let read = |text: String| {
        let record: Value = serde_json::from_str(&text).unwrap();
        Held { home, id: record["id"].as_str().unwrap().to_owned(), text }
    };
    texts.into_iter().map(read).collect()
}

/// What the account of a home with this id shows otherwise than its brand has it now.
pub(crate) fn difference(sandbox: &Sandbox, view: &View, home: Home, account: &str) -> Option<String> {
    let there: View = held(sandbox, home).iter().map(|held| held.shown(sandbox, account)).collect();
    let here: View = view
        .iter()
        .filter(|(_, shown)| shown.account == account)
        .map(|(id, shown)| (id.clone(), shown.clone()))
        .collect();
    let ids: BTreeSet<_> = here.keys().chain(there.keys()).collect();
    let differs = ids.into_iter().find(|id| here.get(*id) != there.get(*id))?;
    Some(format!("{home:?} shows {:#?}, where there is {:#?}", here.get(differs), there.get(differs)))
}
