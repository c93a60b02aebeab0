//! What organisers do: reserving, freeing and issuing tickets, sending groups, tickets of partners, and catalogues.

use super::ticket::TicketStatus;
use super::unidy::UnidyFields;

/// What an organiser's write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum OfficeWriteKind {
    /// Reserves tickets for a user (B.A.M `POST /ticket/reserve`).
    Reserve,
    /// Frees reserved tickets (B.A.M `POST /ticket/free`).
    Free,
    /// Issues reserved tickets (B.A.M `POST /ticket/issue`).
    Issue,
    /// Sends tickets to e-mail addresses (B.A.M `POST /ticket/send-group`).
    SendGroup,
    /// Makes a ticket (Unidy partner API).
    CreateTicket,
    /// Changes a ticket (Unidy partner API).
    UpdateTicket,
    /// Deletes a ticket (Unidy partner API).
    DeleteTicket,
    /// Issues an admission token (TickeTing `POST /events/{event}/tokens`).
    IssueToken,
    /// Changes an admission token's sections (TickeTing `PUT /events/{event}/tokens/{token}`).
    UpdateToken,
    /// Deletes an admission token (TickeTing `DELETE /events/{event}/tokens/{token}`).
    DeleteToken,
    /// Redeems tickets at an entrance (TickeTing `POST /events/{event}/admissions`).
    Admit,
    /// Makes an entry of a catalogue (TEXPO `ticket.createPurchasableTicket`).
    CreateProduct,
    /// Changes an entry of a catalogue (TEXPO `ticket.updatePurchasableTicket`).
    UpdateProduct,
    /// Deletes an entry of a catalogue (TEXPO `ticket.deletePurchasableTicket`).
    DeleteProduct,
    /// Hands tickets over (TickeTing `POST /transfers`).
    StartTransfer,
    /// Takes what somebody hands over (TickeTing `POST /transfers/{id}/claims`).
    ClaimTransfer,
    /// Takes a transfer back (TickeTing `DELETE /transfers/{id}`).
    CancelTransfer,
    /// Places an order (TickeTing `POST /orders`).
    PlaceOrder,
    /// Cancels an order (TickeTing `DELETE /orders/{number}`).
    CancelOrder,
    /// Accepts what somebody hands over (Unidy `POST ticket_transfers/{token}/accept`).
    AcceptTransfer,
    /// Declines it (Unidy `POST ticket_transfers/{token}/decline`).
    DeclineTransfer,
    /// Offers a ticket for sale (B.A.M, `TICKET.MARK_FOR_SALE` on the ledger).
    MarkForSale,
    /// Hands a ticket over (B.A.M, `TICKET.TRANSFER` on the ledger).
    TransferOnLedger,
    /// Takes an offer back (B.A.M `DELETE orderbook/v1/offer/{id}`).
    DeleteOffer,
}

closed_enum!(OfficeWriteKind {
    Reserve = "reserve",
    Free = "free",
    Issue = "issue",
    SendGroup = "send_group",
    CreateTicket = "create_ticket",
    UpdateTicket = "update_ticket",
    DeleteTicket = "delete_ticket",
    IssueToken = "issue_token",
    UpdateToken = "update_token",
    DeleteToken = "delete_token",
    Admit = "admit",
    CreateProduct = "create_product",
    UpdateProduct = "update_product",
    DeleteProduct = "delete_product",
    StartTransfer = "start_transfer",
    ClaimTransfer = "claim_transfer",
    CancelTransfer = "cancel_transfer",
    PlaceOrder = "place_order",
    CancelOrder = "cancel_order",
    AcceptTransfer = "accept_transfer",
    DeclineTransfer = "decline_transfer",
    MarkForSale = "mark_for_sale",
    TransferOnLedger = "transfer_on_ledger",
    DeleteOffer = "delete_offer",
});

/// Where an organiser's write stands. No system repeats one safely, so that none is ever repeated by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum OfficeWriteState {
    /// On its way: what was under way when the process ended stands here until it is looked up.
    Sent,
    /// Carried out.
    Done,
    /// Surely not carried out.
    Rejected,
    /// The answer was lost, and nothing that can be read tells what became of it: look, then repeat it or forget it.
    Unknown,
}

closed_enum!(OfficeWriteState { Sent = "sent", Done = "done", Rejected = "rejected", Unknown = "unknown" });

/// An organiser's write and what became of it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct OfficeWrite {
    /// Names it in `look_up_write` and `forget_write`.
    pub id: i64,
    /// The account it was sent for.
    pub account_id: String,
    /// What it does.
    pub kind: OfficeWriteKind,
    /// What was asked for, as JSON.
    pub request_json: String,
    /// When, Unix seconds.
    pub created_at: i64,
    /// Where it stands.
    pub state: OfficeWriteState,
    /// What the server answered, or what was read back, as JSON; of an unknown outcome what the write may have left,
    /// `{"candidates": […]}`; where it failed and nothing tells what became of the write,
    /// `{"report": …}` for its operator, as in `WalletError::ServerFault`.
    pub answer_json: Option<String>,
    /// The HTTP status with which it was refused.
    pub status: Option<u16>,
    /// The server's error code.
    pub server_code: Option<String>,
}

/// Tickets to reserve for one user.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Reservation {
    /// The tenant whose event it is; the configuration's own without it.
    #[uniffi(default = None)]
    pub tenant: Option<String>,
    /// The event's id.
    pub event_id: i64,
    /// The enrolment of the user, which is not the user's id.
    pub owner_enrollment_id: String,
    /// `PDF` or `SECURE`.
    pub format: String,
    /// What to reserve; one item at least.
    pub items: Vec<ReservationItem>,
}

/// Tickets of one configuration.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ReservationItem {
    /// The ticket configuration's id.
    pub ticket_config_id: i64,
    /// How many, 1 at least.
    pub quantity: u32,
    /// The time slot's id.
    #[uniffi(default = None)]
    pub timeslot_id: Option<i64>,
    /// The sector's id.
    #[uniffi(default = None)]
    pub sector_id: Option<i64>,
}

/// Tickets to send to e-mail addresses.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct GroupOrder {
    /// The tenant whose event it is; the configuration's own without it.
    #[uniffi(default = None)]
    pub tenant: Option<String>,
    /// The event's id.
    pub event_id: i64,
    /// `PDF` or `SECURE`.
    pub format: String,
    /// What each address gets; one item at least.
    pub items: Vec<ReservationItem>,
    /// Words to go with it.
    #[uniffi(default = None)]
    pub note: Option<String>,
    /// Who gets them; one at least.
    pub owner_emails: Vec<String>,
}

/// A ticket as an organiser sees it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct OfficeTicket {
    /// The system's id.
    pub remote_id: String,
    /// Where it stands.
    pub status: TicketStatus,
    /// The ticket configuration's id, where it was told.
    pub ticket_config_id: Option<i64>,
    /// The owner's enrolment, where it was told.
    pub enrollment_id: Option<String>,
    /// The system's whole record as JSON.
    pub body_json: String,
    /// What the record says, typed, with Unidy.
    pub unidy: Option<UnidyFields>,
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct OfficePage {
    /// The tickets.
    pub tickets: Vec<OfficeTicket>,
    /// Whether more pages follow.
    pub more: bool,
}

opaque_debug!(OfficePage, OfficeWrite, Reservation, GroupOrder, OfficeTicket);
