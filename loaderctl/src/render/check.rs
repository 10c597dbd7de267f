//! What a check of results found.

use loader_proto::visible::visible;

use super::progress::state_name;
use crate::check::{Checked, Fault};

/// The verdict, then each fault on a line.
pub(crate) fn checked(checked: &Result<Checked, Fault>) -> String {
    match checked {
        Err(fault) => visible(&fault.to_string()).into_owned(),
        Ok(Checked { manifest, faults, extra }) => {
            let (run, count) = (&manifest.run_id, manifest.files.len());
            let mut lines = vec![match faults.len() {
                0 => format!("{run} ({}): all {count} files match", state_name(manifest.state())),
                bad => format!("{run} ({}): {bad} of {count} files do not match", state_name(manifest.state())),
            }];
            lines.extend(faults.iter().map(|fault| format!("  {}", visible(&fault.to_string()))));
            lines.extend(extra.iter().map(|file| format!("  {}: not part of the run, not checked", visible(file))));
            lines.join("\n")
        }
    }
}
