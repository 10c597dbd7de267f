//! The list of runs: searched, and with what their verdicts come to.

use loader_report::{
    live::{Listed, Search},
    page::Outlook,
};

use super::handles::Inner;
use crate::{id::RunId, registry::RegistryError, run::RunView};

/// Runs of a page.
const SHOWN: usize = 50;

/// Runs that are looked at together.
const PIECE: usize = 500;

/// What is asked of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Question {
    /// Words that a run must have.
    pub(super) text: String,
    /// Where the page begins.
    pub(super) before: Option<RunId>,
}

impl Question {
    /// By the query of a request; what it does not understand is left out.
    pub(super) fn of(query: &str) -> Self {
        let mut question = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "q" => question.text = value.chars().take(200).collect(),
                "before" => question.before = value.parse().ok(),
                _ => {}
            }
        }
        question
    }

    fn fits(&self, view: &RunView) -> bool {
        let file = &view.file;
        let parts = [&file.name, file.run_id.as_str(), &file.mode, &file.platform, file.state.as_str()];
        let parts = parts.map(str::to_lowercase);
        self.text.to_lowercase().split_whitespace().all(|word| parts.iter().any(|part| part.contains(word)))
    }
}

/// The runs that fit, newest first, and where the next page begins.
pub(super) async fn list(page: &Inner, question: Question) -> Result<(Vec<Listed>, Search), RegistryError> {
    let (mut found, mut from) = (Vec::new(), question.before.clone());
    loop {
        let piece = page.registry.list(from, Vec::new(), PIECE).await?;
        from = piece.runs.last().map(|view| view.file.run_id.clone());
        found.extend(piece.runs.into_iter().filter(|view| question.fits(view)));
        if found.len() > SHOWN || !piece.more {
            break;
        }
    }
    let more = found.len() > SHOWN;
    found.truncate(SHOWN);
    let next = found.last().filter(|_| more).map(|view| view.file.run_id.to_string());
    let ended = found.iter().map(|view| &view.file).filter(|file| file.state.is_terminal());
    let ended = ended.map(|file| (file.run_id.clone(), page.store.directory(&file.run_id).path().to_owned()));
    let outlooks = page.outlooks.of(ended.collect()).await;
    let listed = found.iter().map(|view| listed(view, outlooks.get(&view.file.run_id))).collect();
    Ok((listed, Search { text: question.text, next, is_later_page: question.before.is_some() }))
}

fn listed(view: &RunView, outlook: Option<&Outlook>) -> Listed {
    let file = &view.file;
    let ended = file.started_unix_us.zip(file.finished_unix_us);
    let unread =
        || Outlook { class: "open", title: "Not read yet".to_owned(), text: "Load the page again.".to_owned() };
    Listed {
        id: file.run_id.to_string(),
        name: file.name.clone(),
        mode: file.mode.clone(),
        platform: file.platform.clone(),
        state: file.state.as_str().to_owned(),
        submitted_unix_us: file.submitted_unix_us,
        seconds: ended.map(|(started, finished)| (finished - started).max(0) as f64 / 1e6),
        outlook: file.state.is_terminal().then(|| outlook.cloned().unwrap_or_else(unread)),
    }
}
