use std::{cell::RefCell, io};

use loader_proto::v1::{Run, RunState, WatchRunResponse};
use tokio_stream::iter;

use super::*;

/// What the view was shown, in order.
#[derive(Default)]
struct Recorded(Vec<String>);

impl View for Recorded {
    fn show(&mut self, message: &WatchRunResponse) -> io::Result<()> {
        let run = message.run.as_ref().expect("a run");
        self.0.push(format!("{:?}", run.state()));
        Ok(())
    }

    fn cut_off(&mut self, pause: Duration) {
        self.0.push(format!("cut off {}", pause.as_secs()));
    }
}

type Update = Result<WatchRunResponse, Status>;

fn update(state: RunState) -> Update {
    Ok(WatchRunResponse { run: Some(Run { run_id: "01R".to_owned(), state: state.into(), ..Run::default() }) })
}

fn lost() -> Status {
    Status::unavailable("gone")
}

/// Follows "latest" over a daemon that answers each opening with the next of `scripts`, and none after the last.
async fn played(scripts: Vec<Result<Vec<Update>, Status>>) -> (Result<Run, Lost>, Vec<String>, Vec<String>) {
    let scripts = RefCell::new(scripts.into_iter());
    let requested = RefCell::new(Vec::new());
    let open = async |run: String| {
        requested.borrow_mut().push(run);
        scripts.borrow_mut().next().unwrap_or_else(|| Err(lost())).map(iter)
    };
    let mut shown = Recorded::default();
    let ended = follow("latest", open, &mut shown).await;
    (ended, shown.0, requested.into_inner())
}

#[tokio::test(start_paused = true)]
async fn a_run_is_shown_to_its_end() {
    let updates = vec![update(RunState::Queued), update(RunState::Running), update(RunState::Succeeded)];
    let (ended, shown, requested) = played(vec![Ok(updates)]).await;
    assert_eq!(ended.expect("ended").state(), RunState::Succeeded);
    assert_eq!(shown, ["Queued", "Running", "Succeeded"]);
    assert_eq!(requested, ["latest"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_cut_off_is_opened_anew_for_the_same_run() {
    let scripts = vec![
        Ok(vec![update(RunState::Running), Err(lost())]),
        Err(lost()),
        // An end without a terminal state is a cut, too; and the pauses begin anew.
        Ok(vec![update(RunState::Running)]),
        Ok(vec![update(RunState::Interrupted)]),
    ];
    let (ended, shown, requested) = played(scripts).await;
    assert_eq!(ended.expect("ended").state(), RunState::Interrupted);
    assert_eq!(shown, ["Running", "cut off 1", "cut off 2", "Running", "cut off 1", "Interrupted"]);
    assert_eq!(requested, ["latest", "01R", "01R", "01R"]);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_stays_away_is_given_up() {
    let (ended, shown, requested) = played(vec![Ok(vec![update(RunState::Running), Err(lost())])]).await;
    assert!(matches!(ended, Err(Lost::Status(status)) if is_lost(&status)));
    assert_eq!(shown, ["Running", "cut off 1", "cut off 2", "cut off 4", "cut off 8", "cut off 8"]);
    assert_eq!(requested.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_asked_again() {
    let (ended, shown, requested) = played(vec![Err(Status::not_found("no such run"))]).await;
    assert!(matches!(ended, Err(Lost::Status(status)) if status.code() == tonic::Code::NotFound));
    assert_eq!((shown.len(), requested.len()), (0, 1));
}
