//! Disturbances: planned, carried out, and what came of them.

use loader_proto::v1;

use super::time::span;
use crate::{
    disturbance::Disturbance,
    record::{DisturbanceEvent, DisturbanceFindings, EffectFigures},
    units::micros,
};

pub(super) fn planned(planned: &Disturbance) -> v1::PlanDisturbance {
    let Disturbance { at, action } = planned;
    v1::PlanDisturbance {
        at: Some(span(*at)),
        action: action.kind().as_str().to_owned(),
        target: action.target(),
        lasts: action.lasting().is_some(),
        lasting: action.lasting().flatten().map(span),
        undone_by: action.kind().undone_by().to_owned(),
    }
}

pub(super) fn event(event: &DisturbanceEvent) -> v1::Event {
    let DisturbanceEvent { number, stage, due, done, kind, target, outcome, detail } = event;
    v1::Event {
        disturbance: *number,
        stage: stage.as_str().to_owned(),
        due_unix_us: due.0,
        done_unix_us: done.map(|done| done.0),
        action: kind.as_str().to_owned(),
        target: target.clone(),
        outcome: outcome.as_str().to_owned(),
        detail: detail.clone(),
    }
}

pub(super) fn findings(found: &DisturbanceFindings) -> v1::DisturbanceFindings {
    let DisturbanceFindings { begin, undone, figures } = found;
    let DisturbanceEvent { number, stage: _, due, done, kind, target, outcome, detail } = begin;
    let message = v1::DisturbanceFindings {
        disturbance: *number,
        action: kind.as_str().to_owned(),
        target: target.clone(),
        outcome: outcome.as_str().to_owned(),
        detail: detail.clone(),
        due_unix_us: due.0,
        begin_unix_us: done.map(|done| done.0),
        end_unix_us: undone.map(|undone| undone.0),
        ..v1::DisturbanceFindings::default()
    };
    match figures {
        Some(figures) => with_figures(message, figures),
        None => message,
    }
}

fn with_figures(message: v1::DisturbanceFindings, figures: &EffectFigures) -> v1::DisturbanceFindings {
    let EffectFigures { until, requested, failed, lost, slowdown, slowdown_before, level_us, recovery } = figures;
    v1::DisturbanceFindings {
        until_unix_us: Some(until.0),
        requested: Some(*requested),
        failed: Some(*failed),
        lost: Some(*lost),
        slowdown: *slowdown,
        slowdown_before: *slowdown_before,
        scheduling_latency_before_p99_us: *level_us,
        recovery_us: recovery.ok().map(micros),
        recovery_unknown: recovery.err().map(|unknown| unknown.to_string()).unwrap_or_default(),
        ..message
    }
}
