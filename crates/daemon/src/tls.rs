//! TLS for `tcp://` addresses: the daemon's certificate, and the certificate
//! authority whose clients it serves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

/// The directory of the files that are not named.
const DIRECTORY: &str = "/etc/tare";

/// Why TLS cannot be spoken.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    /// A file cannot be read, or holds nothing of its kind.
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: pem::Error },
    /// A certificate of the authority is none.
    #[error("cannot use {path}: {source}")]
    Authority {
        path: PathBuf,
        source: rustls::Error,
    },
    /// The authority's certificates do not make a verifier.
    #[error("cannot use {path}: {source}")]
    Verifier {
        path: PathBuf,
        source: rustls::server::VerifierBuilderError,
    },
    /// Certificate and key do not go together.
    #[error("cannot use {certificate} with {key}: {source}")]
    Pair {
        certificate: PathBuf,
        key: PathBuf,
        source: rustls::Error,
    },
}

/// The files TLS is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    /// The authority that clients' certificates must come from; without it any
    /// client is served.
    pub(crate) authority: Option<PathBuf>,
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    /// The files as named, or with their usual names in `/etc/tare`.
    pub(crate) fn new(
        verify: bool,
        authority: Option<PathBuf>,
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
    ) -> Self {
        let or_usual =
            |path: Option<PathBuf>, name| path.unwrap_or_else(|| Path::new(DIRECTORY).join(name));
        Self {
            authority: verify.then(|| or_usual(authority, "ca.pem")),
            certificate: or_usual(certificate, "cert.pem"),
            key: or_usual(key, "key.pem"),
        }
    }

    /// Reads the files.
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pair = |source| TlsError::Pair {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions();
        let builder = builder.map_err(pair)?;
        let builder = match &self.authority {
            Some(path) => builder.with_client_cert_verifier(verifier(path, provider)?),
            None => builder.with_no_client_auth(),
        };
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|source| TlsError::Read {
            path: self.key.clone(),
            source,
        })?;
        let config = builder
            .with_single_cert(certificates(&self.certificate)?, key)
            .map_err(pair)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::Read {
        path: path.to_owned(),
        source,
    };
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    if found.is_empty() {
        return Err(failed(pem::Error::NoItemsFound));
    }
    Ok(found)
}

fn verifier(
    path: &Path,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|source| TlsError::Authority {
                path: path.to_owned(),
                source,
            })?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|source| TlsError::Verifier {
            path: path.to_owned(),
            source,
        })
}
