//! `import`: the spec that a configuration of InVitro becomes.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{self, Path, PathBuf},
};

use loader_proto::{
    json::{self, Fault, from_value, to_yaml},
    v1::RunSpec,
};
use serde_json::Value;

use super::session::Session;
use crate::{
    Ending, Failure,
    cli::ImportArguments,
    document::{Document, set},
    invitro::{self, Beside, Converted},
    output::{self, Format, note},
};

/// Converts a configuration, and prints the spec or writes it to a file.
pub(super) fn import(session: &Session, arguments: &ImportArguments) -> Result<Ending, Failure> {
    let ImportArguments { file, failure, to, lenient, force } = arguments;
    let mut converted = convert(file, *lenient)?;
    if let Some(failure) = failure {
        invitro::disturb(&mut converted, &document(failure)?, *lenient);
    }
    let Converted { mut document, notes, faults, .. } = converted;
    if !faults.is_empty() {
        return Err(Failure::Faults(faults));
    }
    place_trace(&mut document, file, to.as_deref())
        .map_err(|source| Failure::System { doing: "cannot tell the current directory".to_owned(), source })?;
    let (spec, faults) = from_value::<RunSpec>(&Value::Object(document));
    if !faults.is_empty() {
        return Err(Failure::Faults(faults));
    }
    let text = comments(file, &notes) + &to_yaml(&spec);
    match (to, session.format) {
        (Some(to), _) => {
            write(to, &text, *force)?;
            notes.iter().for_each(|line| note(line));
            note(&format!("the spec is in {}", to.display()));
        }
        (None, Format::Table) => output::text(&text)?,
        (None, Format::Json) => {
            notes.iter().for_each(|line| note(line));
            output::message(&spec)?;
        }
    }
    Ok(Ending::Done)
}

/// Reads a configuration of InVitro and converts it.
fn convert(file: &Path, lenient: bool) -> Result<Converted, Failure> {
    let converted = invitro::read(&document(file)?, Some(file), Beside::default(), lenient);
    converted.ok_or_else(|| Failure::Input(format!("{} is no configuration of InVitro", file.display())))
}

/// Reads the keys of a file.
pub(super) fn document(file: &Path) -> Result<Document, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| Failure::Input(format!("cannot read {}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| unreadable(&error))?;
    let document = json::document(&text).map_err(|Fault { description, .. }| unreadable(&description))?;
    if let Value::Object(document) = document { Ok(document) } else { Err(unreadable(&"it holds no keys")) }
}

/// Makes the trace's path, which starts where the configuration lies, one that starts where the spec will lie.
fn place_trace(document: &mut Document, file: &Path, to: Option<&Path>) -> io::Result<()> {
    let path = document.get("trace").and_then(|trace| trace.get("path")).and_then(Value::as_str).map(PathBuf::from);
    let Some(path) = path.filter(|path| path.is_relative()) else { return Ok(()) };
    let folder = |file: &Path| file.parent().map(Path::to_owned).unwrap_or_default();
    let (from, to_folder) = (folder(file), to.map(folder));
    let placed = match to_folder {
        // Printed: as from here.
        None => from.join(path),
        Some(there) if path::absolute(from.join("."))? == path::absolute(there.join("."))? => path,
        Some(_) => path::absolute(from.join(path))?,
    };
    set(document, "trace.path", Some(placed.to_string_lossy().into_owned().into()));
    Ok(())
}

/// Where a document comes from and what was dropped, as comments of YAML.
pub(super) fn comments(file: &Path, notes: &[String]) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!("# From InVitro's {name}.\n");
    for line in notes {
        // Text takes everything.
        let _written = writeln!(text, "# {}", line.replace(['\n', '\r'], " "));
    }
    text
}

/// Writes a file that gets its name once it is whole.
pub(super) fn write(to: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let failed = |source: io::Error| Failure::System { doing: format!("cannot write {}", to.display()), source };
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // As any new file: the user's mask takes its part.
    let mut new = tempfile::Builder::new();
    let mut file = new.permissions(fs::Permissions::from_mode(0o666)).tempfile_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    if force {
        file.persist(to).map_err(|error| failed(error.error))?;
        return Ok(());
    }
    match file.persist_noclobber(to) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Failure::Input(format!("{} exists; --force overwrites it", to.display())))
        }
        Err(error) => Err(failed(error.error)),
    }
}
