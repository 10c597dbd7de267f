//! `dashboard`: the address of the live page.

use loader_proto::v1::{CreatePageAddressRequest, CreatePageAddressResponse};

use super::{browser, session::Session};
use crate::{Ending, Failure, cli::DashboardArguments, output::note};

/// Prints the address, and opens it.
pub(super) async fn dashboard(session: &Session, arguments: &DashboardArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    let created = daemon.api.clone().create_page_address(CreatePageAddressRequest {}).await;
    let created = created.map_err(|status| daemon.failure(status))?.into_inner();
    let CreatePageAddressResponse { address, expires_in } = &created;
    let ending = session.print(&created, |created| created.address.clone())?;
    if let Some(expires_in) = expires_in {
        note(&format!("it can be opened once, within {} seconds", expires_in.seconds));
    }
    if !session.address.is_local() && is_loopback(address) {
        note("it is an address of the daemon's own machine: open it there, or by a tunnel such as ssh -L");
    }
    if arguments.open {
        browser::show(address);
    }
    Ok(ending)
}

/// Whether the host of an address is this machine, wherever it is read.
fn is_loopback(address: &str) -> bool {
    let authority = address.split("://").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
    authority.parse().is_ok_and(|address: std::net::SocketAddr| address.ip().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_loopback_is_seen() {
        for (address, expected) in [
            ("http://127.0.0.1:9480/", true),
            ("http://[::1]:9480/#code=12", true),
            ("https://10.0.0.7:9480/", false),
            ("https://loader.example:9480/", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(address), expected, "{address}");
        }
    }
}
