//! One file for each test suite.

pub(crate) mod checks;
pub(crate) mod coverage;
pub(crate) mod fuzz;
pub(crate) mod kotlin;
pub(crate) mod rust;
pub(crate) mod swift;
