//! How far a trace has come.

use loader_proto::v1;

use crate::traces::Stage;

pub(in crate::control) fn trace_stage(stage: Stage) -> v1::TraceStage {
    match stage {
        Stage::Complete => v1::TraceStage::Complete,
        Stage::UnderWay => v1::TraceStage::UnderWay,
        Stage::CutOff => v1::TraceStage::CutOff,
    }
}
