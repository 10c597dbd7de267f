//! `token`: generates a bearer token.

use std::{
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
};

use clap::ValueEnum as _;
use sha2::{Digest as _, Sha256};

use super::session::Session;
use crate::{Ending, Failure, cli::TokenArguments, output, output::Format};

/// Random bytes of a token.
const BYTES: usize = 32;

/// Writes a new token to its file, and prints the line for `[access.tokens]`. The token itself is not printed.
pub(super) fn token(session: &Session, arguments: &TokenArguments) -> Result<Ending, Failure> {
    let TokenArguments { name, role, to } = arguments;
    let failed = |source| Failure::System { doing: format!("cannot write {}", to.display()), source };
    let token = random().map_err(|source| Failure::System { doing: "cannot generate a token".to_owned(), source })?;
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(to);
    file.and_then(|mut file| writeln!(file, "{token}")).map_err(failed)?;
    let sha256 = hex(&Sha256::digest(token.as_bytes()));
    let role = role.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    match session.format {
        Format::Table => output::text(&format!("{name} = {{ role = \"{role}\", sha256 = \"{sha256}\" }}"))?,
        Format::Json => {
            output::text(&serde_json::json!({"name": name, "role": role, "sha256": sha256}).to_string())?;
        }
    }
    output::note(&format!("token written to {}; add the line above to [access.tokens] in loaderd.toml", to.display()));
    Ok(Ending::Done)
}

fn random() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}
