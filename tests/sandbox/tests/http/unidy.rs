//! Unidy: the SDK API, OAuth and the partner API.

mod export;
mod maintenance;
mod oauth;
mod pages;
mod partner;
mod sign_in;
mod support;
mod tickets;
mod transfers;
