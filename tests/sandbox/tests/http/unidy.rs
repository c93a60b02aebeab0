//! Unidy: the SDK API, OAuth and the partner API.

mod sign_in;
mod support;
mod tickets;
