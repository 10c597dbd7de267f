use tonic_types::ErrorDetails;

use super::*;

fn run(state: v1::RunState, saturated: bool) -> v1::Run {
    let verdict = v1::Saturated { saturated, ..v1::Saturated::default() };
    let summary = v1::RunSummary { saturated: Some(verdict), ..v1::RunSummary::default() };
    v1::Run { state: state.into(), summary: Some(summary), ..v1::Run::default() }
}

fn failure(status: Status) -> Failure {
    Failure::from_status(status, &"http://127.0.0.1:9470".parse().expect("an address"))
}

#[test]
fn each_ending_has_its_code() {
    use v1::RunState::{Cancelled, Failed, Interrupted, Succeeded};
    for (state, saturated, code) in [
        (Succeeded, false, 0),
        (Succeeded, true, 3),
        (Failed, false, 1),
        (Failed, true, 1),
        (Cancelled, true, 1),
        (Interrupted, false, 1),
    ] {
        assert_eq!(
            exit_code(&Ok(Ending::of(&run(state, saturated), false))),
            code,
            "{state:?}, saturated: {saturated}"
        );
    }
    assert_eq!(exit_code(&Ok(Ending::Interrupted)), 130);
    assert_eq!([Ending::Worse, Ending::NoRoom].map(|ending| exit_code(&Ok(ending))), [6, 6]);
}

#[test]
fn a_run_of_which_more_than_half_failed_is_a_failure_unless_that_is_allowed() {
    let half = |failed| {
        let mut run = run(v1::RunState::Succeeded, true);
        run.summary = run.summary.map(|summary| v1::RunSummary { requested: 10, failed, ..summary });
        run
    };
    let codes = [5, 6, 10].map(|failed| exit_code(&Ok(Ending::of(&half(failed), false))));
    assert_eq!(codes, [3, 1, 1]);
    assert_eq!(exit_code(&Ok(Ending::of(&half(10), true))), 3);
}

#[test]
fn each_status_has_its_code() {
    for (status, code) in [
        (Status::invalid_argument("bad"), 2),
        (Status::unavailable("gone"), 4),
        (Status::from_error("broken pipe".into()), 4),
        (Status::not_found("no run"), 5),
        (Status::resource_exhausted("full"), 5),
        (Status::unknown("the server's own"), 5),
    ] {
        assert_eq!(exit_code(&Err(failure(status.clone()))), code, "{status:?}");
    }
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let gone = Failure::Output(io::ErrorKind::BrokenPipe.into());
    assert!(gone.is_silent());
    assert_eq!(exit_code(&Err(gone)), 0);
    assert_eq!(exit_code(&Err(Failure::Output(io::ErrorKind::StorageFull.into()))), 5);
}

#[test]
fn violations_are_told_one_a_line() {
    let mut details = ErrorDetails::new();
    details.add_bad_request_violation("burst.hold", "is 1s; must be at least 2s");
    details.add_bad_request_violation("name", "is too long");
    let message = failure(Status::with_error_details(Code::InvalidArgument, "both", details)).to_string();
    assert_eq!(message, "burst.hold: is 1s; must be at least 2s\nname: is too long");
}

#[test]
fn a_daemon_that_is_gone_is_named() {
    let message = failure(Status::unavailable("shutting down")).to_string();
    assert_eq!(
        message,
        "error: no daemon answers at http://127.0.0.1:9470: shutting down\n\
         Start it with `loaderd` or `systemctl start loaderd`, or set its address with --address or LOADERD_ADDRESS."
    );
}

#[test]
fn the_help_tells_every_code() {
    for code in [0, 1, 2, 3, 4, 5, 130] {
        assert!(EXIT_CODES.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}");
    }
}
