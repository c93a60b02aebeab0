//! The apps that are registered with a brand.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use crate::app::random;
use crate::seeded;
use crate::unidy::encode;
use crate::unidy::error::UnidyError;

/// What apps of users may ask for.
const USER_SCOPES: &str = "openid email profile tickets:read tickets:write";
/// What servers may ask for on their own.
const SERVER_SCOPES: &str = "tickets:read tickets:write users:read admin:read";

/// An OAuth client of a brand.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnidyClient {
    /// What it is called.
    pub name: String,
    /// Its id.
    pub client_id: String,
    /// Its secret; `None` for public clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Where it is called back; no other address is.
    pub redirect_uri: String,
    /// What it may ask for.
    pub scopes: Vec<String>,
}

impl fmt::Debug for UnidyClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnidyClient").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A client to register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUnidyClient {
    /// What it is called.
    pub name: String,
    /// Whether it gets a secret.
    #[serde(default)]
    pub confidential: bool,
    /// Where it is called back.
    pub redirect_uri: String,
    /// What it may ask for.
    pub scopes: Vec<String>,
}

impl UnidyClient {
    /// Whether it may ask for a scope.
    pub(crate) fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|allowed| allowed == scope)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let scopes: String = row.get(4)?;
        Ok(Self {
            name: row.get(0)?,
            client_id: row.get(1)?,
            client_secret: row.get(2)?,
            redirect_uri: row.get(3)?,
            scopes: scopes.split(' ').map(str::to_owned).collect(),
        })
    }

    fn insert(&self, db: &Connection, brand: &str) -> rusqlite::Result<()> {
        db.execute(
            "INSERT INTO unidy_client (client_id, brand, name, secret, redirect_uri, scopes)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                &self.client_id,
                brand,
                &self.name,
                &self.client_secret,
                &self.redirect_uri,
                self.scopes.join(" "),
            ),
        )?;
        Ok(())
    }
}

const SELECT: &str = "SELECT name, client_id, secret, redirect_uri, scopes FROM unidy_client";

/// Registers the clients that a brand has at the start: a public app, a shop with a secret, and a partner's server.
pub(crate) fn fill(db: &Connection, seed: u64, brand: &str) -> rusqlite::Result<()> {
    for (name, redirect_uri, scopes, confidential) in [
        ("app", "com.example.ticketwallet:/oauth", USER_SCOPES, false),
        ("shop", "https://shop.example.org/callback", USER_SCOPES, true),
        ("partner", "https://partner.example.org/callback", SERVER_SCOPES, true),
    ] {
        let secret =
            |what: &str| encode(&seeded::bytes(seed, &format!("unidy client {what} {brand} {name}")));
        let client = UnidyClient {
            name: name.to_owned(),
            client_id: secret("id"),
            client_secret: confidential.then(|| secret("secret")),
            redirect_uri: redirect_uri.to_owned(),
            scopes: scopes.split(' ').map(str::to_owned).collect(),
        };
        client.insert(db, brand)?;
    }
    Ok(())
}

/// Registers another client.
pub(crate) fn add(db: &Connection, brand: &str, new: NewUnidyClient) -> Result<UnidyClient, UnidyError> {
    let secret = new.confidential.then(random::<32>).transpose()?;
    let client = UnidyClient {
        name: new.name,
        client_id: encode(&random::<32>()?),
        client_secret: secret.map(|secret| encode(&secret)),
        redirect_uri: new.redirect_uri,
        scopes: new.scopes,
    };
    client.insert(db, brand)?;
    Ok(client)
}

/// The client of a brand with this id.
pub(crate) fn find(db: &Connection, brand: &str, client_id: &str) -> rusqlite::Result<Option<UnidyClient>> {
    let sql = format!("{SELECT} WHERE brand = ?1 AND client_id = ?2");
    db.query_row(&sql, (brand, client_id), UnidyClient::read).optional()
}

/// All clients of a brand, the oldest first.
pub(crate) fn all(db: &Connection, brand: &str) -> rusqlite::Result<Vec<UnidyClient>> {
    let sql = format!("{SELECT} WHERE brand = ?1 ORDER BY rowid");
    db.prepare(&sql)?.query_map([brand], UnidyClient::read)?.collect()
}
