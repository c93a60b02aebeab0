//! Unidy's sandbox: brands under `/unidy/{brand}`.

use std::sync::Arc;

use axum::Router;
use serde::{Deserialize, Serialize};

use crate::app::App;

/// What Unidy's documents leave open, as one sandbox does it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnidyChoices {}

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
}
