//! `/networks`.

use tare_engine::Engine;

use crate::request::Request;
use crate::response::{self, Outcome};

/// `GET /networks`.
pub(super) fn list(engine: &Engine, request: &Request) -> Outcome {
    response::ok(&engine.network_list(&request.query.filters()?)?)
}

/// `GET /networks/{id}`.
pub(super) fn inspect(engine: &Engine, id: &str, request: &Request) -> Outcome {
    let network = engine.network_inspect(id)?;
    let scope = request.query.text("scope");
    if !scope.is_empty() && scope != network.scope {
        return Err(tare_engine::Error::not_found(format!(
            "network {id} not found"
        )));
    }
    response::ok(&network)
}
