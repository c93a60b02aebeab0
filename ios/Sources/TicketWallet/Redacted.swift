import TicketWalletCore

/// A value that shows nothing of itself in logs, crash reports and string interpolation.
public protocol Redacted: CustomStringConvertible, CustomReflectable {}

extension Redacted {
    /// The type's name alone.
    public var description: String { "\(Self.self)(…)" }
    /// No children: `dump` and debuggers' reflection see nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SignIn: Redacted {}
extension SignedIn: Redacted {}
extension BrowserSignIn: Redacted {}
extension CodeSignIn: Redacted {}
extension UnidyConfig: Redacted {}
extension TicketingConfig: Redacted {}
extension Account: Redacted {}
extension AccountDiagnosis: Redacted {}
extension Diagnosis: Redacted {}
extension TokenClaim: Redacted {}
extension Certificate: Redacted {}
extension Presentation: Redacted {}
extension QrMatrix: Redacted {}
extension TicketSummary: Redacted {}
extension TicketDetail: Redacted {}
extension EventGroup: Redacted {}
extension Document: Redacted {}
extension Order: Redacted {}
extension Offer: Redacted {}
extension LedgerSale: Redacted {}
extension Offering: Redacted {}
extension Listing: Redacted {}
extension MarketPage: Redacted {}
extension Purchase: Redacted {}
extension OutboxItem: Redacted {}
extension Transfer: Redacted {}
extension IncomingTransfer: Redacted {}
extension Reservation: Redacted {}
extension GroupOrder: Redacted {}
extension OfficeWrite: Redacted {}
extension OfficeTicket: Redacted {}
extension OfficePage: Redacted {}
extension ServerTicketPage: Redacted {}
extension Product: Redacted {}
extension ProductFields: Redacted {}
extension HolderForm: Redacted {}
extension HttpHeader: Redacted {}
extension HttpRequest: Redacted {}
extension HttpResponse: Redacted {}
extension WalletState: Redacted {}
extension AdmissionToken: Redacted {}
extension TokenPage: Redacted {}
extension GateAccess: Redacted {}
extension GateSignIn: Redacted {}
extension LedgerDelta: Redacted {}
extension MergeReport: Redacted {}
extension AdmissionOrder: Redacted {}
extension Admission: Redacted {}
extension AdmissionQuery: Redacted {}
extension AdmissionPage: Redacted {}
extension NonceEpoch: Redacted {}
extension ManifestTicket: Redacted {}
extension ManifestRequest: Redacted {}
extension UnidyFields: Redacted {}
extension SectionTransfer: Redacted {}
extension SectionTransferPage: Redacted {}
extension SectionOrder: Redacted {}
extension SectionOrderPage: Redacted {}
