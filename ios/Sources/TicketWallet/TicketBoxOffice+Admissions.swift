import TicketWalletCore

/// What hosts and event staff do at TickeTing.
extension TicketBoxOffice {
    /// Issues admission tokens for an event's sections, each its own write, whose `answerJson` has it as
    /// `{"tokens": [{"id", "code", …}]}`. It stops at the first that is not carried out; the last write then says why.
    ///
    /// - Throws: `WalletError.InvalidInput` naming the field, `Refused`, `UpgradeNeeded`, `ServerFault`, `NeedsSignIn`,
    ///   `Unreachable` when surely nothing was sent, `Storage`.
    public func issueTokens(
        accountId: String,
        eventId: String,
        sections: [String],
        count: UInt32 = 1
    ) async throws -> [OfficeWrite] {
        try await core.issueTokens(accountId: accountId, eventId: eventId, sections: sections, count: count)
    }

    /// Makes an admission token good for just these sections.
    ///
    /// - Throws: As ``issueTokens(accountId:eventId:sections:count:)``.
    public func updateToken(
        accountId: String,
        eventId: String,
        tokenId: String,
        sections: [String]
    ) async throws -> OfficeWrite {
        try await core.updateToken(accountId: accountId, eventId: eventId, tokenId: tokenId, sections: sections)
    }

    /// Deletes an admission token; it cannot be undone.
    ///
    /// - Throws: As ``issueTokens(accountId:eventId:sections:count:)``.
    public func deleteToken(accountId: String, eventId: String, tokenId: String) async throws -> OfficeWrite {
        try await core.deleteToken(accountId: accountId, eventId: eventId, tokenId: tokenId)
    }

    /// One page of an event's admission tokens.
    ///
    /// - Throws: As ``issueTokens(accountId:eventId:sections:count:)``.
    public func tokens(
        accountId: String,
        eventId: String,
        query: TokenQuery = TokenQuery()
    ) async throws -> TokenPage {
        try await core.tokens(accountId: accountId, eventId: eventId, query: query)
    }

    /// One admission token.
    ///
    /// - Throws: As ``issueTokens(accountId:eventId:sections:count:)``.
    public func token(accountId: String, eventId: String, tokenId: String) async throws -> AdmissionToken {
        try await core.token(accountId: accountId, eventId: eventId, tokenId: tokenId)
    }

    /// What an admission token's code lets its bearer in to, with the key to sign in with in place of a password.
    ///
    /// - Throws: As ``issueTokens(accountId:eventId:sections:count:)``.
    public func lookUpCode(accountId: String, code: String) async throws -> GateAccess {
        try await core.lookUpCode(accountId: accountId, code: code)
    }

    /// Redeems tickets at an entrance. The write's `answerJson` has those that were admitted and the serials of the others:
    /// `{"admissions": [{"uri", "ticket", …}], "refused": […]}`. When none was admitted it is a refusal.
    ///
    /// - Throws: As ``issueTokens(accountId:eventId:sections:count:)``.
    public func admit(accountId: String, order: AdmissionOrder) async throws -> OfficeWrite {
        try await core.admit(accountId: accountId, order: order)
    }

    /// One page of an event's admissions.
    ///
    /// - Throws: As ``issueTokens(accountId:eventId:sections:count:)``.
    public func admissions(
        accountId: String,
        eventId: String,
        query: AdmissionQuery = AdmissionQuery()
    ) async throws -> AdmissionPage {
        try await core.admissions(accountId: accountId, eventId: eventId, query: query)
    }

    /// One page, counted from 1, of the tickets for an event; with `modifiedSince`, Unix seconds, only those whose status has
    /// changed after it.
    ///
    /// - Throws: As ``issueTokens(accountId:eventId:sections:count:)``.
    public func eventTickets(
        accountId: String,
        eventId: String,
        modifiedSince: Int64? = nil,
        page: UInt32 = 1
    ) async throws -> OfficePage {
        try await core.eventTickets(
            accountId: accountId, eventId: eventId, modifiedSince: modifiedSince, page: page)
    }
}
