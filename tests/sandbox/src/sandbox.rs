//! The handle on a running sandbox.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::{Router, serve};
use rusqlite::Connection;
use ticket_wallet::barcode::MIN_WINDOW_S;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime;
use tokio::sync::oneshot;

use crate::app::App;
use crate::bam::{self, BamChoices, BamError, ValidatorToken};
use crate::config::SandboxConfig;
use crate::control;
use crate::edit::{self, TicketEdit};
use crate::extension::{self, ListingChange, MarketRules, NewListing, TransferEnd};
use crate::faults::{FaultRule, disturb};
use crate::journal::{self, JournalEntry};
use crate::listener::{Fuse, SandboxListener};
use crate::problem::Problem;
use crate::recorder::RecordedRequest;
use crate::season::Plan;
use crate::texpo;
use crate::ticketing::{self, TicketingError};
use crate::unidy::{self, UnidyError};
use crate::users::{OrganizerUser, User};

/// A running sandbox. It has a thread and a runtime of its own, so callers may block; it ends with [`Sandbox::stop`] or
/// when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    app: Arc<App>,
    address: SocketAddr,
    url: String,
    sent: Arc<AtomicU64>,
    /// Dropped to end the server.
    running: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Sandbox {
    /// Starts a sandbox on 127.0.0.1.
    ///
    /// # Errors
    /// When the window is under five seconds, the port is taken, or the system has no thread or random numbers to give.
    pub async fn start(config: SandboxConfig) -> io::Result<Self> {
        if config.window_s < MIN_WINDOW_S {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "window_s is 5 at least"));
        }
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, config.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let url = format!("http://{address}");
        let plan = Plan::load()?;
        let app = Arc::new(App::new(config, &plan, &url)?);
        unidy::give_out_secrets(&app).map_err(io::Error::other)?;
        let (running, stopped) = oneshot::channel();
        let (ending, ended) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let routes = routes(&app);
        let sent = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&sent);
        thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = run(listener, routes, counted) => {}
                    _ = stopped => {}
                }
            });
            // Every connection is a task of this runtime and closes with it.
            drop(runtime);
            drop(ending);
        })?;
        Ok(Self { app, address, url, sent, running, ended })
    }

    /// Where the sandbox is reached: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Holders of tickets who can sign in; two at least.
    pub fn users(&self) -> &[User] {
        &self.app.holders
    }

    /// Who can sign in as an organizer; one at least for each tenant.
    pub fn organizers(&self) -> &[OrganizerUser] {
        &self.app.organizers
    }

    /// The raw Ed25519 public keys that sign credentials, in lower-case hex: one for each tenant with the extension.
    pub fn issuer_keys(&self) -> Vec<String> {
        let issuers = self.app.tenants.iter().filter_map(|tenant| tenant.issuer.as_ref());
        issuers.map(|issuer| hex::encode(issuer.public_key())).collect()
    }

    /// The raw Ed25519 public keys that sign what gates work by, in lower-case hex: one for each tenant with the extension.
    pub fn manifest_keys(&self) -> Vec<String> {
        let issuers = self.app.tenants.iter().filter_map(|tenant| tenant.manifest.as_ref());
        issuers.map(|issuer| hex::encode(issuer.public_key())).collect()
    }

    /// What a device at the gates of an event of this tenant fetches its validator with.
    pub fn validator_token(&self, tenant: &str, event_id: i64) -> String {
        bam::validator_token(&self.app, tenant, event_id)
    }

    /// What devices at the gates of every event fetch their validators with.
    ///
    /// # Errors
    /// When the database fails.
    pub fn validators(&self) -> io::Result<Vec<ValidatorToken>> {
        self.app.db.read(|db| bam::validator_tokens(&self.app, db)).map_err(io::Error::other)
    }

    /// Adds a fault rule behind the others.
    pub fn fault(&self, rule: FaultRule) {
        self.app.add_fault(rule);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.app.clear_faults();
    }

    /// All requests seen so far as `METHOD /path`, without queries and without the sandbox's own routes.
    pub fn requests(&self) -> Vec<String> {
        self.app.requests()
    }

    /// All requests so far with the names of what they sent, without the sandbox's own routes.
    pub fn recorded(&self) -> Vec<RecordedRequest> {
        self.app.recorder.requests()
    }

    /// Every secret that the sandbox's clients know or got so far: passwords, tokens, keys, codes, texts of barcodes.
    pub fn secrets(&self) -> Vec<String> {
        self.app.recorder.secrets()
    }

    /// What B.A.M's documents leave open, as it is done now.
    pub fn bam_choices(&self) -> BamChoices {
        self.app.bam_choices()
    }

    /// Does what B.A.M's documents leave open in another way from now on.
    pub fn set_bam_choices(&self, choices: BamChoices) {
        self.app.set_bam_choices(choices);
    }

    /// Bytes sent so far, headers included.
    pub fn bytes_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Puts the sandbox's time off by so many seconds: the `Date` header, tokens, leases, the check of statements.
    pub fn set_clock_offset_s(&self, seconds: i64) {
        self.app.set_offset_s(seconds);
    }

    /// Makes all access tokens invalid; refresh tokens still count.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub fn revoke_tokens(&self) -> io::Result<()> {
        self.app.replace_token_key()?;
        self.app.db.write(|db| unidy::revoke_access(db, false)).map_err(io::Error::other)
    }

    /// Makes all access and refresh tokens invalid: everybody must sign in again.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub fn revoke_sessions(&self) -> io::Result<()> {
        self.app.replace_token_key()?;
        self.app.ticketing.world().end_sessions();
        self.app.texpo.data().revoke_sessions();
        let revoked = self.app.db.write(|db| {
            db.execute("DELETE FROM session", [])?;
            unidy::revoke_access(db, true)
        });
        revoked.map_err(io::Error::other)
    }

    /// Makes all cursors of the change feed too old: they get 410, and clients start again.
    pub fn expire_cursors(&self) {
        self.app.expire_cursors();
    }

    /// Every write that was applied, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub fn journal(&self) -> io::Result<Vec<JournalEntry>> {
        self.app.db.read(journal::entries).map_err(io::Error::other)
    }

    /// Takes a ticket of this tenant from its owner. Returns whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn remove_ticket(&self, user: &str, tenant: &str, ticket_id: i64) -> io::Result<bool> {
        self.edit(|db, _| edit::remove_ticket(db, user, tenant, ticket_id))
    }

    /// Adds a SECURE, issued ticket for an event of this tenant and tells its id, which no ticket had before. `None`
    /// when there is no such user or event.
    ///
    /// # Errors
    /// When the database fails.
    pub fn add_ticket(&self, user: &str, tenant: &str, event_id: i64) -> io::Result<Option<i64>> {
        self.edit(|db, now_s| edit::add_ticket(db, user, tenant, event_id, now_s))
    }

    /// Changes a ticket of this tenant. Returns whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn edit_ticket(&self, tenant: &str, ticket_id: i64, change: &TicketEdit) -> io::Result<bool> {
        self.edit(|db, now_s| edit::edit_ticket(db, tenant, ticket_id, change, now_s))
    }

    /// Gives an event of this tenant another name; the event's own `updated_at` moves. Returns whether there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn rename_event(&self, tenant: &str, event_id: i64, name: &str) -> io::Result<bool> {
        self.edit(|db, now_s| edit::rename_event(db, tenant, event_id, name, now_s))
    }

    /// Answers a pending transfer of this tenant as its recipient. Returns whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn end_transfer(&self, tenant: &str, transfer_id: i64, end: TransferEnd) -> io::Result<bool> {
        self.edit(|db, now_s| extension::end_transfer(db, tenant, transfer_id, end, now_s))
    }

    /// Ends the payment of an order of this tenant as its buyer: paid or failed. Returns whether one was waiting for that.
    ///
    /// # Errors
    /// When the database fails.
    pub fn end_payment(&self, tenant: &str, order_id: i64, is_paid: bool) -> io::Result<bool> {
        let ended = self.app.db.write(|db| bam::end_payment(&self.app, db, tenant, order_id, is_paid));
        ended.map_err(|error| io::Error::other(format!("{error:?}")))
    }

    /// Lays down what counts on the market of an event of this tenant. Returns whether there is such an event.
    ///
    /// # Errors
    /// When the database fails.
    pub fn set_market_rules(&self, tenant: &str, event_id: i64, rules: &MarketRules) -> io::Result<bool> {
        self.edit(|db, _| extension::set_rules(db, tenant, event_id, rules))
    }

    /// Offers somebody's ticket of this tenant on the market, and tells the listing's id.
    ///
    /// # Errors
    /// When the rules do not allow it, or the database fails.
    pub fn list_for_sale(&self, tenant: &str, new: &NewListing) -> io::Result<i64> {
        extension::list_for(&self.app, tenant, new)
            .map_err(|problem| io::Error::other(problem.to_json().to_string()))
    }

    /// Changes a listing of this tenant without its seller.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    pub fn change_listing(&self, tenant: &str, listing_id: i64, to: &ListingChange) -> io::Result<()> {
        let changed = extension::change_listing(&self.app, tenant, listing_id, to);
        changed.map_err(|problem| io::Error::other(problem.to_json().to_string()))
    }

    /// Simulates the payment for a reservation of this tenant.
    ///
    /// # Errors
    /// When none waits for it, or the database fails.
    pub fn pay_reservation(&self, tenant: &str, reservation: &str) -> io::Result<()> {
        let paid = extension::pay_reservation(&self.app, tenant, reservation);
        paid.map_err(|problem| io::Error::other(problem.to_json().to_string()))
    }

    /// Closes the listener and every open connection. The port is kept from others by [`keep_closed`].
    pub async fn stop(self) {
        drop(self.running);
        // An error is the answer: the server's end of the channel goes away last.
        let _ = self.ended.await;
        keep_closed(self.address);
    }
}

