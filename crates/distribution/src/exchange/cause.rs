//! Why a connection failed, in the words Docker's users search for.

use std::io;

use reqwest::Url;
use rustls::{AlertDescription, CertificateError};

use super::{Outgoing, verb};
use crate::endpoint::authority;
use crate::error::Error;

/// The error for a request that got no answer, or only part of it.
pub(super) fn failure(outgoing: &Outgoing, error: &reqwest::Error) -> Error {
    let (method, url) = (verb(&outgoing.method), outgoing.url.to_string());
    let cause = cause(&outgoing.url, error);
    if error.is_connect() {
        Error::Dial { method, url, cause }
    } else {
        Error::Exchange { method, url, cause }
    }
}

/// The error for an answer that did not come in time.
pub(super) fn timeout(outgoing: &Outgoing) -> Error {
    Error::Exchange {
        method: verb(&outgoing.method),
        url: outgoing.url.to_string(),
        cause: "i/o timeout".to_owned(),
    }
}

fn cause(url: &Url, error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    let mut lookup = false;
    let mut system = None;
    let mut tls = None;
    while let Some(source) = innermost.source() {
        // The client has no type for this stage, only its name.
        lookup |= source.to_string() == "dns error";
        if let Some(error) = source.downcast_ref::<io::Error>() {
            let (code, handshake) = within(error);
            system = code.or(system);
            tls = handshake.or(tls);
        }
        tls = source.downcast_ref::<rustls::Error>().or(tls);
        innermost = source;
    }
    if lookup {
        let host = url.host_str().unwrap_or_default();
        return format!("dial tcp: lookup {host}: no such host");
    }
    if let Some(tls) = tls {
        return handshake(tls);
    }
    let address = match url.port_or_known_default() {
        Some(port) if url.port().is_none() => format!("{}:{port}", authority(url)),
        _ => authority(url),
    };
    if let Some(errno) = system {
        let text = rustix::io::Errno::from_raw_os_error(errno);
        let text = match text {
            rustix::io::Errno::CONNREFUSED => "connection refused".to_owned(),
            rustix::io::Errno::HOSTUNREACH => "no route to host".to_owned(),
            rustix::io::Errno::NETUNREACH => "network is unreachable".to_owned(),
            rustix::io::Errno::TIMEDOUT => "connection timed out".to_owned(),
            rustix::io::Errno::CONNRESET => "connection reset by peer".to_owned(),
            other => io::Error::from(other).to_string(),
        };
        return if error.is_connect() {
            format!("dial tcp {address}: connect: {text}")
        } else {
            format!("read tcp {address}: {text}")
        };
    }
    if error.is_timeout() {
        return format!("dial tcp {address}: i/o timeout");
    }
    match innermost.to_string() {
        text if text.contains("end of file") || text.contains("message completed") => {
            "unexpected EOF".to_owned()
        }
        text => text,
    }
}

/// What an I/O error wraps. Its own `source` leaves out the error it was made of,
/// and the client wraps more than once.
fn within(error: &io::Error) -> (Option<i32>, Option<&rustls::Error>) {
    let mut error = error;
    loop {
        let Some(inner) = error.get_ref() else {
            return (error.raw_os_error(), None);
        };
        match inner.downcast_ref::<io::Error>() {
            Some(nested) => error = nested,
            None => return (None, inner.downcast_ref()),
        }
    }
}

/// TLS failures, with the remedy where there is one.
fn handshake(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => "tls: failed to verify certificate: x509: certificate signed by unknown authority"
            .to_owned(),
        rustls::Error::InvalidCertificate(cause) => {
            format!("tls: failed to verify certificate: x509: {cause}")
        }
        rustls::Error::InvalidMessage(_) => {
            "http: server gave HTTP response to HTTPS client".to_owned()
        }
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::BadCertificate,
        ) => "tls: the registry wants a client certificate".to_owned(),
        other => format!("tls: {other}"),
    }
}
