//! The system an account is at, as sync sees it: signing in, lists of tickets, single ones, and where the extension is.

use std::sync::Arc;

use serde_json::value::RawValue;
use url::Url;

use super::bam::{Bam, Direction, TicketPage, TicketPlace, TicketQuery};
use super::texpo::Texpo;
use super::ticketing::Ticketing;
use super::unidy::Unidy;
use super::{Http, Refresh, Session};
use crate::error::Error;
use crate::model::{Provider, PulledTicket, SystemConfig, TicketHash, TicketSystem, Tokens};

/// A client of one of the systems.
#[derive(Debug)]
pub enum Connector {
    /// B.A.M Ticketing.
    Bam(Box<Bam>),
    /// Unidy.
    Unidy(Box<Unidy>),
    /// TickeTing.
    Ticketing(Box<Ticketing>),
    /// TEXPO.
    Texpo(Box<Texpo>),
}

/// Tickets of one page of a list.
#[derive(Clone, PartialEq, Eq)]
pub struct PulledPage {
    /// The tickets; which barcode each carries is not settled yet.
    pub tickets: Vec<PulledTicket>,
    /// How many there are in all; `None` when the server does not page, and this is the whole list.
    pub total: Option<i64>,
}

opaque_debug!(PulledPage);

impl PulledPage {
    /// Whether a first page is the whole list.
    pub fn is_whole(&self) -> bool {
        self.total.is_none_or(|total| usize::try_from(total).is_ok_and(|total| self.tickets.len() >= total))
    }
}

impl Connector {
    /// The client that a configuration describes, its certificate pins included.
    ///
    /// # Errors
    /// [`Error::Input`] naming the field of the configuration that cannot be used.
    pub fn new(http: Arc<Http>, system: TicketSystem, config: &SystemConfig) -> Result<Self, Error> {
        let http = Arc::new(http.pinned(&config.pins)?);
        match system {
            TicketSystem::Bam => Ok(Self::Bam(Box::new(Bam::new(http, config)?))),
            TicketSystem::Unidy => Ok(Self::Unidy(Box::new(Unidy::new(http, config)?))),
            TicketSystem::Ticketing => Ok(Self::Ticketing(Box::new(Ticketing::new(http, config)?))),
            TicketSystem::Texpo => Ok(Self::Texpo(Box::new(Texpo::new(http, config)?))),
        }
    }

    /// What its requests go through, and those to the extensions beside it: the configuration's pins count.
    pub fn http(&self) -> &Http {
        match self {
            Self::Bam(bam) => bam.http(),
            Self::Unidy(unidy) => unidy.http(),
            Self::Ticketing(ticketing) => ticketing.http(),
            Self::Texpo(texpo) => texpo.http(),
        }
    }

    /// Trades user name and password for a session.
    ///
    /// # Errors
    /// [`Error::BadPassword`], as [`Http::send`], [`Error::Status`], [`Error::Reply`].
    pub async fn login(&self, user_name: &str, password: &str) -> Result<Tokens, Error> {
        match self {
            Self::Bam(bam) => bam.login(user_name, password).await,
            Self::Unidy(unidy) => unidy.session_for(user_name, password).await,
            Self::Ticketing(ticketing) => ticketing.login(user_name, password).await,
            Self::Texpo(texpo) => texpo.login(user_name, password).await,
        }
    }

    /// B.A.M's client, for what only B.A.M has.
    pub fn bam(&self) -> Option<&Bam> {
        match self {
            Self::Bam(bam) => Some(bam),
            _ => None,
        }
    }

    /// Unidy's client, for what only Unidy has.
    pub fn unidy(&self) -> Option<&Unidy> {
        match self {
            Self::Unidy(unidy) => Some(unidy),
            _ => None,
        }
    }

    /// TickeTing's client, for what only TickeTing has.
    pub fn ticketing(&self) -> Option<&Ticketing> {
        match self {
            Self::Ticketing(ticketing) => Some(ticketing),
            _ => None,
        }
    }

