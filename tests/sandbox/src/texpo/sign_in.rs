//! Signing in, at the adminserver and at the user API.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::reply::{self, Failure, Outcome};
use super::state::{NETWORK, Session, user_id};
use crate::app::random;

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

/// `login`, `check`, `logout`.
pub(crate) fn adminserver(call: &Call<'_>, name: &str) -> Response {
    let outcome = match name {
        "login" => match sign_in(call, true) {
            Ok((id, reply)) => return with_cookie(call, &id, &reply),
            Err(failure) => Err(failure),
        },
        "check" => call.session().map(|_| None),
        "logout" => sign_out(call),
        _ => Err(Failure::no_method()),
    };
    reply::reply(&call.choices, outcome)
}

/// `signin`, `check`, `signout`.
pub(crate) fn user_api(call: &Call<'_>, name: &str) -> Response {
    let outcome = match name {
        "signin" => call.check_network("x-network").and_then(|()| sign_in(call, false)).map(|(id, _)| {
            Some(json!({"session_token": id, "is_new": false, "need_verification": false}).to_string())
        }),
        "check" => call.session().map(|_| None),
        "signout" => sign_out(call),
        _ => Err(Failure::no_method()),
    };
    reply::reply(&call.choices, outcome)
}

fn sign_in(call: &Call<'_>, is_admin: bool) -> Result<(String, Value), Failure> {
    let Credentials { email, password } = serde_json::from_slice(&call.body)?;
    let holders = call.app.holders.iter().map(|user| (&user.name, &user.password));
    let staff = call.app.organizers.iter().map(|user| (&user.name, &user.password));
    let known = holders.chain(staff).find(|(name, _)| **name == email);
    let unknown = || Failure::new(StatusCode::UNAUTHORIZED, 1021, "user not found");
    let (name, secret) = known.ok_or_else(unknown)?;
    if *secret != password {
        return Err(Failure::new(StatusCode::UNAUTHORIZED, 1006, "invalid password"));
    }
    let id = hex::encode(random::<16>()?);
    call.app.give_out(&id);
    call.app.texpo.data().sign_in(&id, Session { user: name.clone(), is_admin });
    let reply = json!({
        "sessionId": id,
        "userId": user_id(name),
        "preferredNetworkId": NETWORK,
        "preferredNetworkName": "Expo 2026",
    });
    Ok((id, reply))
}

fn with_cookie(call: &Call<'_>, id: &str, body: &Value) -> Response {
    let mut reply = if call.choices.sign_in_in_data {
        reply::reply(&call.choices, Ok(Some(body.to_string())))
    } else {
        reply::typed(StatusCode::OK, body.to_string())
    };
    if let Ok(cookie) = HeaderValue::from_str(&format!("session={id}; HttpOnly; Path=/texpo")) {
        reply.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    reply
}

fn sign_out(call: &Call<'_>) -> Outcome {
    let id = call.headers.get("x-session-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let ended = call.app.texpo.data().sign_out(id);
    if ended { Ok(None) } else { Err(Failure::unauthorized()) }
}
