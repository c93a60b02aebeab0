//! Certificates of a test's own authority, servers with them, and a process that trusts them.

use std::env;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData as _};
use ring::digest::{SHA256, digest};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use ticket_wallet::model::CertificatePin;

use crate::tiny_server::{Answer, Asked, TinyServer};

/// The key of the authority that this process trusts: a file in PEM.
const KEY_FILE: &str = "TLS_TEST_AUTHORITY_KEY";
const ROOT: &str = "Root of the tests";

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, and those above it.
    pub(crate) chain: Vec<CertificateDer<'static>>,
}

/// A server's key and its certificates, its own first.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Authority {
    /// A root that nobody trusts.
    pub(crate) fn unknown() -> Self {
        Self::root(KeyPair::generate().unwrap())
    }

    /// The root that this process trusts.
    pub(crate) fn trusted() -> Self {
        let pem = std::fs::read_to_string(env::var(KEY_FILE).unwrap()).unwrap();
        Self::root(KeyPair::from_pem(&pem).unwrap())
    }

    fn root(key: KeyPair) -> Self {
        let params = authority_params(ROOT);
        let chain = vec![params.self_signed(&key).unwrap().der().clone()];
        Self { issuer: Issuer::new(params, key), chain }
    }

    /// An authority below this one.
    pub(crate) fn below(&self, name: &str) -> Self {
        self.below_with(name, KeyPair::generate().unwrap())
    }

    /// The same with a key that is there already.
    pub(crate) fn below_with(&self, name: &str, key: KeyPair) -> Self {
        let params = authority_params(name);
        let own = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let chain = [&[own], self.chain.as_slice()].concat();
        Self { issuer: Issuer::new(params, key), chain }
    }

    /// The pin of its key.
    pub(crate) fn pin(&self) -> CertificatePin {
        pin(self.issuer.key())
    }

    /// Its key, to be used elsewhere.
    pub(crate) fn key(&self) -> KeyPair {
        KeyPair::from_pem(&self.issuer.key().serialize_pem()).unwrap()
    }

    /// A server on this machine. The root is not sent, as usual.
    pub(crate) fn server(&self) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1", "localhost"].map(str::to_owned)).unwrap();
        let own = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let above = &self.chain[..self.chain.len() - 1];
        Identity { chain: [&[own], above].concat(), key }
    }
}

impl Identity {
    /// The same key with these certificates.
    pub(crate) fn with_chain(&self, chain: Vec<CertificateDer<'static>>) -> Self {
        Self { chain, key: KeyPair::from_pem(&self.key.serialize_pem()).unwrap() }
    }

    pub(crate) fn pin(&self) -> CertificatePin {
        pin(&self.key)
    }

    fn config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(self.chain.clone(), key).unwrap())
    }

    /// What a server shows from now on.
    pub(crate) fn shown(&self) -> Shown {
        Shown(Arc::new(Mutex::new(self.config())))
    }
}

/// What a server shows; it can be changed while it serves.
#[derive(Clone)]
pub(crate) struct Shown(Arc<Mutex<Arc<ServerConfig>>>);

impl Shown {
    pub(crate) fn change(&self, identity: &Identity) {
        *self.0.lock().unwrap() = identity.config();
    }

    pub(crate) fn serve(&self, answer: impl Fn(&Asked) -> Answer + Send + 'static) -> TinyServer {
        let config = Arc::clone(&self.0);
        let wrap = move |stream: TcpStream| {
            StreamOwned::new(ServerConnection::new(config.lock().unwrap().clone()).unwrap(), stream)
        };
        TinyServer::start_over("https", wrap, answer)
    }
}

fn pin(key: &KeyPair) -> CertificatePin {
    let sha256 = BASE64.encode(digest(&SHA256, &key.subject_public_key_info()));
    CertificatePin { sha256, expires_at: None }
}

/// A pin of a key that no server has.
pub(crate) fn other_pin() -> CertificatePin {
    pin(&KeyPair::generate().unwrap())
}

/// Runs a test's body in a process of its own, which trusts [`Authority::trusted`] and no other: what a process trusts is
/// settled when it starts. `test` is the test's name.
pub(crate) fn trusting(test: &str, body: impl Future<Output = ()>) {
    if env::var_os(KEY_FILE).is_some() {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        return builder.worker_threads(2).enable_all().build().unwrap().block_on(body);
    }
    let folder = tempfile::tempdir().unwrap();
    let (key_file, roots) = (folder.path().join("key.pem"), folder.path().join("roots.pem"));
    let authority = Authority::unknown();
    std::fs::write(&key_file, authority.issuer.key().serialize_pem()).unwrap();
    std::fs::write(&roots, pem(&authority.chain[0])).unwrap();
    let output = with_roots(&roots)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(KEY_FILE, &key_file)
        .output()
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    assert!(said(&output.stdout).contains("1 passed"), "{}", said(&output.stdout));
}

fn with_roots(roots: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env("SSL_CERT_FILE", roots).env_remove("SSL_CERT_DIR");
    command
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = BASE64.encode(certificate);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