    /// TEXPO's client, for what only TEXPO has.
    pub fn texpo(&self) -> Option<&Texpo> {
        match self {
            Self::Texpo(texpo) => Some(texpo),
            _ => None,
        }
    }

    /// The provider's name for a tenant's tickets.
    ///
    /// # Errors
    /// [`Error::Input`] when a part cannot stand in it.
    pub fn provider(&self, tenant: Option<&str>) -> Result<Provider, Error> {
        match self {
            Self::Bam(bam) => bam.provider(tenant),
            Self::Unidy(unidy) => unidy.provider(),
            Self::Ticketing(ticketing) => ticketing.provider(),
            Self::Texpo(texpo) => texpo.provider(),
        }
    }

    /// Whether the extension is looked for at all.
    pub fn looks_for_extension(&self) -> bool {
        self.ticketing().is_none_or(|ticketing| ticketing.extension_base().is_some())
    }

    /// Where the extension of a tenant is looked for.
    ///
    /// # Errors
    /// [`Error::Input`] when the tenant's name cannot stand in an address.
    pub fn extension_base(&self, tenant: Option<&str>) -> Result<Url, Error> {
        match self {
            Self::Bam(bam) => bam.extension_base(tenant),
            Self::Unidy(unidy) => Ok(unidy.extension_base().clone()),
            Self::Ticketing(ticketing) => {
                let base = ticketing.extension_base().cloned();
                base.ok_or_else(|| Error::Input {
                    field: "extension_url",
                    reason: "none is configured".to_owned(),
                })
            }
            Self::Texpo(texpo) => Ok(texpo.extension_base().clone()),
        }
    }

    /// The list's newest changes, `limit` at most, unless they are as they were when the server gave them this entity
    /// tag; with their tag now. Where a system cannot order by change, its first page. A system whose tickets are not to be
    /// asked for has none that changed.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn newest_unless(
        &self,
        session: &Session,
        limit: u32,
        etag: Option<&str>,
    ) -> Result<Option<(PulledPage, Option<String>)>, Error> {
        match self {
            Self::Bam(bam) => {
                let newest = TicketQuery {
                    sort_by: Some("updated_at".to_owned()),
                    direction: Some(Direction::Descending),
                    ..bam.pull_query(limit, 0)
                };
                let Some((page, etag)) = bam.tickets_unless(session, &newest, etag).await? else {
                    return Ok(None);
                };
                Ok(Some((normalised(bam, session, &page).await?, etag)))
            }
            Self::Texpo(texpo) if !texpo.lists_tickets() => Ok(None),
            Self::Unidy(_) | Self::Ticketing(_) | Self::Texpo(_) => {
                Ok(Some((self.page(session, limit, 0).await?, None)))
            }
        }
    }

    /// `limit` tickets of the list from an offset on.
    ///
    /// # Errors
    /// As [`Connector::newest_unless`].
    pub async fn page(&self, session: &Session, limit: u32, offset: u32) -> Result<PulledPage, Error> {
        match self {
            Self::Bam(bam) => {
                let page = bam.tickets(session, &bam.pull_query(limit, offset)).await?;
                normalised(bam, session, &page).await
            }
            Self::Unidy(unidy) => {
                let (tickets, total) = unidy.pull(session, limit, offset).await?;
                Ok(PulledPage { tickets, total })
            }
            Self::Ticketing(ticketing) => {
                let (tickets, total) = ticketing.pull(session, limit, offset).await?;
                Ok(PulledPage { tickets, total })
            }
            Self::Texpo(texpo) => Ok(PulledPage { tickets: texpo.pull(session).await?, total: None }),
        }
    }

    /// A ticket's record out of the change feed.
    ///
    /// # Errors
    /// [`Error::Reply`] when it has no id; as [`Session::send`] while its tenant is looked up.
    pub async fn read_ticket(&self, session: &Session, record: &RawValue) -> Result<PulledTicket, Error> {
        match self {
            Self::Bam(bam) => bam.normalise(session, &bam.read_ticket(record)?, record).await,
            Self::Unidy(unidy) => unidy.read_ticket(&record.to_string()),
            Self::Ticketing(ticketing) => ticketing.read_ticket(session, &record.to_string()).await,
            Self::Texpo(texpo) => texpo.read_ticket(record.get()),
        }
    }

    /// A ticket that the change feed calls gone, by the system's id and its organizer's.
    ///
    /// # Errors
    /// [`Error::Input`] for an id that cannot be hashed; as [`Session::send`] while its tenant is looked up.
    pub async fn gone_ticket(
        &self,
        session: &Session,
        id: &str,
        organizer: Option<i64>,
    ) -> Result<TicketHash, Error> {
        let tenant = match self {
            Self::Bam(bam) => bam.tenant_of(session, organizer).await?,
            Self::Unidy(_) | Self::Ticketing(_) | Self::Texpo(_) => None,
        };
        let hash = self.provider(tenant.as_deref())?.ticket(id);
        hash.map_err(|e| Error::Input { field: "id", reason: e.to_string() })
    }

    /// Whether a ticket is gone: asking for it alone gives 404 or 410. `None` when the server does not say.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] when it cannot be asked now.
    pub async fn is_gone(&self, session: &Session, place: TicketPlace<'_>) -> Result<Option<bool>, Error> {
        match self {
            Self::Bam(bam) => bam.is_gone(session, place).await,
            Self::Unidy(unidy) => unidy.is_gone(session, place.1).await,
            Self::Ticketing(ticketing) => ticketing.is_gone(session, place.1).await,
            // A single ticket can be asked for over a websocket only.
            Self::Texpo(_) => Ok(None),
        }
    }
}

