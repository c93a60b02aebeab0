//! Signing in: by password, by a code that comes by e-mail, in the person's browser, and as a server.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::runner::Runner;
use crate::error::Error;
use crate::model::{
    Account, BrowserSignIn, Capability, CodeSignIn, OAuthError, SignIn, StoredAccount, SystemConfig,
    TexpoSignIn, TicketSystem, TicketingCode, Tokens, UnidyApi, UnidyConfig, UnidyGrant,
};
use crate::remote::api_url;
use crate::remote::unidy::Secret;
use crate::remote::unidy::oauth::AuthorizationRequest;
use crate::store::PendingSignIn;

/// A person takes less time to sign in; a sign-in that was left is forgotten.
const PENDING_LIFE_S: i64 = 3_600;

/// An account that was signed in to, and what the app should know about how.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// What is wrong with the way it was signed in, for whoever set it up; empty when nothing is.
    pub warnings: Vec<String>,
}

opaque_debug!(SignedIn);

/// What a pending sign-in is for.
#[derive(Serialize, Deserialize)]
struct Wanted {
    config: SystemConfig,
    user_name: String,
}

impl Runner {
    /// Signs in and keeps the account; signing in again renews its session.
    ///
    /// # Errors
    /// [`Error::Input`] naming the field, [`Error::BadPassword`], as [`crate::remote::Http::send`], [`Error::Status`],
    /// [`Error::Database`], [`Error::Paused`].
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Account, Error> {
        let SignIn { system, config, user_name, password } = sign_in;
        for (field, value) in [("user_name", &user_name), ("password", &password)] {
            if value.is_empty() {
                return Err(Error::Input { field, reason: "must not be empty".to_owned() });
            }
        }
        let config = match config.unidy.as_ref().and_then(|unidy| unidy.grant) {
            Some(UnidyGrant::ClientCredentials) => as_server(config, &user_name, &password),
            _ => config,
        };
        let account = account(system, config, user_name)?;
        self.online(async {
            let tokens = self.engine().connector(&account)?.login(&account.user_name, &password).await?;
            self.engine().keep_session(account, tokens).await
        })
        .await
        .inspect(|_| self.tell_accounts())
    }

    /// Begins a sign-in in the person's browser.
    ///
    /// # Errors
    /// [`Error::Input`] naming the field of the configuration, [`Error::OAuth`], as [`crate::remote::Http::send`],
    /// [`Error::Status`], [`Error::Reply`], [`Error::Database`], [`Error::Paused`].
    pub async fn begin_sign_in(&self, config: SystemConfig) -> Result<BrowserSignIn, Error> {
        let account = account(TicketSystem::Unidy, config, String::new())?;
        self.online(async {
            let system = self.engine().connector(&account)?;
            let unidy = system.unidy().ok_or_else(no_browser)?;
            let request = unidy.begin_sign_in().await?;
            self.engine().remember_sign_in(&request.state, &account, &request)?;
            Ok(BrowserSignIn { url: request.url.to_string(), state: request.state.to_string() })
        })
        .await
    }

    /// Takes the address that the person was sent back to, and keeps the account.
    ///
    /// # Errors
    /// [`Error::OAuth`] for an address that answers no sign-in which was begun here, or a refusal; as
    /// [`Runner::begin_sign_in`].
    pub async fn complete_sign_in(&self, redirect: &str) -> Result<SignedIn, Error> {
        let state = AuthorizationRequest::state_of(redirect)?;
        let pending = self.engine().pending_sign_in::<AuthorizationRequest>(&state);
        let (wanted, request) = pending.map_err(|error| match error {
            Error::NotFound { .. } => OAuthError::State.into(),
            other => other,
        })?;
        let now = self.engine().time.now()?.unix_s();
        let signed_in = self.online(async {
            let mut account = account(TicketSystem::Unidy, wanted.config, String::new())?;
            let system = self.engine().connector(&account)?;
            let unidy = system.unidy().ok_or_else(no_browser)?;
            let done = unidy.complete_sign_in(redirect, &request, now).await?;
            // Named by what the server says of the person, where it says anything.
            let claims = done.claims.as_ref();
            let name = claims
                .and_then(|claims| claims.email.clone())
                .or(claims.map(|claims| claims.subject.clone()));
            account.user_name = name.unwrap_or_else(|| unidy.brand().to_string());
            account.id = account_id(&account);
            let warnings = done.warning.iter().map(|warning| warning.advice().to_owned()).collect();
            let account = self.engine().keep_session(account, done.tokens).await?;
            Ok(SignedIn { account, warnings })
        });
        let signed_in = signed_in.await?;
        // A code counts once: what was begun is over when it came about.
        self.engine().store.forget_sign_in(&state)?;
        self.tell_accounts();
        Ok(signed_in)
    }

