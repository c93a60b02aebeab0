import TicketWalletCore

/// The catalogue of tickets to buy (TEXPO).
extension TicketBoxOffice {
    /// The whole catalogue, in the server's order.
    ///
    /// - Throws: `WalletError.InvalidInput`, `PermissionDenied` naming `network.manage`, `Refused`, `NeedsSignIn`,
    ///   `Unreachable`, `NotFound`, `Storage`.
    public func catalogue(accountId: String) async throws -> [Product] {
        try await core.catalogue(accountId: accountId)
    }

    /// An entry of the catalogue.
    ///
    /// - Throws: As ``catalogue(accountId:)``; `WalletError.NotFound` for an id that no entry has.
    public func product(accountId: String, productId: String) async throws -> Product {
        try await core.product(accountId: accountId, productId: productId)
    }

    /// Makes an entry with an id of the caller's choice. The write's `answerJson` has it as `{"ticket": {…}}`.
    ///
    /// - Throws: As ``catalogue(accountId:)``; `WalletError.InvalidInput` names the field, and `product_id` when another
    ///   entry has it.
    public func createProduct(
        accountId: String,
        productId: String,
        fields: ProductFields
    ) async throws -> OfficeWrite {
        try await core.createProduct(accountId: accountId, productId: productId, fields: fields)
    }

    /// Changes those fields of an entry that are given. What somebody else changes in this moment is lost.
    ///
    /// - Throws: As ``createProduct(accountId:productId:fields:)``; `WalletError.NotFound` for an id that no entry has.
    public func updateProduct(
        accountId: String,
        productId: String,
        fields: ProductFields
    ) async throws -> OfficeWrite {
        try await core.updateProduct(accountId: accountId, productId: productId, fields: fields)
    }

    /// Takes an entry out of the catalogue; it cannot be undone.
    ///
    /// - Throws: As ``createProduct(accountId:productId:fields:)``.
    public func deleteProduct(accountId: String, productId: String) async throws -> OfficeWrite {
        try await core.deleteProduct(accountId: accountId, productId: productId)
    }
}
