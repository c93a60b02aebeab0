//! Who can sign in.

use std::fmt;

use serde::Serialize;

use crate::season::{Plan, SERVICE, external_token, password, service_account};

/// Somebody who can sign in.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// The name to sign in with, an e-mail address.
    pub name: String,
    /// The password.
    pub password: String,
    /// The token that a third party gives this user to sign in with.
    pub external_token: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Somebody who can sign in as an organizer: with `organizer_id`, which takes the organizer's id or its tenant's name.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct OrganizerUser {
    /// The name to sign in with, an e-mail address.
    pub name: String,
    /// The password.
    pub password: String,
    /// The organizer's id.
    pub organizer_id: i64,
    /// The organizer's tenant.
    pub tenant: String,
    /// The name that the organizer's service signs in with.
    pub service: String,
    /// That service's password.
    pub service_password: String,
}

impl fmt::Debug for OrganizerUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrganizerUser")
            .field("name", &self.name)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl User {
    /// What nobody else may learn.
    pub(crate) fn secrets(&self) -> [&str; 2] {
        [&self.password, &self.external_token]
    }
}

impl OrganizerUser {
    /// What nobody else may learn.
    pub(crate) fn secrets(&self) -> [&str; 2] {
        [&self.password, &self.service_password]
    }
}

/// The holders of tickets.
pub(crate) fn holders(plan: &Plan, seed: u64) -> Vec<User> {
    let user = |name: &String| User {
        name: name.clone(),
        password: password(seed, name),
        external_token: external_token(seed, name),
    };
    plan.users.iter().map(|person| user(&person.name)).collect()
}

/// Those who work for organizers.
pub(crate) fn organizers(plan: &Plan, seed: u64) -> Vec<OrganizerUser> {
    let mut users = Vec::new();
    for tenant in &plan.tenants {
        users.extend(tenant.staff.iter().map(|name| OrganizerUser {
            name: name.clone(),
            password: password(seed, name),
            organizer_id: tenant.organizer_id,
            tenant: tenant.name.clone(),
            service: SERVICE.to_owned(),
            service_password: password(seed, &service_account(&tenant.name)),
        }));
    }
    users
}
