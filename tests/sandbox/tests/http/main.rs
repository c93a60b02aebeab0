//! The sandbox over real HTTP: every route, every fault, and the answers against their description.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;
mod box_office;
mod codes;
mod contract;
mod credentials;
mod discovery;
mod events;
mod faults;
mod feed;
mod idempotency;
mod journal;
mod last_generation;
mod odd_replies;
mod orders;
mod organizer_choices;
mod organizers;
mod recorder;
mod sign_ins;
mod statements;
mod support;
mod texpo;
mod ticket_holder;
mod ticketing;
mod tickets;
mod transfers;
mod unidy;
