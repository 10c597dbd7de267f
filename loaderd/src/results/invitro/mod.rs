//! The files of InVitro, the Go loader of the vHive community, made from a run's own, so that scripts made for them go on
//! working: its names, columns, types and units. `docs/from-invitro.md` says what can't be the same.
//!
//! | theirs | from |
//! | --- | --- |
//! | `<name>_duration_<minutes>.csv` | invocations.csv |
//! | `<name>_deployment_scale_<minutes>.csv` | scales.csv |
//! | `<name>_kn_stats_<minutes>.csv` | autoscaler.csv |
//! | `<name>_cluster_usage_<minutes>.csv` | nodes.csv, pods.csv, loader.csv |

mod duration;
mod export;
mod names;
mod pieces;
mod scale;
mod stats;
mod tables;
mod usage;

pub(super) use export::export;

#[cfg(test)]
mod tests;
