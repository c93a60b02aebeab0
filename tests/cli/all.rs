//! Promise: the `ticket-wallet` command does what scripts rely on. One program, for it takes long to link.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../support/files.rs"]
mod files;
#[path = "../support/moments.rs"]
mod moments;
#[path = "../support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "../support/pictures.rs"]
mod pictures;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;

mod admissions;
mod bad_input;
mod bad_store;
mod box_office;
mod care;
mod catalogue;
mod command;
mod commands;
mod demo;
mod door;
mod exchange;
mod gate;
mod gate_care;
mod gate_exchange;
mod gate_trust;
mod holder;
mod killed_sync;
mod network;
mod no_openssl;
mod online;
mod partner;
mod resale;
mod sandbox;
mod served;
mod systems;
mod tokens;
mod told;
mod unidy;
mod verify;