    /// Has a code sent to the person by e-mail.
    ///
    /// # Errors
    /// As [`Runner::begin_sign_in`].
    pub async fn request_code(&self, config: SystemConfig, user_name: String) -> Result<CodeSignIn, Error> {
        let account = account(TicketSystem::Unidy, config, user_name)?;
        self.online(async {
            let system = self.engine().connector(&account)?;
            let unidy = system.unidy().ok_or_else(no_browser)?;
            let step = unidy.start(&account.user_name).await?;
            unidy.send_code(&step.sid).await?;
            self.engine().remember_sign_in(&step.sid, &account, &())?;
            Ok(CodeSignIn { id: step.sid.to_string() })
        })
        .await
    }

    /// Signs in with the code.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a sign-in that was not begun here, [`Error::BadPassword`] for a wrong code; as
    /// [`Runner::begin_sign_in`].
    pub async fn sign_in_with_code(&self, id: &str, code: &str) -> Result<Account, Error> {
        let (wanted, ()) = self.engine().pending_sign_in(id)?;
        let account = account(TicketSystem::Unidy, wanted.config, wanted.user_name)?;
        let account = self.online(async {
            let system = self.engine().connector(&account)?;
            let unidy = system.unidy().ok_or_else(no_browser)?;
            let tokens = unidy.authenticate(id, Secret::Code(code)).await?;
            self.engine().keep_session(account, tokens).await
        });
        let account = account.await?;
        self.engine().store.forget_sign_in(id)?;
        self.tell_accounts();
        Ok(account)
    }

    /// What can be done with an account.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn capabilities(&self, account_id: &str) -> Result<Vec<Capability>, Error> {
        let account = self.engine().store.account(account_id)?;
        let mut found = declared(&account);
        if account.system == TicketSystem::Unidy && !found.contains(&Capability::ManageTickets) {
            let configured = account.config.unidy.as_ref().and_then(|unidy| unidy.transfers);
            let offered = self.engine().store.seen_transfers(account_id)?.or(configured);
            let both = [Capability::Transfers, Capability::IncomingTransfers];
            found.extend(both.into_iter().filter(|_| offered == Some(true)));
        }
        let (signed, feed) = self.engine().store.seen_of_extension(account_id)?;
        found.extend(signed.then_some(Capability::SignedBarcodes));
        found.extend(feed.then_some(Capability::ChangeFeed));
        if signed && !found.contains(&Capability::Transfers) {
            found.push(Capability::Transfers);
        }
        Ok(found)
    }
}

impl Engine {
    /// Keeps an account with a new session.
    async fn keep_session(&self, mut account: StoredAccount, tokens: Tokens) -> Result<Account, Error> {
        account.tokens = Some(tokens);
        // A sync that goes on with the session before must not end the new one.
        let _turn = self.turn(&account.id).lock_owned().await;
        self.store.save_account(&account)?;
        Ok(account.into())
    }

    fn remember_sign_in(
        &self,
        state: &str,
        account: &StoredAccount,
        request: &impl Serialize,
    ) -> Result<(), Error> {
        let kept = |_| Error::Untrusted { what: "the sign-in cannot be kept" };
        let wanted = Wanted { config: account.config.clone(), user_name: account.user_name.clone() };
        let now = self.time.now()?.unix_s();
        self.store.remember_sign_in(
            &PendingSignIn {
                state: state.to_owned(),
                account: serde_json::to_string(&wanted).map_err(kept)?,
                request: serde_json::to_string(request).map_err(kept)?,
                created_at: now,
            },
            now.saturating_sub(PENDING_LIFE_S),
        )
    }