impl Refresh for Connector {
    async fn refresh(&self, http: &Http, tokens: &Tokens) -> Result<Tokens, Error> {
        match self {
            Self::Bam(bam) => bam.refresh(http, tokens).await,
            Self::Unidy(unidy) => unidy.refresh(http, tokens).await,
            Self::Ticketing(ticketing) => ticketing.refresh(http, tokens).await,
            Self::Texpo(texpo) => texpo.refresh(http, tokens).await,
        }
    }

    fn renews_by_itself(&self) -> bool {
        match self {
            Self::Bam(bam) => bam.renews_by_itself(),
            Self::Unidy(unidy) => unidy.renews_by_itself(),
            Self::Ticketing(ticketing) => ticketing.renews_by_itself(),
            Self::Texpo(texpo) => texpo.renews_by_itself(),
        }
    }

    fn is_refused(&self, reply: &super::Reply) -> bool {
        match self {
            Self::Bam(bam) => bam.is_refused(reply),
            Self::Unidy(unidy) => unidy.is_refused(reply),
            Self::Ticketing(ticketing) => ticketing.is_refused(reply),
            Self::Texpo(texpo) => texpo.is_refused(reply),
        }
    }

    fn authorise(&self, request: &mut super::Request<'_>, access: zeroize::Zeroizing<String>) {
        match self {
            Self::Bam(bam) => bam.authorise(request, access),
            Self::Unidy(unidy) => unidy.authorise(request, access),
            Self::Ticketing(ticketing) => ticketing.authorise(request, access),
            Self::Texpo(texpo) => texpo.authorise(request, access),
        }
    }
}

async fn normalised(bam: &Bam, session: &Session, page: &TicketPage) -> Result<PulledPage, Error> {
    let mut tickets = Vec::with_capacity(page.items.len());
    for (ticket, record) in &page.items {
        tickets.push(bam.normalise(session, ticket, record).await?);
    }
    Ok(PulledPage { tickets, total: page.total })
}