/// Keeps a port on which nobody listens any more as long as this process runs: who connects is refused, and no server
/// that takes any port gets it. One that asks for it by its number does.
pub fn keep_closed(address: SocketAddr) {
    static KEPT: Mutex<Vec<TcpSocket>> = Mutex::new(Vec::new());
    let bound = TcpSocket::new_v4().and_then(|socket| {
        // Connections to who listened there may not have ended yet.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    });
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).extend(bound.ok());
}

impl Sandbox {
    /// What the routes share.
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    fn edit<T>(&self, work: impl FnOnce(&Connection, i64) -> rusqlite::Result<T>) -> io::Result<T> {
        let now_s = self.app.now_s();
        self.app.db.write(|db| work(db, now_s)).map_err(io::Error::other)
    }
}

async fn run(listener: StdListener, routes: Router, sent: Arc<AtomicU64>) -> io::Result<()> {
    let listener = SandboxListener { listener: TcpListener::from_std(listener)?, sent };
    serve(listener, routes.into_make_service_with_connect_info::<Fuse>()).await
}

fn routes(app: &Arc<App>) -> Router {
    let feed = if app.config.feed { extension::feed_routes() } else { Router::new() };
    Router::new()
        .merge(bam::routes())
        .merge(unidy::routes())
        .merge(ticketing::routes())
        .merge(texpo::routes())
        .merge(feed)
        .merge(extension::routes())
        .merge(control::routes())
        .fallback(|request: Request| unknown(request, StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(|request: Request| unknown(request, StatusCode::METHOD_NOT_ALLOWED))
        .layer(middleware::from_fn_with_state(Arc::clone(app), bam::settle))
        .layer(middleware::from_fn_with_state(Arc::clone(app), disturb))
        .layer(middleware::map_response_with_state(Arc::clone(app), unidy::in_form))
        .layer(middleware::map_response_with_state(Arc::clone(app), ticketing::in_form))
        .with_state(Arc::clone(app))
}

async fn unknown(request: Request, status: StatusCode) -> Response {
    let (kind, title) = match status {
        StatusCode::METHOD_NOT_ALLOWED => ("method-not-allowed", "No such method here"),
        _ => ("not-found", "Nothing here"),
    };
    if unidy::serves(request.uri().path()) {
        UnidyError::new(status, &kind.replace('-', "_")).into_response()
    } else if ticketing::serves(request.uri().path()) {
        TicketingError::no_endpoint(&request).into_response()
    } else if extension::serves(request.uri().path()) {
        Problem::new(status, kind, title).into_response()
    } else {
        BamError::new(status, kind, title).into_response()
    }
}
