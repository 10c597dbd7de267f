//! A function as the cluster runs it: its queue, its autoscaler, and its pods, which are `trace-func` processes.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::client::conn::http2::SendRequest;
use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// What goes to a function and comes from it.
pub(super) type Body = BoxBody<Bytes, hyper::Error>;

/// A Service's settings, as its template's annotations have them.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) concurrency: usize,
    pub(super) initial: usize,
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) window: Duration,
    pub(super) timeout: Duration,
    pub(super) kind: String,
}

/// Knative's stable window, where the template has none.
const STABLE_WINDOW: Duration = Duration::from_secs(60);
/// How full an instance may be in the steady state: 70 %.
const UTILISATION: f64 = 0.7;

impl Rules {
    pub(super) fn of(service: &Value) -> Self {
        let template = &service["spec"]["template"];
        let annotation =
            |name: &str| template["metadata"]["annotations"][format!("autoscaling.knative.dev/{name}")].as_str();
        let count = |name: &str| annotation(name).and_then(|text| text.parse().ok());
        let seconds =
            |text: &str| text.strip_suffix('s').and_then(|text| text.parse().ok()).map(Duration::from_secs_f64);
        let max = count("max-scale").filter(|max| *max > 0).unwrap_or(usize::MAX);
        let min = count("min-scale").unwrap_or(0);
        let variables = template["spec"]["containers"][0]["env"].as_array().cloned().unwrap_or_default();
        let kind = variables.iter().find(|variable| variable["name"] == "FUNC_TYPE_ENV");
        Self {
            concurrency: usize::try_from(template["spec"]["containerConcurrency"].as_u64().unwrap_or(0)).unwrap_or(0),
            initial: count("initial-scale").unwrap_or(1).max(min),
            min,
            max,
            window: annotation("window").and_then(seconds).unwrap_or(STABLE_WINDOW),
            timeout: Duration::from_secs(template["spec"]["timeoutSeconds"].as_u64().unwrap_or(300)),
            kind: kind.and_then(|variable| variable["value"].as_str()).unwrap_or("trace").to_owned(),
        }
    }

    fn slots(&self) -> usize {
        if self.concurrency == 0 { usize::MAX } else { self.concurrency }
    }

    /// Instances for so many invocations at a time. One on an instance that takes one makes two: it is over 70 % full.
    fn wanted(&self, load: usize) -> usize {
        let slots = if self.concurrency == 0 { 100 } else { self.concurrency };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
        let wanted = (load as f64 / (slots as f64 * UTILISATION)).ceil() as usize;
        wanted.clamp(self.min, self.max)
    }
}

/// A pod that takes invocations.
#[derive(Clone)]
struct Instance {
    pod: String,
    connection: SendRequest<Body>,
    busy: usize,
}

#[derive(Default)]
struct State {
    instances: Vec<Instance>,
    waiting: usize,
    desired: usize,
    /// Whether the ingress knows it.
    routed: bool,
    /// When the instances of now were last needed.
    needed: Option<Instant>,
}

/// A function of the fake cluster.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) rules: Mutex<Rules>,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

/// A permit on an instance, given back when it is dropped.
pub(super) struct Permit {
    function: Arc<Function>,
    pod: String,
    pub(super) connection: SendRequest<Body>,
    /// Whether it had to be waited for: the activator was in the path.
    pub(super) waited: bool,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.function.state();
        if let Some(instance) = state.instances.iter_mut().find(|it| it.pod == self.pod) {
            instance.busy -= 1;
        }
        drop(state);
        self.function.changed.send_modify(|it| *it += 1);
    }
}

/// Why there is no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPermit {
    /// The ingress does not know it.
    NoRoute,
    /// Its instances took longer than an invocation may.
    Late,
}

/// Counts one who waits, as long as it lives.
struct Waiting(Arc<Function>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
    }
}

