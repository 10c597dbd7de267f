//! What the commands have in common: the daemon's address, credentials and the output format.

use loader_proto::json::visible;

use crate::{
    Ending, Failure,
    address::Address,
    client::Daemon,
    credentials::Credentials,
    output::{self, Format},
};

/// The global options, which every command gets.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) address: Address,
    pub(super) credentials: Credentials,
    pub(super) format: Format,
}

impl Session {
    /// Connects to the daemon.
    ///
    /// # Errors
    /// The daemon cannot be reached, or a file of the credentials cannot be read.
    pub(super) async fn daemon(&self) -> Result<Daemon, Failure> {
        Daemon::connect(&self.address, &self.credentials).await
    }

    /// Prints a response: the message as JSON, or its table.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(super) fn print<M: prost::Name + Default>(
        &self,
        message: &M,
        table: impl FnOnce(&M) -> String,
    ) -> Result<Ending, Failure> {
        match self.format {
            Format::Table => output::text(&table(&visible(message)))?,
            Format::Json => output::message(message)?,
        }
        Ok(Ending::Done)
    }
}
