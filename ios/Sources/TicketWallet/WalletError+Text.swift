import Foundation
import TicketWalletCore

extension WalletError {
    /// A stable name for logs and support, for example `needs_recovery`.
    public var code: String {
        walletErrorCode(error: self)
    }

    /// What happened and what helps, in English and without personal data.
    public var reason: String {
        switch self {
        case .InvalidInput(_, let reason), .KeyUnavailable(let reason), .NeedsRecovery(_, let reason),
            .NeedsSignIn(let reason), .Unreachable(let reason, _), .Refused(let reason, _, _),
            .UpgradeNeeded(let reason), .ServerFault(let reason, _, _), .PermissionDenied(let reason, _),
            .NoBarcode(_, let reason), .NotOffered(_, let reason), .ManifestRefused(_, let reason), .NotFound(let reason),
            .Cancelled(let reason), .Paused(let reason), .InUse(let reason), .OutboxFull(let reason), .Storage(let reason), .Internal(let reason):
            reason
        }
    }
}

extension WalletError: LocalizedError {
    /// ``reason``: what `localizedDescription` shows.
    public var errorDescription: String? {
        reason
    }
}
