//! Listening sockets.
//!
//! On disk: the unix sockets, mode 0660 and of the docker group, removed again
//! when the daemon ends. A crash leaves them behind; the next daemon replaces a
//! socket that nobody answers at, and leaves alone one that somebody does.

use std::fs;
use std::io;
use std::net::TcpListener as StdTcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::{AddressFamily, sockopt};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_rustls::TlsAcceptor;
use tracing::warn;

use crate::activation;
use crate::address::{Address, DOCKER_SOCKET};
use crate::config::Config;
use crate::group;
use crate::stream::Stream;
use crate::tls::{Files, TlsError};

/// Groups that may use the socket when none is named, first found first.
const GROUPS: [&str; 2] = ["docker", "tare"];

/// How long TLS's handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why an address cannot be listened at.
#[derive(Debug, Error)]
pub(crate) enum ListenError {
    /// Another engine, Docker's or one of ours, has the socket.
    #[error(
        "cannot listen at {0}: another engine answers there; stop it, or use another address with -H"
    )]
    Taken(String),
    /// Something that is no socket is in its place.
    #[error("cannot listen at {0}: there is a file in its place that is no socket")]
    NoSocket(String),
    /// The named group does not exist.
    #[error("group {0} not found")]
    Group(String),
    /// The service manager passed no such socket.
    #[error("cannot listen at {0}: no such socket was passed by the service manager")]
    NotPassed(String),
    /// The files of TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The kernel refused.
    #[error("cannot listen at {address}: {source}")]
    System { address: String, source: io::Error },
}

/// A socket that accepts connections.
pub(crate) enum Listener {
    /// A unix socket.
    Unix(UnixListener),
    /// A TCP socket, with TLS or without.
    Tcp(TcpListener, Option<TlsAcceptor>),
}

/// A connection whose client may still have to say who it is.
pub(crate) enum Arrival {
    /// A connection that is ready.
    Ready(Stream),
    /// A connection that begins with TLS's handshake.
    Handshake(TcpStream, TlsAcceptor),
}

impl Listener {
    /// The next connection.
    pub(crate) async fn accept(&self) -> io::Result<Arrival> {
        match self {
            Self::Unix(listener) => Ok(Arrival::Ready(Stream::Unix(listener.accept().await?.0))),
            Self::Tcp(listener, acceptor) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(match acceptor {
                    None => Arrival::Ready(Stream::Tcp(stream)),
                    Some(acceptor) => Arrival::Handshake(stream, acceptor.clone()),
                })
            }
        }
    }
}

impl Arrival {
    /// The connection, after the handshake.
    pub(crate) async fn establish(self) -> io::Result<Stream> {
        match self {
            Self::Ready(stream) => Ok(stream),
            Self::Handshake(stream, acceptor) => {
                let established = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
                Ok(Stream::Tls(Box::new(
                    established.map_err(|_| io::ErrorKind::TimedOut)??,
                )))
            }
        }
    }
}

/// All sockets of a daemon; the unix ones it made vanish with it.
#[derive(Default)]
pub(crate) struct Listeners {
    /// The sockets.
    pub(crate) sockets: Vec<Listener>,
    made: Vec<PathBuf>,
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for path in &self.made {
            // Somebody may have removed it by hand.
            let _ = fs::remove_file(path);
        }
    }
}

impl Listeners {
    /// Listens at every address. Runs within the runtime that will accept.
    ///
    /// Docker's socket is only a convenience when nobody asked for it: it is
    /// left alone when it exists and cannot be had.
    pub(crate) fn bind(config: &Config) -> Result<Self, ListenError> {
        let mut listeners = Self::default();
        let mut passed = activation::sockets();
        let tls = config.tls.as_ref().map(Files::acceptor).transpose()?;
        for address in &config.addresses {
            let optional =
                config.default_addresses && *address == Address::Unix(DOCKER_SOCKET.into());
            match listeners.add(address, config.group.as_deref(), tls.as_ref(), &mut passed) {
                Ok(()) => {}
                Err(error) if optional => warn!("{error}"),
                Err(error) => return Err(error),
            }
        }
        Ok(listeners)
    }

