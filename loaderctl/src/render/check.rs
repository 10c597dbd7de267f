//! What a check of results found.

use super::progress::state_name;
use crate::check::{Checked, Fault};

/// The verdict, then each fault on a line.
pub(crate) fn checked(checked: &Result<Checked, Fault>) -> String {
    match checked {
        Err(fault) => fault.to_string(),
        Ok(Checked { manifest, faults, extra }) => {
            let (run, count) = (&manifest.run_id, manifest.files.len());
            let mut lines = vec![match faults.len() {
                0 => format!("{run} ({}): all {count} files match", state_name(manifest.state())),
                bad => format!("{run} ({}): {bad} of {count} files do not match", state_name(manifest.state())),
            }];
            lines.extend(faults.iter().map(|fault| format!("  {fault}")));
            lines.extend(extra.iter().map(|file| format!("  {file}: not part of the run, not checked")));
            lines.join("\n")
        }
    }
}
