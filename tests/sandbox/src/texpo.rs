//! TEXPO: the adminserver's catalogue, both sign-ins, and the holders' API, under `/texpo`, for one network.
//!
//! **Documented**: the four methods of the catalogue with their requests, replies and permission, the members of a ticket
//! to buy, `error`'s members, the sign-ins and their replies, the holders' list of tickets to buy and the PDF of a ticket,
//! and a few error codes.
//!
//! **Open, and a switch** in [`TexpoChoices`]: the network's header, what `error` is on a success and what its `status`
//! means, the HTTP status of an error, what an empty reply is, how times and prices are written, whether an update
//! replaces an entry or changes it, what a `productId` that is taken or unknown is answered with, whether members that are
//! not documented are kept and added, and whether purchased tickets are listed over HTTP.
//!
//! **Assumed**: parameters that cannot be read get code 400, a missing permission 403, a ticket that is not there 404, an
//! unknown session 401.
//!
//! Not served: the websocket, payments, roles, and the wallet extension.

mod access;
mod catalogue;
mod choices;
mod control;
mod entry;
mod holder;
mod plan;
mod reply;
mod sign_in;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;

pub use access::TexpoAccess;
pub use choices::{
    DuplicateForm, EmptyForm, ErrorStatus, PriceText, SuccessError, TexpoChoices, Timestamps, UpdateForm,
};
pub(crate) use reply::fault;
pub(crate) use state::Texpo;

use crate::app::App;
use reply::Failure;

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().merge(control::routes()).route("/texpo/{*path}", any(dispatch))
}

/// Whether a path is TEXPO's, so that its errors are.
pub(crate) fn serves(path: &str) -> bool {
    path.starts_with("/texpo/")
}

/// A request, with who asks left to find out.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    pub(crate) choices: TexpoChoices,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Paths are switches, so that they are looked at one by one.
async fn dispatch(
    State(app): State<Arc<App>>,
    Path(path): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = Call { app: &app, choices: app.texpo.choices(), headers, body };
    let below = |prefix: &str| path.strip_prefix(prefix)?.strip_prefix('/').map(str::to_owned);
    let choices = &call.choices;
    if let Some(id) = below(&choices.holder_prefix).and_then(|path| {
        (method == Method::GET).then(|| path.strip_prefix("resource/ticket/").map(str::to_owned))?
    }) {
        return holder::document(&call, &id);
    }
    let (rpc, holder) = (below(&choices.rpc_prefix), below(&choices.holder_prefix));
    let (admin, user) = (below(&choices.auth_prefix), below(&choices.user_auth_prefix));
    let is_served = [&rpc, &holder, &admin, &user].iter().any(|path| path.is_some());
    if !is_served {
        return reply::fault(StatusCode::NOT_FOUND);
    }
    if method != Method::POST {
        return reply::failed(choices, &Failure::new(StatusCode::METHOD_NOT_ALLOWED, 405, "POST only"));
    }
    match (rpc, holder, admin, user) {
        (Some(name), ..) => reply::reply(choices, catalogue::dispatch(&call, &name)),
        (_, Some(name), ..) => reply::reply(choices, holder::dispatch(&call, &name)),
        (_, _, Some(name), _) => sign_in::adminserver(&call, &name),
        (.., name) => sign_in::user_api(&call, name.as_deref().unwrap_or_default()),
    }
}