impl Function {
    pub(super) fn new(name: &str, namespace: &str, rules: Rules) -> Self {
        let state = State { desired: rules.initial, ..State::default() };
        Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            rules: Mutex::new(rules),
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rules(&self) -> Rules {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the ingress know it, or no longer.
    pub(super) fn route(&self, routed: bool) {
        self.state().routed = routed;
        self.changed.send_modify(|it| *it += 1);
    }

    pub(super) fn is_routed(&self) -> bool {
        self.state().routed
    }

    /// A pod takes invocations from now on.
    pub(super) fn join(&self, pod: &str, connection: SendRequest<Body>) {
        self.state().instances.push(Instance { pod: pod.to_owned(), connection, busy: 0 });
        self.changed.send_modify(|it| *it += 1);
    }

    /// A pod takes none any more.
    pub(super) fn leave(&self, pod: &str) {
        self.state().instances.retain(|it| it.pod != pod);
    }

    pub(super) fn desired(&self) -> usize {
        self.state().desired
    }

    /// What the autoscaler wants now, and whether that is news. `haste` shortens its windows.
    pub(super) fn scale(&self, now: Instant, haste: u32, to_zero: bool) -> Option<usize> {
        let rules = self.rules();
        let mut state = self.state();
        let load = state.waiting + state.instances.iter().map(|it| it.busy).sum::<usize>();
        let wanted = rules.wanted(load).max(usize::from(!to_zero).min(state.desired));
        if wanted >= state.desired {
            state.needed = Some(now);
        }
        let window = rules.window / haste;
        let unneeded = state.needed.get_or_insert(now).elapsed() >= window;
        if wanted > state.desired || (wanted < state.desired && unneeded) {
            state.desired = wanted;
            return Some(wanted);
        }
        None
    }

    fn take(self: &Arc<Self>, slots: usize, waited: bool) -> Option<Permit> {
        let mut state = self.state();
        let free = state.instances.iter_mut().filter(|it| it.busy < slots).min_by_key(|it| it.busy)?;
        free.busy += 1;
        let (pod, connection) = (free.pod.clone(), free.connection.clone());
        Some(Permit { function: Arc::clone(self), pod, connection, waited })
    }

    /// A permit on an instance, waited for as the activator does.
    pub(super) async fn permit(self: &Arc<Self>) -> Result<Permit, NoPermit> {
        if !self.is_routed() {
            return Err(NoPermit::NoRoute);
        }
        let rules = self.rules();
        if let Some(permit) = self.take(rules.slots(), false) {
            return Ok(permit);
        }
        self.state().waiting += 1;
        let waiting = Waiting(Arc::clone(self));
        let mut changed = self.changed.subscribe();
        let freed = async {
            loop {
                changed.borrow_and_update();
                if let Some(permit) = self.take(rules.slots(), true) {
                    return permit;
                }
                if changed.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let permit = timeout(rules.timeout, freed).await.map_err(|_| NoPermit::Late);
        drop(waiting);
        permit
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules() -> Rules {
        Rules::of(&json!({"spec": {"template": {
            "metadata": {"annotations": {"autoscaling.knative.dev/window": "6s", "autoscaling.knative.dev/max-scale": "3",
                                         "autoscaling.knative.dev/initial-scale": "0"}},
            "spec": {"containerConcurrency": 1, "timeoutSeconds": 5, "containers": [{}]}}}}))
    }

    /// "ONE call in flight makes desiredScale 2 (ceil(1/0.7))".
    #[test]
    fn one_call_makes_two_instances() {
        let rules = rules();
        assert_eq!([0, 1, 2, 3].map(|load| rules.wanted(load)), [0, 2, 3, 3]);
        assert_eq!((rules.initial, rules.window, rules.kind.as_str()), (0, Duration::from_secs(6), "trace"));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_requests_make_it_scale_and_time_out() {
        let function = Arc::new(Function::new("f", "n", rules()));
        assert_eq!(function.permit().await.err(), Some(NoPermit::NoRoute));
        function.route(true);
        let waiter = Arc::clone(&function);
        let waited = tokio::spawn(async move { waiter.permit().await.err() });
        tokio::task::yield_now().await;
        assert_eq!(function.scale(Instant::now(), 1, true), Some(2));
        assert_eq!(waited.await.expect("ends"), Some(NoPermit::Late));
        // Nothing was needed for the window.
        assert_eq!(function.scale(Instant::now(), 1, true), None);
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(function.scale(Instant::now(), 1, false), Some(1));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(function.scale(Instant::now(), 1, true), Some(0));
    }
}
