//! The platforms of this daemon, made from their sections of the configuration. The one place that constructs them.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;

use crate::{
    clock::Clock,
    config::{self, Config},
    platform::{
        Platform, Platforms,
        attach::{self, Attach},
        knative, local,
    },
    scrape::Prometheus,
};

/// Makes every platform. A cluster is not contacted before its first use.
///
/// # Errors
/// A platform that cannot start on this machine.
pub(super) async fn start(config: &Config, prometheus: Option<Prometheus>, clock: Clock) -> anyhow::Result<Platforms> {
    let local = local::Local::start(local_settings(&config.platforms.local), clock).await;
    let local = local.context("the local platform")?.with_workers(this_program());
    let attach = Attach { workers: Some(local::WorkerProcesses::new(attach::NAME, this_program())) };
    let knative = knative::Knative::new(knative_settings(&config.platforms, prometheus), clock);
    let platforms: [Arc<dyn Platform>; _] = [Arc::new(local), Arc::new(attach), Arc::new(knative)];
    Ok(platforms.map(|platform| (platform.name(), platform)).into())
}

fn local_settings(config: &config::Local) -> local::Settings {
    local::Settings {
        trace_func: config.trace_func.clone().unwrap_or_else(trace_func),
        max_instances: config.max_instances,
        memory_ratio: config.memory_ratio,
        stable_window: config.stable_window,
        start_timeout: config.start_timeout,
        ..local::Settings::default()
    }
}

fn knative_settings(config: &config::PlatformSections, prometheus: Option<Prometheus>) -> knative::Settings {
    let config::Knative {
        kubeconfig,
        context,
        namespace,
        image,
        gateway,
        gateway_ca,
        manifest,
        node_selector,
        disturb,
    } = config.knative.clone();
    let config::Workers { listen, advertise, image: worker_image } = config.workers.clone();
    knative::Settings {
        access: knative::Access { kubeconfig, context },
        namespace,
        image,
        gateway,
        gateway_ca,
        manifest,
        node_selector: node_selector.0,
        disturb,
        prometheus,
        workers: knative::WorkerSettings { listen, advertise, image: worker_image },
    }
}

/// This daemon's program, also where its file was replaced meanwhile, as by an upgrade: workers must be of its version.
fn this_program() -> PathBuf {
    let known = std::env::current_exe().ok().filter(|path| path.exists());
    known.unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// The function server that was built with this daemon, or the one on the PATH.
fn trace_func() -> PathBuf {
    let installed = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.join("trace-func")));
    installed.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("trace-func"))
}
