//! A holder's desk: files, orders, offers, questions, certificates, and tickets that others hand over.

use super::desk::Desk;
use crate::device::ask;
use crate::error::Error;
use crate::model::{Certificate, Document, HolderForm, MailRequest, Offer, Order, TicketHash};
use crate::remote::unidy::ExportFormat;
use crate::store::{NewDocument, StoredEnrollment};

/// What a sealed private key is bound to, before the account's id.
const SEALED_FOR: &str = "ticket-wallet/1/enrollment\u{1F}";

impl Desk<'_> {
    /// Fetches a ticket's files and keeps them.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Input`] where the system has none, as [`crate::remote::Session::send`],
    /// [`Error::Status`], [`Error::Reply`], [`Error::Database`].
    pub async fn fetch_documents(&self, ticket: TicketHash) -> Result<Vec<Document>, Error> {
        let remote_id = self.store().binding_of(ticket)?.remote_id;
        let subject = format!("ticket/{ticket}");
        if let Some(texpo) = self.system.texpo() {
            let file = texpo.document(&self.session, &remote_id).await?;
            return Ok(vec![self.keep_document(&subject, "application/pdf", &file)?]);
        }
        let unidy = self.unidy()?;
        let mut refused = None;
        for (format, media_type) in
            [(ExportFormat::Pdf, "application/pdf"), (ExportFormat::PkPass, "application/vnd.apple.pkpass")]
        {
            match unidy.document(&self.session, &remote_id, format).await {
                Ok(bytes) => drop(self.keep_document(&subject, media_type, &bytes)?),
                // A ticket need not be exportable in each of the formats.
                Err(error @ Error::Status { .. }) => refused = refused.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        let kept = self.store().documents(&self.account.id, Some(&subject))?;
        match refused {
            Some(error) if kept.is_empty() => Err(error),
            _ => Ok(kept),
        }
    }

    /// The account's orders.
    ///
    /// # Errors
    /// [`Error::Input`] where the system has none, as [`crate::remote::Session::send`], [`Error::Status`],
    /// [`Error::Reply`].
    pub async fn orders(&self, tenant: Option<&str>) -> Result<Vec<Order>, Error> {
        self.bam()?.orders(&self.session, self.tenant(tenant)).await
    }

    /// Fetches an order's tickets and keeps the file.
    ///
    /// # Errors
    /// As [`Desk::orders`]; [`Error::Database`].
    pub async fn fetch_order(&self, tenant: Option<&str>, order_id: &str) -> Result<Document, Error> {
        let file = self.bam()?.download_tickets(&self.session, (self.tenant(tenant), order_id)).await?;
        self.keep_document(&format!("order/{order_id}"), file.media_type, &file.bytes)
    }

    /// Has an order's tickets sent by e-mail. A lost answer is no error: nothing tells what became of it.
    ///
    /// # Errors
    /// As [`Desk::orders`].
    pub async fn email_order(&self, tenant: Option<&str>, order_id: &str) -> Result<MailRequest, Error> {
        match self.bam()?.email_tickets(&self.session, (self.tenant(tenant), order_id)).await {
            Ok(()) => Ok(MailRequest::Taken),
            Err(error) if error.is_uncertain() => Ok(MailRequest::Unknown),
            Err(error) => Err(error),
        }
    }

    /// The account's own offers.
    ///
    /// # Errors
    /// As [`Desk::orders`].
    pub async fn own_offers(&self, tenant: Option<&str>) -> Result<Vec<Offer>, Error> {
        self.bam()?.own_offers(&self.session, self.tenant(tenant)).await
    }

    /// The questions to a ticket's holder, with the answers so far.
    ///
    /// # Errors
    /// As [`Desk::orders`]; [`Error::NotFound`].
    pub async fn holder_questions(&self, ticket: TicketHash) -> Result<Option<HolderForm>, Error> {
        let bam = self.bam()?;
        let binding = self.store().binding_of(ticket)?;
        let place = (binding.tenant.as_deref(), binding.remote_id.as_str());
        let found = bam.holder_questions(&self.session, place, None).await?;
        Ok(found.map(|form| HolderForm {
            questions: form.questions,
            response_json: form.response.map(|response| response.to_string()),
            body_json: form.body_json,
        }))
    }

    /// A ticket's record by its id on the ledger.
    ///
    /// # Errors
    /// As [`Desk::orders`].
    pub async fn by_ledger_id(&self, tenant: Option<&str>, ledger_id: &str) -> Result<String, Error> {
        let place = (self.tenant(tenant), ledger_id);
        let (_, record) = self.bam()?.ticket_by_ledger_id(&self.session, place).await?;
        Ok(record.get().to_owned())
    }

    /// Gets a certificate, a new one where one is held, and keeps it with its private key sealed.
    ///
    /// # Errors
    /// As [`Desk::orders`]; [`Error::Vault`], [`Error::Database`].
    pub async fn enroll(&self) -> Result<Certificate, Error> {
        let bam = self.bam()?;
        let held = self.store().enrollment(&self.account.id)?;
        let enrollment = match held {
            Some(_) => bam.renew_certificate(&self.session).await?,
            None => bam.enroll(&self.session).await?,
        };
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

    fn keep_document(&self, subject: &str, media_type: &str, bytes: &[u8]) -> Result<Document, Error> {
        let (account_id, fetched_at) = (self.account.id.as_str(), self.now_s()?);
        let id = self.store().save_document(&NewDocument {
            account_id,
            subject,
            media_type,
            fetched_at,
            bytes,
        })?;
        let kept = self.store().documents(account_id, Some(subject))?;
        kept.into_iter().find(|document| document.id == id).ok_or(Error::NotFound { what: "document" })
    }
}
