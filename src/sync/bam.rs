//! What only B.A.M has at an account's desk: its own lists, single orders, and the person's certificate.

use super::desk::Desk;
use crate::device::ask;
use crate::error::Error;
use crate::model::{Certificate, ListDirection, Order, ServerTicketPage, ServerTicketQuery};
use crate::remote::bam::{Direction, Enrollment, RelationExpression, TicketQuery, claims};
use crate::store::StoredEnrollment;

/// What a sealed private key is bound to, before the account's id.
pub(super) const SEALED_FOR: &str = "ticket-wallet/1/enrollment\u{1F}";
/// A certificate that has not been made by now never will be: servers and what stands before them give up sooner.
const IN_FLIGHT_S: i64 = 120;

impl Desk<'_> {
    /// Tickets as the server lists them to a holder: of all tenants, or of one.
    ///
    /// # Errors
    /// [`Error::Input`] naming `with`, or where the system has no such list; as [`crate::remote::Session::send`],
    /// [`Error::Status`], [`Error::Reply`].
    pub async fn listed_tickets(&self, query: &ServerTicketQuery) -> Result<ServerTicketPage, Error> {
        let (bam, asked) = (self.bam()?, of_bam(query)?);
        let page = match query.tenant.as_deref() {
            Some(tenant) => bam.tenant_tickets(&self.session, Some(tenant), &asked).await?,
            None => bam.tickets(&self.session, &asked).await?,
        };
        Ok(records(page))
    }

    /// Tickets of a tenant as the server lists them to its organiser.
    ///
    /// # Errors
    /// As [`Desk::listed_tickets`].
    pub async fn office_tickets(&self, query: &ServerTicketQuery) -> Result<ServerTicketPage, Error> {
        let (bam, asked) = (self.bam()?, of_bam(query)?);
        let tenant = bam.office_tenant(&self.session, query.tenant.as_deref()).await?;
        Ok(records(bam.tenant_tickets(&self.session, tenant.as_deref(), &asked).await?))
    }

    /// One order.
    ///
    /// # Errors
    /// As [`Desk::orders`]; [`Error::Input`] naming `id`.
    pub async fn order(&self, tenant: Option<&str>, order_id: &str) -> Result<Order, Error> {
        self.bam()?.order(&self.session, (self.tenant(tenant), order_id)).await
    }

    /// Whether the server says that the person's certificate should be renewed; `None` where it does not say.
    ///
    /// # Errors
    /// As [`Desk::orders`].
    pub async fn certificate_is_due(&self) -> Result<Option<bool>, Error> {
        let bam = self.bam()?;
        let shown = self.account.tokens.as_ref().map(|tokens| claims(&tokens.access)).unwrap_or_default();
        match shown.into_iter().find(|(name, _)| name == "id") {
            Some((_, user)) => bam.should_renew_certificate(&self.session, &user).await,
            None => Ok(None),
        }
    }

    /// Gets a certificate, a new one in place of one that is held, and keeps it with its private key sealed.
    ///
    /// The server makes the key, so that a certificate whose answer was lost is of no use to anybody. Before another is made
    /// after such a loss, that one is renewed; only where the server has none to renew (404), and the lost request cannot be
    /// on its way any more, is the person enrolled again.
    ///
    /// # Errors
    /// As [`Desk::orders`]; [`Error::Vault`], [`Error::Database`].
    pub async fn enroll(&self) -> Result<Certificate, Error> {
        let bam = self.bam()?;
        let held = self.store().enrollment(&self.account.id)?;
        let lost = self.store().enrolling_since(&self.account.id)?;
        if held.is_none() && lost.is_none() {
            return self.enroll_anew().await;
        }
        let settled = match lost {
            Some(since) => self.now_s()?.saturating_sub(since) >= IN_FLIGHT_S,
            None => false,
        };
        match bam.renew_certificate(&self.session).await {
            Err(Error::Status { status: 404, .. }) if held.is_none() && settled => self.enroll_anew().await,
            renewed => self.keep_enrollment(renewed?).await,
        }
    }

    /// Enrols; that it was begun is kept until its end is known.
    async fn enroll_anew(&self) -> Result<Certificate, Error> {
        self.store().begin_enrolling(&self.account.id, self.now_s()?)?;
        match self.bam()?.enroll(&self.session).await {
            Err(error) if !error.is_uncertain() => {
                self.store().end_enrolling(&self.account.id)?;
                Err(error)
            }
            made => self.keep_enrollment(made?).await,
        }
    }

    async fn keep_enrollment(&self, enrollment: Enrollment) -> Result<Certificate, Error> {
        let (key, bound_to) = (enrollment.private_key.clone(), format!("{SEALED_FOR}{}", self.account.id));
        let sealed = ask(&self.engine.vault, move |vault| {
            Ok(vault.seal(key.as_bytes().to_vec(), bound_to.into_bytes())?)
        });
        let kept = StoredEnrollment {
            enrollment_id: enrollment.enrollment_id,
            certificate: enrollment.certificate_pem,
            sealed_key: sealed.await?,
        };
        self.store().save_enrollment(&self.account.id, &kept)?;
        Ok(Certificate { enrollment_id: kept.enrollment_id, certificate_pem: kept.certificate })
    }
}

fn of_bam(query: &ServerTicketQuery) -> Result<TicketQuery, Error> {
    let with = RelationExpression::parse(query.with.as_deref().unwrap_or_default())
        .map_err(|e| Error::Input { field: "with", reason: e.to_string() })?;
    Ok(TicketQuery {
        format: query.format.clone(),
        status: query.status.clone(),
        with_enrollment_id: query.with_enrollment_id,
        sort_by: query.sort_by.clone(),
        direction: query.direction.map(|direction| match direction {
            ListDirection::Ascending => Direction::Ascending,
            ListDirection::Descending => Direction::Descending,
        }),
        with,
        limit: query.limit,
        offset: query.offset,
    })
}

fn records(page: crate::remote::bam::TicketPage) -> ServerTicketPage {
    ServerTicketPage {
        records: page.items.into_iter().map(|(_, record)| record.get().to_owned()).collect(),
        total: page.total.and_then(|total| u64::try_from(total).ok()),
    }
}