    fn add(
        &mut self,
        address: &Address,
        group: Option<&str>,
        tls: Option<&TlsAcceptor>,
        passed: &mut Vec<activation::Socket>,
    ) -> Result<(), ListenError> {
        let system = |source| ListenError::System {
            address: address.to_string(),
            source,
        };
        match address {
            Address::Unix(path) => {
                clear(path, address)?;
                let socket = make_socket(path, group, address)?;
                self.made.push(path.clone());
                let listener = UnixListener::from_std(socket).map_err(system)?;
                self.sockets.push(Listener::Unix(listener));
            }
            Address::Inherited(name) => {
                let chosen: Vec<_> = passed
                    .extract_if(.., |socket| name.is_empty() || socket.name == *name)
                    .collect();
                if chosen.is_empty() {
                    return Err(ListenError::NotPassed(address.to_string()));
                }
                for socket in chosen {
                    self.sockets
                        .push(adopt(socket.descriptor, tls).map_err(system)?);
                }
            }
            Address::Tcp(host) => {
                let socket = StdTcpListener::bind(host).map_err(system)?;
                socket.set_nonblocking(true).map_err(system)?;
                let socket = TcpListener::from_std(socket).map_err(system)?;
                self.sockets.push(Listener::Tcp(socket, tls.cloned()));
            }
        }
        Ok(())
    }
}

/// Removes a socket that nobody answers at.
fn clear(path: &Path, address: &Address) -> Result<(), ListenError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            return Err(ListenError::System {
                address: address.to_string(),
                source,
            });
        }
    };
    if !metadata.file_type().is_socket() {
        return Err(ListenError::NoSocket(address.to_string()));
    }
    match StdUnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path)
            .map_err(|source| ListenError::System {
                address: address.to_string(),
                source,
            }),
        _ => Err(ListenError::Taken(address.to_string())),
    }
}

/// Makes a socket that only root and its group may connect to.
///
/// It is bound under a name of its own, given its owner and mode, and moved to
/// its place, so that it is never there with others' rights and never there
/// without a listener behind it.
fn make_socket(
    path: &Path,
    group: Option<&str>,
    address: &Address,
) -> Result<StdUnixListener, ListenError> {
    let system = |source| ListenError::System {
        address: address.to_string(),
        source,
    };
    let group = match group {
        Some(name) => Some(find_group(name).ok_or_else(|| ListenError::Group(name.to_owned()))?),
        None => GROUPS.iter().find_map(|name| find_group(name)),
    };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(system)?;
    }
    let mut interim = path.as_os_str().to_owned();
    interim.push(format!(".{}", std::process::id()));
    let interim = PathBuf::from(interim);
    let _ = fs::remove_file(&interim);
    let socket = StdUnixListener::bind(&interim).map_err(system)?;
    let prepared = (|| {
        std::os::unix::fs::chown(&interim, Some(0), Some(group.unwrap_or(0)))?;
        fs::set_permissions(&interim, fs::Permissions::from_mode(0o660))?;
        socket.set_nonblocking(true)?;
        fs::rename(&interim, path)
    })();
    if let Err(source) = prepared {
        let _ = fs::remove_file(&interim);
        return Err(system(source));
    }
    Ok(socket)
}

fn find_group(name: &str) -> Option<u32> {
    group::find(&fs::read_to_string("/etc/group").unwrap_or_default(), name)
}

/// Takes over a socket that was passed.
fn adopt(descriptor: OwnedFd, tls: Option<&TlsAcceptor>) -> io::Result<Listener> {
    let family = sockopt::socket_domain(descriptor.as_fd())?;
    set_nonblocking(descriptor.as_fd())?;
    if family == AddressFamily::UNIX {
        return UnixListener::from_std(StdUnixListener::from(descriptor)).map(Listener::Unix);
    }
    TcpListener::from_std(StdTcpListener::from(descriptor))
        .map(|socket| Listener::Tcp(socket, tls.cloned()))
}

fn set_nonblocking(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(descriptor)?;
    Ok(rustix::fs::fcntl_setfl(
        descriptor,
        flags | rustix::fs::OFlags::NONBLOCK,
    )?)
}
