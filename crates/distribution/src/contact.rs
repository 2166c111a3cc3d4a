//! The first contact with an endpoint: which scheme it speaks and what it asks
//! for, remembered for a few minutes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Method, Url};

use crate::challenge::Challenge;
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::{Outgoing, challenges, refusal};

/// How long a contact is believed.
const LIFETIME: Duration = Duration::from_secs(300);

/// How to speak to an endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    /// The URL that answered.
    pub(crate) base: Url,
    /// What it asks for, if anything.
    pub(crate) challenge: Option<Challenge>,
}

/// What is remembered, by the endpoint's first URL.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    known: Mutex<HashMap<Url, (Contact, Instant)>>,
}

impl Contacts {
    fn get(&self, endpoint: &Endpoint) -> Option<Contact> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (contact, at) = known.get(&endpoint.bases[0])?;
        (at.elapsed() < LIFETIME).then(|| contact.clone())
    }

    /// Remembers.
    pub(crate) fn put(&self, endpoint: &Endpoint, contact: Contact) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, at)| at.elapsed() < LIFETIME);
        known.insert(endpoint.bases[0].clone(), (contact, Instant::now()));
    }

    /// Forgets: the endpoint does not behave as remembered.
    pub(crate) fn forget(&self, endpoint: &Endpoint) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&endpoint.bases[0]);
    }
}

impl Client {
    /// How to speak to `endpoint`: as remembered, or by asking for `/v2/` at each of
    /// its URLs until one answers.
    pub(crate) async fn contact(&self, endpoint: &Endpoint) -> Result<Contact, Error> {
        if let Some(contact) = self.inner.contacts.get(endpoint) {
            return Ok(contact);
        }
        let mut failure = None;
        for base in endpoint.bases.iter() {
            let outgoing = Outgoing::new(Method::GET, under(base, ""));
            let response = match self.once(&outgoing).await {
                Ok(response) => response,
                Err(error) => {
                    tracing::debug!(%error, "no contact");
                    failure = Some(error);
                    continue;
                }
            };
            let status = response.status().as_u16();
            if status == 429 || status >= 500 {
                return Err(refusal(response, &outgoing).await);
            }
            let challenge = prefer(challenges(&response));
            let contact = Contact {
                base: base.clone(),
                challenge,
            };
            self.inner.contacts.put(endpoint, contact.clone());
            return Ok(contact);
        }
        // An endpoint has at least one URL, so a failure is there.
        Err(failure.unwrap_or_else(|| Error::Tls {
            cause: "no URL to try".to_owned(),
        }))
    }
}

/// `<base>/v2/<path>`. The path's parts are of a reference's alphabet, so nothing
/// needs escaping.
pub(crate) fn under(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/v2/{path}", base.path().trim_end_matches('/')));
    url
}

/// The challenge answered when there are several: a token before a password.
pub(crate) fn prefer(challenges: Vec<Challenge>) -> Option<Challenge> {
    let bearer = challenges
        .iter()
        .position(|one| matches!(one, Challenge::Bearer(_)));
    challenges.into_iter().nth(bearer.unwrap_or(0))
}
