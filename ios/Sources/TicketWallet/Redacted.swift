import TicketWalletCore

/// A value that shows nothing of itself in logs, crash reports and string interpolation.
public protocol Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension Redacted {
    /// The type's name alone.
    public var description: String { "\(Self.self)(…)" }
    /// The type's name alone.
    public var debugDescription: String { description }
    /// No children: `dump` and debuggers' reflection see nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SignIn: Redacted {}
extension Account: Redacted {}
extension Presentation: Redacted {}
extension TicketSummary: Redacted {}
extension TicketDetail: Redacted {}
extension HttpHeader: Redacted {}
extension HttpRequest: Redacted {}
extension HttpResponse: Redacted {}
extension WalletState: Redacted {}
