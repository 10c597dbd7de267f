//! Ways to show a run that is followed, other than the live one.

use std::{io, time::Duration};

use loader_proto::v1;

use crate::{
    output::{self, note},
    render::{disturbances, progress, units},
};

/// How much of a run's time passes between two lines.
const PACE: Duration = Duration::from_secs(5);

/// Shows a run that is followed.
pub(crate) trait View {
    /// Shows the run as it is now.
    ///
    /// # Errors
    /// The output is closed.
    fn show(&mut self, message: &v1::WatchRunResponse) -> io::Result<()>;

    /// Whether each message goes to standard output as it is, so that nothing more is to be printed.
    fn prints_messages(&self) -> bool {
        false
    }

    /// Removes what was drawn.
    fn clear(&mut self) {}

    /// Reports that the connection was lost and is re-established after a pause.
    fn cut_off(&mut self, pause: Duration) {
        note(&format!("connection lost; trying again in {}", units::duration(pause)));
    }
}

/// A view that shows nothing.
#[derive(Debug)]
pub(crate) struct Silent;

impl View for Silent {
    fn show(&mut self, _: &v1::WatchRunResponse) -> io::Result<()> {
        Ok(())
    }
}

/// Prints each message to standard output, for programs.
#[derive(Debug)]
pub(crate) struct JsonLines;

impl View for JsonLines {
    fn show(&mut self, message: &v1::WatchRunResponse) -> io::Result<()> {
        output::line(message)
    }

    fn prints_messages(&self) -> bool {
        true
    }
}

/// Writes a line to standard error at each change of state or of the place in the queue, at each disturbance and about each five
/// seconds, for logs.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    shown: Option<(v1::RunState, u32, Duration)>,
    /// Events that were shown.
    events: usize,
}

impl Lines {
    /// The line for this moment, if one is due. The run's own time counts, so that no clock is needed.
    fn due(&mut self, run: &v1::Run) -> Option<String> {
        let state = run.state();
        let elapsed = progress::elapsed(run);
        let place = run.queue_position;
        let is_due =
            self.shown.is_none_or(|(shown, at_place, at)| shown != state || at_place != place || elapsed >= at + PACE);
        is_due.then(|| {
            self.shown = Some((state, place, elapsed));
            progress::line(run)
        })
    }
}

impl Lines {
    /// A line for each event that was not shown.
    fn events(&mut self, run: &v1::Run) -> Vec<String> {
        let new = run.events.get(self.events..).unwrap_or_default();
        self.events = run.events.len();
        new.iter().map(|event| format!("{}  {}", run.run_id, disturbances::line(event))).collect()
    }
}

impl View for Lines {
    fn show(&mut self, message: &v1::WatchRunResponse) -> io::Result<()> {
        let Some(run) = &message.run else { return Ok(()) };
        self.events(run).iter().for_each(|line| note(line));
        if let Some(line) = self.due(run) {
            note(&line);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixtures;

    #[test]
    fn a_line_for_each_disturbance() {
        let (mut lines, mut run) = (Lines::default(), fixtures::running());
        assert_eq!(lines.events(&run).len(), 0);
        run.events = disturbances::testkit::events();
        let shown = lines.events(&run);
        assert_eq!(shown.len(), run.events.len());
        assert_eq!(shown[0], format!("{}  disturbance 0, deletePods of 1 of gateway: begin ok: gateway-1", run.run_id));
        assert_eq!(lines.events(&run).len(), 0);
    }

    #[test]
    fn a_line_at_each_change_and_each_five_seconds() {
        let mut lines = Lines::default();
        let mut shown = Vec::new();
        for (state, seconds) in [
            (v1::RunState::Queued, 0),
            (v1::RunState::Queued, 0),
            (v1::RunState::Running, 0),
            (v1::RunState::Running, 4),
            (v1::RunState::Running, 5),
            (v1::RunState::Running, 9),
            (v1::RunState::Draining, 9),
            (v1::RunState::Draining, 14),
        ] {
            let mut run = fixtures::running();
            run.set_state(state);
            if let Some(progress) = &mut run.progress {
                progress.elapsed = Some(prost_types::Duration { seconds, nanos: 0 });
            }
            shown.push(lines.due(&run).is_some());
        }
        assert_eq!(shown, [true, false, true, false, true, false, true, true]);
    }

    #[test]
    fn a_queued_run_says_each_place_once() {
        let mut lines = Lines::default();
        let shown = [3, 3, 2, 1].map(|position| {
            let mut run = v1::Run { queue_position: position, ..fixtures::running() };
            run.set_state(v1::RunState::Queued);
            lines.due(&run)
        });
        let places = shown.iter().flatten().filter_map(|line| line.split_once("QUEUED  ")).map(|(_, place)| place);
        assert_eq!(
            places.collect::<Vec<_>>(),
            ["position 3 in the queue", "position 2 in the queue", "position 1 in the queue"]
        );
    }
}
