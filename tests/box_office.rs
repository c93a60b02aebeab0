//! Promise: what organisers send is kept before it leaves, ends as done, rejected or unknown, and is never sent twice by
//! itself; a lost answer is read back as far as the server tells.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/brands.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod brands;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

#[path = "box_office/desk.rs"]
mod desk;
#[path = "box_office/issuing.rs"]
mod issuing;
#[path = "box_office/lost.rs"]
mod lost;
#[path = "box_office/partner.rs"]
mod partner;
