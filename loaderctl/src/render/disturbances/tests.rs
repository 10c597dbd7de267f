use insta::assert_snapshot;
use loader_proto::v1::{PlanSummary, Run, RunSummary};

use super::{testkit, *};
use crate::render::fixtures;

#[test]
fn disturbances_of_a_plan() {
    let plan = PlanSummary { disturbances: testkit::planned(), ..fixtures::plan() };
    let text = crate::render::plan(&plan, 2);
    assert!(text.contains(&planned(&plan.disturbances)), "{text}");
    assert_snapshot!(planned(&plan.disturbances));
}

#[test]
fn disturbances_so_far() {
    let run = Run { events: testkit::events(), ..fixtures::running() };
    let text = crate::render::run(&run, crate::render::IntervalsShown::No);
    assert!(text.ends_with(&so_far(&run)), "{text}");
    assert_snapshot!(so_far(&run));
    let last = last(&run);
    assert_eq!(last.as_deref(), Some("disturbance 2, cordon of node w: begin failed: nodes \"w\" not found"));
}

#[test]
fn what_came_of_disturbances() {
    assert_snapshot!(findings(&RunSummary { disturbances: testkit::findings(), ..RunSummary::default() }));
}

#[test]
fn a_long_detail_is_cut() {
    assert_eq!(short("f-1"), "f-1");
    let cut = short(&"x".repeat(500));
    assert!(cut.chars().count() == LONGEST && cut.ends_with("x…"), "{cut}");
}
