//! The live view of a run, on a terminal.

use std::{io, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use loader_proto::v1;

use super::View;
use crate::render::{History, disturbances, progress, units, workers};

/// What is drawn when the length of the run is known.
const WITH_BAR: &str = "{prefix} [{bar:30}] {msg}";
/// What is drawn when only the run itself will show its length.
const WITHOUT_BAR: &str = "{prefix} {spinner} {msg}";

/// Draws state, slot, bar, figures and the last minutes of some of them over each other on standard error. Nothing has a colour.
#[derive(Debug)]
pub(crate) struct Live {
    bar: ProgressBar,
    history: History,
}

impl Live {
    /// A view that draws once there is something to show.
    pub(crate) fn new() -> Self {
        Self { bar: ProgressBar::no_length(), history: History::default() }
    }
}

impl View for Live {
    fn show(&mut self, message: &v1::WatchRunResponse) -> io::Result<()> {
        let Some(run) = &message.run else { return Ok(()) };
        self.history.add(run);
        let planned = progress::planned(run);
        let style = ProgressStyle::with_template(if planned.is_some() { WITH_BAR } else { WITHOUT_BAR });
        self.bar.set_style(style.map_err(io::Error::other)?.progress_chars("=> "));
        if let Some(planned) = planned {
            self.bar.set_length(milliseconds(planned));
            self.bar.set_position(milliseconds(progress::elapsed(run).min(planned)));
        }
        self.bar.set_prefix(progress::stage(run));
        let figures = [progress::time(run)].into_iter().chain(progress::figures(run)).chain(disturbances::last(run));
        let lines = figures.chain(workers::under_way(run)).chain(self.history.rows());
        self.bar.set_message(lines.collect::<Vec<_>>().join("\n  "));
        self.bar.tick();
        Ok(())
    }

    fn clear(&mut self) {
        self.bar.finish_and_clear();
    }

    fn cut_off(&mut self, pause: Duration) {
        self.bar.set_message(format!("connection lost; trying again in {}", units::duration(pause)));
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
