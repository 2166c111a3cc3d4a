//! What a user proves his identity with.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Credentials for one registry.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// None.
    #[default]
    Anonymous,
    /// A user name with its password or personal access token.
    Basic {
        /// The account.
        username: String,
        /// Its secret.
        password: String,
    },
    /// An OAuth2 refresh token, exchanged for access tokens.
    IdentityToken(String),
    /// A bearer token that the registry takes as it is.
    RegistryToken(String),
}

impl Credentials {
    /// Whether there are none.
    pub fn is_anonymous(&self) -> bool {
        *self == Self::Anonymous
    }
}

/// Secrets never reach a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("Anonymous"),
            Self::Basic { username, .. } => write!(formatter, "Basic({username})"),
            Self::IdentityToken(_) => formatter.write_str("IdentityToken"),
            Self::RegistryToken(_) => formatter.write_str("RegistryToken"),
        }
    }
}

impl Hash for Credentials {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Anonymous => 0_u8.hash(state),
            Self::Basic { username, password } => (1_u8, username, password).hash(state),
            Self::IdentityToken(token) => (2_u8, token).hash(state),
            Self::RegistryToken(token) => (3_u8, token).hash(state),
        }
    }
}
