import TicketWalletCore

/// Signing in without a password: in the person's browser, or by a code that comes by e-mail.
extension TicketWallet {
    /// Begins a sign-in in the person's browser (Unidy).
    ///
    /// Open `url` in an `ASWebAuthenticationSession`, never in a web view, and hand the address that the person comes back
    /// to over to ``completeSignIn(redirect:)``, within an hour. A process that ends meanwhile loses nothing.
    ///
    /// - Throws: `WalletError.InvalidInput` naming the field of the configuration, `Unreachable`, `Refused`, `Storage`.
    public func beginSignIn(at config: SystemConfig) async throws -> BrowserSignIn {
        try await core.beginSignIn(config: config)
    }

    /// Takes the address that the person was sent back to, checks that it answers a sign-in that was begun here, and keeps
    /// the account.
    ///
    /// - Throws: `WalletError.InvalidInput` naming `redirect` for an address that answers none, `Cancelled` when the person
    ///   said no, `Refused`, `Unreachable`, `Storage`.
    @discardableResult
    public func completeSignIn(redirect: String) async throws -> SignedIn {
        try await core.completeSignIn(redirect: redirect)
    }

    /// Has a code sent to the person by e-mail, in place of a password (Unidy).
    ///
    /// - Throws: `WalletError.InvalidInput`, `Refused`, `Unreachable`, `Storage`.
    public func requestCode(at config: SystemConfig, userName: String) async throws -> CodeSignIn {
        try await core.requestCode(config: config, userName: userName)
    }

    /// Signs in with the code that came by e-mail, and keeps the account.
    ///
    /// - Throws: `WalletError.NotFound` for a sign-in that was not begun here, `Refused` for a wrong code, `Unreachable`,
    ///   `Storage`.
    @discardableResult
    public func signIn(_ signIn: CodeSignIn, code: String) async throws -> Account {
        try await core.signInWithCode(id: signIn.id, code: code)
    }
}
