//! Signing in with the SDK API: by password or by a code that was e-mailed.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value, json};

use super::body;
use super::brand::UnidyMail;
use super::caller::{Person, SdkApp, Site};
use super::error::UnidyError;
use super::id_token::{Asked, issue};
use crate::app::random;

/// How long a sign-in waits for its proof, in seconds.
const SIGN_IN_LIFE_S: i64 = 3600;
/// How long an e-mailed code counts, in seconds.
const CODE_LIFE_S: i64 = 600;
/// How soon another code can be asked for, in seconds.
const CODE_PAUSE_S: i64 = 60;
/// The letters of codes: none that look alike.
const CODE_LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

type Reply = Result<(StatusCode, Json<Value>), UnidyError>;

/// A sign-in.
struct SignIn {
    user_id: i64,
    state: String,
    created_at: i64,
}

/// `POST /api/sdk/v1/sign_ins`
pub(super) async fn create(SdkApp(site): SdkApp, body: Bytes) -> Reply {
    let body = body::object(&body)?;
    let email = body::text(&body, "email")?;
    site.app.db.write(|db| {
        let found = site.by_email(db, email)?;
        let user = found.ok_or_else(|| UnidyError::new(StatusCode::NOT_FOUND, "account_not_found"))?;
        check_account(&user)?;
        let sid = hex::encode(random::<16>()?);
        let now_s = site.app.now_s();
        db.execute(
            "INSERT INTO unidy_sign_in (sid, brand, user_id, state, created_at)
                VALUES (?1, ?2, ?3, 'pending_verification', ?4)",
            (&sid, &site.brand.name, user.id, now_s),
        )?;
        if body.contains_key("password") {
            check_password(&user, &body)?;
            return finish(&site, db, &sid, &user);
        }
        if body.get("sendMagicCode") == Some(&json!(true)) {
            let mut reply = send_code(&site, db, &sid, &user)?;
            reply["login_options"] = login_options();
            return Ok((StatusCode::CREATED, Json(reply)));
        }
        let reply = json!({
            "sid": sid,
            "status": "pending_verification",
            "email": user.email,
            "expired": false,
            "login_options": login_options(),
            "brands": [site.brand.name],
        });
        Ok((StatusCode::CREATED, Json(reply)))
    })
}

/// `POST /api/sdk/v1/sign_ins/{sid}/send_magic_code`
pub(super) async fn send_magic_code(SdkApp(site): SdkApp, Path((_, sid)): Path<(String, String)>) -> Reply {
    site.app.db.write(|db| {
        let (_, user) = pending(&site, db, &sid)?;
        Ok((StatusCode::CREATED, Json(send_code(&site, db, &sid, &user)?)))
    })
}

/// `POST /api/sdk/v1/sign_ins/{sid}/authenticate`
pub(super) async fn authenticate(
    SdkApp(site): SdkApp,
    Path((_, sid)): Path<(String, String)>,
    body: Bytes,
) -> Reply {
    let body = body::object(&body)?;
    site.app.db.write(|db| {
        let (_, user) = pending(&site, db, &sid)?;
        if body.contains_key("code") {
            use_code(&site, db, &sid, body::text(&body, "code")?)?;
        } else {
            check_password(&user, &body)?;
        }
        finish(&site, db, &sid, &user)
    })
}

/// `POST /api/sdk/v1/sign_ins/{sid}/refresh_token`
pub(super) async fn refresh_token(
    SdkApp(site): SdkApp,
    Path((_, sid)): Path<(String, String)>,
    body: Bytes,
) -> Reply {
    let body = body::object(&body)?;
    let token = body::text(&body, "refresh_token")?;
    site.app.db.write(|db| {
        let (_, user) = find(&site, db, &sid)?;
        let revoked: Option<bool> = db
            .query_row(
                "SELECT revoked FROM unidy_sdk_refresh WHERE token = ?1 AND sid = ?2",
                (token, &sid),
                |row| row.get(0),
            )
            .optional()?;
        match revoked {
            None => Err(unauthorized("invalid_refresh_token")),
            Some(true) => Err(unauthorized("refresh_token_revoked")),
            Some(false) => {
                check_account(&user)?;
                let kept = (!site.choices.rotate_refresh_tokens).then_some(token);
                if kept.is_none() {
                    db.execute("UPDATE unidy_sdk_refresh SET revoked = 1 WHERE token = ?1", [token])?;
                }
                tokens(&site, db, &sid, &user, kept)
            }
        }
    })
}

