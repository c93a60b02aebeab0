//! The sandbox's tenants.

use serde_json::Value;

/// By the number of their organizer.
const TENANTS: [(i64, &str); 3] = [(101, "nordhafen"), (102, "weidental"), (103, "eschenried")];

/// The tenant of a ticket's record.
pub(crate) fn tenant(record: &Value) -> &'static str {
    let organizer = record["ticket_config"]["event"]["organizer_id"].as_i64();
    TENANTS.iter().find(|(number, _)| Some(*number) == organizer).unwrap().1
}

/// Tenant and id of a record, as the journal writes them.
pub(crate) fn subject(record: &Value) -> String {
    format!("{}/{}", tenant(record), record["id"])
}
