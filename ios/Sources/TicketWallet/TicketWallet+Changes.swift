import TicketWalletCore

/// What a person changes. Every change is accepted at once, offline too, and sent as soon as the network allows.
extension TicketWallet {
    /// Changes that have not had their outcome yet.
    ///
    /// What waits is sent by itself. What was rejected, has an unknown outcome, or was saved from a damaged wallet waits
    /// for ``retry(changeId:)``, ``edit(changeId:content:)`` or ``discard(changeId:)``.
    ///
    /// - Throws: `WalletError.Paused`, `Storage`.
    public func outbox(accountId: String? = nil) throws -> [OutboxItem] {
        try core.outbox(accountId: accountId)
    }

    /// Sends a change again that waits for the person. One of unknown outcome may then be carried out twice.
    ///
    /// - Throws: `WalletError.NotFound`, `InvalidInput` when it is being sent by itself, `Paused`, `Storage`.
    @discardableResult
    public func retry(changeId: Int64) throws -> OutboxItem {
        try core.retryWrite(id: changeId)
    }

    /// Replaces what a change carries that was rejected or not sent yet: the answers as JSON, or the recipient.
    ///
    /// - Throws: `WalletError.NotFound`, `InvalidInput`, `Paused`, `Storage`.
    @discardableResult
    public func edit(changeId: Int64, content: String) throws -> OutboxItem {
        try core.editWrite(id: changeId, content: content)
    }

    /// Takes a change back that has not been carried out.
    ///
    /// - Throws: `WalletError.NotFound`, `InvalidInput` while its answer is awaited, `Paused`, `Storage`.
    public func discard(changeId: Int64) throws {
        try core.discardWrite(id: changeId)
    }

    /// Saves the answers about a ticket's holder, a JSON object.
    ///
    /// - Throws: `WalletError.InvalidInput`, `NotFound`, `OutboxFull`, `Paused`, `Storage`.
    @discardableResult
    public func saveTicketHolder(ticketId: String, responseJson: String) throws -> OutboxItem {
        try core.saveTicketHolder(ticketId: ticketId, responseJson: responseJson)
    }

    /// Hands a ticket to somebody. From when it is sent the ticket shows no barcode here.
    ///
    /// - Throws: As ``saveTicketHolder(ticketId:responseJson:)``.
    @discardableResult
    public func transfer(ticketId: String, to recipient: String) throws -> OutboxItem {
        try core.transfer(ticketId: ticketId, recipient: recipient)
    }

    /// Takes a transfer back; `nil` when it had not been sent.
    ///
    /// - Throws: `WalletError.NotFound` when there is none; as ``saveTicketHolder(ticketId:responseJson:)``.
    @discardableResult
    public func cancelTransfer(ticketId: String) throws -> OutboxItem? {
        try core.cancelTransfer(ticketId: ticketId)
    }

    /// Transfers as far as is known.
    ///
    /// - Throws: `WalletError.Paused`, `Storage`.
    public func transfers(accountId: String? = nil) throws -> [Transfer] {
        try core.transfers(accountId: accountId)
    }

    /// Gives a ticket's barcode up on this device; ``pin(ticketId:_:)`` and a sync bring it back.
    ///
    /// - Throws: As ``saveTicketHolder(ticketId:responseJson:)``.
    @discardableResult
    public func surrender(ticketId: String) throws -> OutboxItem {
        try core.surrender(ticketId: ticketId)
    }

    /// Takes a ticket's barcode over from another device, or from a key that this one has lost.
    ///
    /// - Throws: As ``saveTicketHolder(ticketId:responseJson:)``.
    @discardableResult
    public func moveHere(ticketId: String) throws -> OutboxItem {
        try core.moveHere(ticketId: ticketId)
    }

    /// Has a ticket's barcode made ready at the next sync, however far away its event is.
    ///
    /// - Throws: `WalletError.InvalidInput`, `NotFound`, `Paused`, `Storage`.
    public func pin(ticketId: String, _ pinned: Bool = true) throws {
        try core.pin(ticketId: ticketId, pinned: pinned)
    }
}