/// `POST /api/sdk/v1/sign_ins/{sid}/sign_out`
pub(super) async fn sign_out(
    SdkApp(site): SdkApp,
    Path((_, sid)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, UnidyError> {
    let everywhere = body::object(&body)?.get("globalLogout") == Some(&json!(true));
    let token = headers.get("x-id-token").and_then(|value| value.to_str().ok());
    let token = token.ok_or_else(|| unauthorized("missing_id_token"))?;
    site.app.db.write(|db| {
        let (sign_in, user) = find(&site, db, &sid)?;
        if sign_in.state == "signed_out" {
            return Err(not_found());
        }
        let own = "SELECT 1 FROM unidy_id_token WHERE token = ?1 AND sid = ?2";
        if db.query_row(own, (token.trim(), &sid), |_| Ok(())).optional()?.is_none() {
            return Err(unauthorized("invalid_id_token"));
        }
        for sid in sign_ins(&site, db, &user, (!everywhere).then_some(&sid))? {
            end(db, &sid)?;
        }
        Ok(StatusCode::NO_CONTENT)
    })
}

/// A user's sign-ins, or the one of them that is named.
fn sign_ins(
    site: &Site,
    db: &Connection,
    user: &Person,
    sid: Option<&String>,
) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT sid FROM unidy_sign_in
        WHERE brand = ?1 AND user_id = ?2 AND (?3 IS NULL OR sid = ?3)";
    db.prepare(sql)?.query_map((&site.brand.name, user.id, sid), |row| row.get(0))?.collect()
}

/// Ends a sign-in: none of its tokens counts any more.
fn end(db: &Connection, sid: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE unidy_sign_in SET state = 'signed_out' WHERE sid = ?1", [sid])?;
    db.execute("UPDATE unidy_sdk_refresh SET revoked = 1 WHERE sid = ?1", [sid])?;
    db.execute("DELETE FROM unidy_id_token WHERE sid = ?1", [sid])?;
    Ok(())
}

fn unauthorized(identifier: &str) -> UnidyError {
    UnidyError::new(StatusCode::UNAUTHORIZED, identifier)
}

fn not_found() -> UnidyError {
    UnidyError::new(StatusCode::NOT_FOUND, "sign_in_not_found")
}

fn login_options() -> Value {
    json!({"magic_link": true, "password": true, "social_logins": [], "passkey": false})
}

fn find(site: &Site, db: &Connection, sid: &str) -> Result<(SignIn, Person), UnidyError> {
    let sign_in = db
        .query_row(
            "SELECT user_id, state, created_at FROM unidy_sign_in WHERE sid = ?1 AND brand = ?2",
            (sid, &site.brand.name),
            |row| Ok(SignIn { user_id: row.get(0)?, state: row.get(1)?, created_at: row.get(2)? }),
        )
        .optional()?
        .ok_or_else(not_found)?;
    let user = site.by_id(db, sign_in.user_id)?.ok_or_else(not_found)?;
    Ok((sign_in, user))
}

/// A sign-in that waits for its proof.
fn pending(site: &Site, db: &Connection, sid: &str) -> Result<(SignIn, Person), UnidyError> {
    let (sign_in, user) = find(site, db, sid)?;
    if sign_in.state == "signed_out" {
        return Err(not_found());
    }
    if site.app.now_s() >= sign_in.created_at.saturating_add(SIGN_IN_LIFE_S) {
        return Err(unauthorized("sign_in_expired"));
    }
    check_account(&user)?;
    Ok((sign_in, user))
}

/// Locked accounts and ones that were never confirmed get no further.
fn check_account(user: &Person) -> Result<(), UnidyError> {
    match user.account.as_str() {
        "locked" => Err(unauthorized("account_locked")),
        "unconfirmed" => Err(UnidyError::refused("account_unconfirmed")),
        _ => Ok(()),
    }
}

fn check_password(user: &Person, body: &Map<String, Value>) -> Result<(), UnidyError> {
    if body::text(body, "password")? == user.password {
        Ok(())
    } else {
        Err(unauthorized("invalid_password"))
    }
}

/// E-mails a code, unless one was sent just now.
fn send_code(site: &Site, db: &Connection, sid: &str, user: &Person) -> Result<Value, UnidyError> {
    let now_s = site.app.now_s();
    let latest: Option<i64> =
        db.query_row("SELECT max(expires_at) FROM unidy_code WHERE sid = ?1", [sid], |row| row.get(0))?;
    if latest.is_some_and(|expires_at| now_s < expires_at - CODE_LIFE_S + CODE_PAUSE_S) {
        return Err(UnidyError::refused("magic_code_recently_created"));
    }
    let letter = |byte: u8| char::from(CODE_LETTERS[usize::from(byte % 32)]);
    let code: String = random::<8>()?.into_iter().map(letter).collect();
    db.execute(
        "INSERT INTO unidy_code (code, sid, expires_at, used) VALUES (?1, ?2, ?3, 0)",
        (&code, sid, now_s.saturating_add(CODE_LIFE_S)),
    )?;
    site.app.give_out(&code);
    site.app.unidy.send(UnidyMail {
        brand: site.brand.name.clone(),
        to: user.email.clone(),
        kind: "magic_code".to_owned(),
        secret: code,
    });
    Ok(json!({"enable_resend_after": CODE_PAUSE_S * 1000, "sid": sid}))
}

/// A code counts once and for its own sign-in.
fn use_code(site: &Site, db: &Connection, sid: &str, code: &str) -> Result<(), UnidyError> {
    let found: Option<(i64, bool)> = db
        .query_row(
            "SELECT expires_at, used FROM unidy_code WHERE code = ?1 AND sid = ?2",
            (code, sid),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match found {
        None => Err(unauthorized("magic_code_not_valid")),
        Some((_, true)) => Err(unauthorized("magic_code_used")),
        Some((expires_at, _)) if site.app.now_s() >= expires_at => Err(unauthorized("magic_code_expired")),
        Some(_) => {
            db.execute("UPDATE unidy_code SET used = 1 WHERE code = ?1", [code])?;
            Ok(())
        }
    }
}

/// The user has proved who they are; what the brand still wants of them is told as an error.
fn finish(site: &Site, db: &Connection, sid: &str, user: &Person) -> Reply {
    match user.account.as_str() {
        "incomplete" => {
            let fields = json!({"phone_number": {"required": true, "type": "text", "value": null}});
            let status = StatusCode::from_u16(424).unwrap_or_default();
            let error = UnidyError::new(status, "missing_required_fields");
            return Err(error.with_meta(json!({"fields": fields, "sid": sid})));
        }
        "unconnected" => {
            let error = UnidyError::forbidden("brand_connection_required");
            return Err(error.with_meta(json!({"sid": sid})));
        }
        _ => {}
    }
    db.execute(
        "UPDATE unidy_sign_in SET state = 'authenticated', auth_time = ?2 WHERE sid = ?1",
        (sid, site.app.now_s()),
    )?;
    tokens(site, db, sid, user, None)
}

/// A new ID token and the refresh token beside it: the one that is kept, or a new one.
fn tokens(site: &Site, db: &Connection, sid: &str, user: &Person, kept: Option<&str>) -> Reply {
    let auth_time: Option<i64> =
        db.query_row("SELECT auth_time FROM unidy_sign_in WHERE sid = ?1", [sid], |row| row.get(0))?;
    let asked = Asked {
        audience: &format!("{}-sdk", site.brand.name),
        sid: Some(sid),
        auth_time: auth_time.unwrap_or_default(),
        ..Asked::default()
    };
    let jwt = issue(db, site, user, &asked)?;
    let refresh_token = match kept {
        Some(token) => token.to_owned(),
        None => {
            let token = super::encode(&random::<32>()?);
            let sql = "INSERT INTO unidy_sdk_refresh (token, sid, revoked) VALUES (?1, ?2, 0)";
            db.execute(sql, (&token, sid))?;
            site.app.give_out(&token);
            token
        }
    };
    Ok((StatusCode::CREATED, Json(json!({"jwt": jwt, "refresh_token": refresh_token, "sid": sid}))))
}
