//! Promise: tickets of several systems and tenants are one list, which is there offline; a slow or broken server holds up
//! no other, and nothing of a system's record is lost.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/brands.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod brands;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

#[path = "systems/mail.rs"]
mod mail;
#[path = "systems/one_list.rs"]
mod one_list;
#[path = "systems/sign_in.rs"]
mod sign_in;
#[path = "systems/together.rs"]
mod together;
#[path = "systems/unidy_answers.rs"]
mod unidy_answers;
#[path = "systems/unidy_offers.rs"]
mod unidy_offers;
#[path = "systems/unidy_tickets.rs"]
mod unidy_tickets;
#[path = "systems/within.rs"]
mod within;
