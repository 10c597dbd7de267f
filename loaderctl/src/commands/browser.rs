//! Shows files and addresses in the browser.

use std::process::{Command, Stdio};

use crate::output::note;

/// Shows a file or an address. That there is no browser is no failure: it can be opened elsewhere.
pub(super) fn show(what: &str) {
    let opened =
        Command::new("xdg-open").arg(what).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !opened.is_ok_and(|status| status.success()) {
        note(&format!("no browser could be started; open {what} in one"));
    }
}
