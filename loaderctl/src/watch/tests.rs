use std::{cell::RefCell, io};

use loader_proto::v1::{Run, RunState, WatchRunResponse};
use tokio_stream::iter;

use super::*;

/// What the view was shown, in order.
#[derive(Default)]
struct Seen(Vec<String>);

impl View for Seen {
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
    let asked = RefCell::new(Vec::new());
    let open = async |run: String| {
        asked.borrow_mut().push(run);
        scripts.borrow_mut().next().unwrap_or_else(|| Err(lost())).map(iter)
    };
    let mut seen = Seen::default();
    let ended = follow("latest", open, &mut seen).await;
    (ended, seen.0, asked.into_inner())
}

#[tokio::test(start_paused = true)]
async fn a_run_is_shown_to_its_end() {
    let updates = vec![update(RunState::Queued), update(RunState::Running), update(RunState::Succeeded)];
    let (ended, seen, asked) = played(vec![Ok(updates)]).await;
    assert_eq!(ended.expect("ended").state(), RunState::Succeeded);
    assert_eq!(seen, ["Queued", "Running", "Succeeded"]);
    assert_eq!(asked, ["latest"]);
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
    let (ended, seen, asked) = played(scripts).await;
    assert_eq!(ended.expect("ended").state(), RunState::Interrupted);
    assert_eq!(seen, ["Running", "cut off 1", "cut off 2", "Running", "cut off 1", "Interrupted"]);
    assert_eq!(asked, ["latest", "01R", "01R", "01R"]);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_stays_away_is_given_up() {
    let (ended, seen, asked) = played(vec![Ok(vec![update(RunState::Running), Err(lost())])]).await;
    assert!(matches!(ended, Err(Lost::Status(status)) if is_lost(&status)));
    assert_eq!(seen, ["Running", "cut off 1", "cut off 2", "cut off 4", "cut off 8", "cut off 8"]);
    assert_eq!(asked.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_asked_again() {
    let (ended, seen, asked) = played(vec![Err(Status::not_found("no such run"))]).await;
    assert!(matches!(ended, Err(Lost::Status(status)) if status.code() == tonic::Code::NotFound));
    assert_eq!((seen.len(), asked.len()), (0, 1));
}