    fn pending_sign_in<T: for<'a> Deserialize<'a>>(&self, state: &str) -> Result<(Wanted, T), Error> {
        let since = self.time.now()?.unix_s().saturating_sub(PENDING_LIFE_S);
        let kept = self.store.pending_sign_in(state, since)?;
        let read = serde_json::from_str(&kept.account).ok().zip(serde_json::from_str(&kept.request).ok());
        read.ok_or(Error::NotFound { what: "sign-in" })
    }
}

/// An account that is not signed in to yet.
fn account(
    system: TicketSystem,
    mut config: SystemConfig,
    user_name: String,
) -> Result<StoredAccount, Error> {
    api_url(&config.url)?.as_str().trim_end_matches('/').clone_into(&mut config.url);
    let account = StoredAccount { id: String::new(), system, config, user_name, tokens: None };
    Ok(StoredAccount { id: account_id(&account), ..account })
}

/// The same person at the same place is the same account.
fn account_id(account: &StoredAccount) -> String {
    let mut name =
        format!("{}\u{1F}{}\u{1F}{}", account.system.as_text(), account.config.url, account.user_name);
    // TEXPO's networks share an address, and each has its own catalogue and tickets.
    if let Some(network) = account.config.texpo.as_ref().and_then(|texpo| texpo.network_id.as_ref()) {
        name.push('\u{1F}');
        name.push_str(network);
    }
    // Unidy's two APIs at one address know different people and show different tickets.
    let partner = |unidy: &UnidyConfig| unidy.api == UnidyApi::Partner;
    if account.system == TicketSystem::Unidy && account.config.unidy.as_ref().is_some_and(partner) {
        name.push_str("\u{1F}partner");
    }
    hex::encode(&digest(&SHA256, name.as_bytes()).as_ref()[..8])
}

/// A server signs in by its app's id and secret, again and again.
fn as_server(mut config: SystemConfig, client_id: &str, secret: &str) -> SystemConfig {
    if let Some(unidy) = &mut config.unidy {
        unidy.client_id = Some(client_id.to_owned());
        unidy.client_secret = Some(secret.to_owned());
    }
    config
}

fn no_browser() -> Error {
    Error::Input { field: "system", reason: "this system signs in by user name and password".to_owned() }
}

fn declared(account: &StoredAccount) -> Vec<Capability> {
    use Capability as C;
    let unidy = account.config.unidy.as_ref();
    match account.system {
        TicketSystem::Bam => {
            let static_codes = account.config.bam.as_ref().is_none_or(|bam| bam.static_codes);
            let mut all =
                vec![C::ListTickets, C::HolderAnswers, C::Orders, C::Offers, C::Enrollment, C::IssueTickets];
            all.extend(static_codes.then_some(C::StaticCodes));
            all
        }
        TicketSystem::Ticketing => {
            let codes = account.config.ticketing.as_ref().and_then(|ticketing| ticketing.codes);
            let mut all = vec![C::ListTickets, C::SectionTransfers, C::Admissions];
            all.extend(codes.is_some_and(|codes| codes != TicketingCode::None).then_some(C::StaticCodes));
            all
        }
        TicketSystem::Unidy if unidy.is_some_and(|unidy| unidy.api == UnidyApi::Partner) => {
            vec![C::ListTickets, C::StaticCodes, C::ManageTickets]
        }
        TicketSystem::Texpo => {
            let texpo = account.config.texpo.clone().unwrap_or_default();
            let manages = texpo.sign_in == TexpoSignIn::Adminserver;
            let mut all = if texpo.purchased_tickets { vec![C::ListTickets] } else { Vec::new() };
            all.push(C::TicketDocuments);
            all.extend(manages.then_some(C::ManageCatalogue));
            all
        }
        TicketSystem::Unidy => vec![C::ListTickets, C::StaticCodes, C::TicketDocuments],
    }
}
