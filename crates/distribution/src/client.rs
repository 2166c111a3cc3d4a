//! The registry client: one per engine, its clones share what it remembers.

use std::sync::Arc;

use crate::config::{Config, Patience};
use crate::contact::Contacts;
use crate::endpoint::{Endpoint, Registries};
use crate::error::Error;
use crate::token::Tokens;
use crate::transport::Transport;

/// Speaks to registries. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) patience: Patience,
    pub(crate) transport: Transport,
    pub(crate) contacts: Contacts,
    pub(crate) tokens: Tokens,
}

impl Client {
    /// A client with these settings. Nothing is contacted and no authority is read
    /// before the first request.
    pub fn new(config: Config) -> Result<Self, Error> {
        let registries = Registries::new(&config)?;
        Ok(Self {
            inner: Arc::new(Inner {
                patience: config.patience,
                transport: Transport::new(&config, registries),
                contacts: Contacts::default(),
                tokens: Tokens::default(),
            }),
        })
    }

    /// Where the registry `domain` can be reached, mirrors first.
    pub(crate) fn endpoints(&self, domain: &str) -> Result<Vec<Endpoint>, Error> {
        let transport = &self.inner.transport;
        transport
            .registries()
            .endpoints(domain, |url| transport.has_certificates(url))
    }
}
