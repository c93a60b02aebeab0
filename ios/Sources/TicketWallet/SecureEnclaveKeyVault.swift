#if canImport(Security) && canImport(CryptoKit)
import CryptoKit
import Foundation
import Security
import TicketWalletCore

/// Keys in the Secure Enclave: P-256, never exported, for this device only, usable after the first unlock and with no
/// prompt, so that a barcode is redrawn and a lease renewed unattended.
///
/// The store's key is encrypted (ECIES with AES-GCM) to an Enclave key of its own. An app and its extensions share a
/// wallet through a keychain access group. The Simulator has no Enclave: there `requiresEnclave: false` keeps the keys
/// in the keychain.
public final class SecureEnclaveKeyVault: KeyVault {
    private let service: String
    private let accessGroup: String?
    private let requiresEnclave: Bool
    private static var algorithm: SecKeyAlgorithm { .eciesEncryptionCofactorVariableIVX963SHA256AESGCM }

    /// A vault.
    ///
    /// - Parameters:
    ///   - service: Goes before every key's name; another one is another vault.
    ///   - accessGroup: The keychain access group that app and extensions share; the app's own without it.
    ///   - requiresEnclave: `false` only for the Simulator.
    public init(service: String = "ticket-wallet", accessGroup: String? = nil, requiresEnclave: Bool = true) {
        self.service = service
        self.accessGroup = accessGroup
        self.requiresEnclave = requiresEnclave
    }

    /// Encrypts the store's key, making the wrapping key where there is none.
    public func seal(plaintext: Data, associatedData: Data) throws -> Data {
        let publicKey = try publicHalf(of: try findOrMake(storeKeyTag))
        // ECIES takes no associated data: its digest is encrypted and authenticated with the key.
        let message = Data(SHA256.hash(data: associatedData)) + plaintext
        var error: Unmanaged<CFError>?
        guard let sealed = SecKeyCreateEncryptedData(publicKey, Self.algorithm, message as CFData, &error) else {
            throw Self.failure(error, otherwise: .Failed(reason: "encryption failed"))
        }
        return sealed as Data
    }

    /// Decrypts what ``seal(plaintext:associatedData:)`` made with the same associated data.
    public func unseal(sealed: Data, associatedData: Data) throws -> Data {
        let key = try find(storeKeyTag)
        var error: Unmanaged<CFError>?
        guard let message = SecKeyCreateDecryptedData(key, Self.algorithm, sealed as CFData, &error) as Data? else {
            throw Self.failure(error, otherwise: .Invalidated)
        }
        let digest = Data(SHA256.hash(data: associatedData))
        guard message.starts(with: digest) else { throw KeyVaultError.Invalidated }
        return Data(message.dropFirst(digest.count))
    }

    /// Makes a key, or finds the one that is there; returns its public half.
    public func createKey(handle: String) throws -> Data {
        try exported(try findOrMake(tag(handle)))
    }

    /// The public half of a key.
    public func publicKey(handle: String) throws -> Data {
        try exported(try find(tag(handle)))
    }

    /// Signs with ECDSA over SHA-256.
    public func sign(handle: String, purpose: Purpose, message: Data) throws -> Data {
        let key = try find(tag(handle))
        var error: Unmanaged<CFError>?
        let algorithm = SecKeyAlgorithm.ecdsaSignatureMessageX962SHA256
        guard let signature = SecKeyCreateSignature(key, algorithm, message as CFData, &error) else {
            throw Self.failure(error, otherwise: .Failed(reason: "signing failed"))
        }
        return signature as Data
    }

    /// Deletes a key; one that is not there is deleted already.
    public func deleteKey(handle: String) throws {
        let status = SecItemDelete(query(tag(handle)) as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else { throw Self.failure(status) }
    }

    private var storeKeyTag: Data { Data("\(service)/store".utf8) }

    private func tag(_ handle: String) -> Data { Data("\(service)/ticket/\(handle)".utf8) }

    private func query(_ tag: Data) -> [CFString: Any] {
        var query: [CFString: Any] = [
            kSecClass: kSecClassKey,
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrKeyClass: kSecAttrKeyClassPrivate,
            kSecAttrApplicationTag: tag,
        ]
        query[kSecUseDataProtectionKeychain] = true
        if let accessGroup { query[kSecAttrAccessGroup] = accessGroup }
        return query
    }

    private func find(_ tag: Data) throws -> SecKey {
        var query = query(tag)
        query[kSecReturnRef] = true
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        guard status == errSecSuccess else { throw Self.failure(status) }
        guard let found, CFGetTypeID(found) == SecKeyGetTypeID() else { throw KeyVaultError.Missing }
        return unsafeDowncast(found, to: SecKey.self)
    }

    private func findOrMake(_ tag: Data) throws -> SecKey {
        do {
            return try find(tag)
        } catch KeyVaultError.Missing {
            return try make(tag)
        }
    }

    private func make(_ tag: Data) throws -> SecKey {
        var error: Unmanaged<CFError>?
        let flags: SecAccessControlCreateFlags = requiresEnclave ? .privateKeyUsage : []
        let accessible = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
        guard let access = SecAccessControlCreateWithFlags(nil, accessible, flags, &error) else {
            throw Self.failure(error, otherwise: .Failed(reason: "no access control"))
        }
        var own: [CFString: Any] = [
            kSecAttrIsPermanent: true,
            kSecAttrApplicationTag: tag,
            kSecAttrAccessControl: access,
        ]
        if let accessGroup { own[kSecAttrAccessGroup] = accessGroup }
        var attributes: [CFString: Any] = [
            kSecAttrKeyType: kSecAttrKeyTypeECSECPrimeRandom,
            kSecAttrKeySizeInBits: 256,
            kSecUseDataProtectionKeychain: true,
            kSecPrivateKeyAttrs: own,
        ]
        if requiresEnclave { attributes[kSecAttrTokenID] = kSecAttrTokenIDSecureEnclave }
        guard let key = SecKeyCreateRandomKey(attributes as CFDictionary, &error) else {
            throw Self.failure(error, otherwise: .Failed(reason: "the key could not be made"))
        }
        return key
    }

    private func publicHalf(of key: SecKey) throws -> SecKey {
        guard let publicKey = SecKeyCopyPublicKey(key) else { throw KeyVaultError.Invalidated }
        return publicKey
    }

    /// X9.63, uncompressed: 65 bytes.
    private func exported(_ key: SecKey) throws -> Data {
        var error: Unmanaged<CFError>?
        guard let bytes = SecKeyCopyExternalRepresentation(try publicHalf(of: key), &error) else {
            throw Self.failure(error, otherwise: .Invalidated)
        }
        return bytes as Data
    }

    private static func failure(_ error: Unmanaged<CFError>?, otherwise: KeyVaultError) -> KeyVaultError {
        guard let error = error?.takeRetainedValue() else { return otherwise }
        let code = OSStatus(truncatingIfNeeded: CFErrorGetCode(error))
        return known(code) ?? otherwise
    }

    private static func failure(_ status: OSStatus) -> KeyVaultError {
        known(status) ?? .Failed(reason: "the keychain answered \(status)")
    }

    private static func known(_ status: OSStatus) -> KeyVaultError? {
        switch status {
        case errSecInteractionNotAllowed: .Locked
        case errSecUserCanceled: .Cancelled
        case errSecItemNotFound: .Missing
        default: nil
        }
    }
}
#endif
