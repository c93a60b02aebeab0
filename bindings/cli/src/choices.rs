//! What the systems' documents leave open, by name: `bam.error_key=error`. Names, defaults and values are those of the
//! sandbox's own types.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ticket_wallet_sandbox::{BamChoices, SandboxConfig, TexpoChoices, TicketingChoices, UnidyChoices};

use crate::failure::Failure;
use crate::output::{Output, titled};

/// A text that names no value of any choice.
const NO_VALUE: &str = "?";

/// All choices, by system.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Choices {
    bam: BamChoices,
    unidy: UnidyChoices,
    ticketing: TicketingChoices,
    texpo: TexpoChoices,
}

/// Makes the choices that were named, each as `system.name=value`.
pub(crate) fn make(config: &mut SandboxConfig, chosen: &[String]) -> Result<(), Failure> {
    let mut choices = Choices::default();
    for one in chosen {
        let wrong = |why: &str| Failure::Usage(format!("--choice {one}: {why}"));
        let (name, value) = one.split_once('=').ok_or_else(|| wrong("write NAME=VALUE"))?;
        choices = with(&choices, name, value).map_err(|why| wrong(&why))?;
    }
    (config.bam, config.unidy) = (choices.bam, choices.unidy);
    (config.ticketing, config.texpo) = (choices.ticketing, choices.texpo);
    Ok(())
}

/// A value is JSON, or a text where it is none or where no JSON of its kind fits.
fn with(choices: &Choices, name: &str, value: &str) -> Result<Choices, String> {
    let text = set(choices, name, json!(value));
    let Ok(read) = serde_json::from_str(value) else { return text };
    set(choices, name, read).or_else(|why| text.or(Err(why)))
}

fn set(choices: &Choices, name: &str, value: Value) -> Result<Choices, String> {
    let mut all = json!(choices);
    let place = name.split_once('.').and_then(|(system, name)| all.get_mut(system)?.get_mut(name));
    *place.ok_or("there is no such choice; --choices lists them")? = value;
    serde_json::from_value(all).map_err(|error| error.to_string())
}

pub(crate) fn list(output: &Output) -> Result<(), Failure> {
    let choices = Choices::default();
    let all = json!(choices);
    let systems = all.as_object().into_iter().flatten();
    let of_system = |(system, members): (&String, &Value)| {
        let members = members.clone();
        let names = members.as_object().cloned().unwrap_or_default();
        let system = system.clone();
        names.into_iter().map(move |(name, default)| (format!("{system}.{name}"), default))
    };
    let found: Vec<_> = systems.flat_map(of_system).collect();
    let value = found
        .iter()
        .map(|(name, default)| json!({ "name": name, "default": default, "values": values(&choices, name) }));
    output.either(&value.collect(), || {
        let header = ["NAME", "WITHOUT IT", "VALUES"];
        let rows = found.iter().map(|(name, default)| {
            let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            vec![name.clone(), default, values(&choices, name)]
        });
        titled(header, rows)
    })
}

/// What a choice takes, as its type says when it gets something else.
fn values(choices: &Choices, name: &str) -> String {
    let Err(why) = set(choices, name, json!(NO_VALUE)) else { return "any text".to_owned() };
    let expected = why.split_once("expected ").map_or(why.as_str(), |(_, expected)| expected);
    expected.trim_start_matches("one of ").replace('`', "")
}
