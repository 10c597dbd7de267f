//! A function: one task that owns its queue and its instances, and handles the gateway's calls, the scaler's decisions and
//! the instances' events.

use std::{
    collections::HashMap,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, Sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    capacity::CapacityPermit,
    instance::{Client, Instance, InstanceEvent},
    lease::{self, Call, Calls},
    scaler::{CallId, Decision, Event, InstanceId, Scaler},
    spec::{FunctionContext, Spec},
    tasks::Tasks,
};
use crate::platform::{Scale, ScaleSample};

/// Capacity of the channel of instance events.
const EVENTS: usize = 64;
/// Rounds of instances that end soon after their start, after which a deployment fails: about a second and a half.
const MAX_FAILED_ROUNDS: u32 = 5;
/// The tick of a function without other deadlines.
const IDLE_TICK: Duration = Duration::from_secs(3600);

/// The outcome of a function's deployment; or why it failed.
pub(super) type Deployed = Result<(), String>;

/// The function's task and what it owns.
pub(super) struct Function {
    spec: Spec,
    context: FunctionContext,
    begin: Instant,
    scaler: Scaler,
    calls: mpsc::Receiver<Call>,
    waiting: HashMap<CallId, oneshot::Sender<Client>>,
    over: FuturesUnordered<BoxFuture<'static, CallId>>,
    next_call: u64,
    instances: HashMap<InstanceId, Running>,
    next_instance: u64,
    events: mpsc::Receiver<(InstanceId, InstanceEvent)>,
    event_sender: mpsc::Sender<(InstanceId, InstanceEvent)>,
    tasks: TaskTracker,
    deployed: Option<oneshot::Sender<Deployed>>,
    published: Option<Scale>,
}

#[derive(Debug)]
struct Running {
    stop: CancellationToken,
    client: Option<Client>,
}

/// What the task waits for.
enum Input {
    Stop,
    Permitted(CapacityPermit),
    Instance(InstanceId, InstanceEvent),
    Over(CallId),
    Called(Call),
    Released,
    Tick,
}

impl Function {
    /// A function without instances, the handle to call it, and the outcome of its deployment.
    pub(super) fn new(spec: Spec, context: FunctionContext) -> (Self, Calls, oneshot::Receiver<Deployed>) {
        let (calls, receiver) = lease::calls();
        let (event_sender, events) = mpsc::channel(EVENTS);
        let (deployed, came_up) = oneshot::channel();
        let held = *context.held.borrow();
        let function = Self {
            begin: context.clock.now(),
            scaler: Scaler::new(spec.rule, held),
            spec,
            context,
            calls: receiver,
            waiting: HashMap::new(),
            over: FuturesUnordered::new(),
            next_call: 0,
            instances: HashMap::new(),
            next_instance: 0,
            events,
            event_sender,
            tasks: TaskTracker::new(),
            deployed: Some(deployed),
            published: None,
        };
        (function, calls, came_up)
    }

    /// Serves until it is stopped and all its instances have ended.
    pub(super) async fn run(mut self) {
        let stop = self.context.stop.clone();
        let mut stopped = pin!(stop.cancelled());
        let mut sleep = pin!(sleep_until(self.begin));
        let mut permit: Option<BoxFuture<'static, CapacityPermit>> = None;
        loop {
            self.publish();
            let now = self.now();
            let starts = self.scaler.wants_instance(now) && !*self.context.starts_refused.borrow_and_update();
            permit = match (starts, permit) {
                (true, None) => Some(Arc::clone(&self.context.capacity).acquire(self.spec.peak_memory_mib).boxed()),
                (true, waiting) => waiting,
                (false, _) => None,
            };
            self.arm(sleep.as_mut(), now);
            match self.next(stopped.as_mut(), sleep.as_mut(), &mut permit).await {
                Input::Stop => break,
                Input::Permitted(got) => {
                    permit = None;
                    self.start(got);
                }
                Input::Instance(instance, event) => self.on_instance(instance, event),
                Input::Over(call) => self.on(Event::Ended(call)),
                Input::Called(call) => self.enqueue(call),
                Input::Released => self.on(Event::Released),
                Input::Tick => self.on(Event::Tick),
            }
        }
        drop(permit);
        self.close().await;
    }

    /// Waits for the next input. Inputs that free slots come before those that take them.
    async fn next(
        &mut self,
        stopped: impl Future<Output = ()>,
        sleep: Pin<&mut Sleep>,
        permit: &mut Option<BoxFuture<'static, CapacityPermit>>,
    ) -> Input {
        let permitted = async {
            match permit {
                Some(permit) => permit.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stopped => Input::Stop,
            Some((instance, event)) = self.events.recv() => Input::Instance(instance, event),
            Some(call) = self.over.next() => Input::Over(call),
            permit = permitted => Input::Permitted(permit),
            Ok(()) = self.context.held.changed() => Input::Released,
            Ok(()) = self.context.starts_refused.changed() => Input::Tick,
            Some(call) = self.calls.recv() => Input::Called(call),
            () = sleep => Input::Tick,
        }
    }

    /// Sets the timer. One that is early is left as it is: most calls then don't touch the timer.
    fn arm(&self, mut sleep: Pin<&mut Sleep>, now: Duration) {
        let due = self.begin + self.scaler.next_tick(now).unwrap_or(now + IDLE_TICK);
        if sleep.is_elapsed() || due < sleep.deadline() {
            sleep.as_mut().reset(due);
        }
    }

    fn enqueue(&mut self, call: Call) {
        let id = CallId(self.next_call);
        self.next_call += 1;
        self.waiting.insert(id, call.grant);
        // The sender is never used: its drop is the signal.
        self.over.push(call.over.map(move |_| id).boxed());
        self.on(Event::Called(id));
    }

    fn start(&mut self, permit: CapacityPermit) {
        self.next_instance += 1;
        let id = InstanceId(self.next_instance);
        let stop = self.context.stop.child_token();
        let instance = Instance {
            id,
            launch: self.spec.launch(&self.context.run, id),
            launcher: Arc::clone(&self.context.launcher),
            live: Arc::clone(&self.context.instances),
            stop: stop.clone(),
            start_timeout: self.context.start_timeout + self.spec.startup_busy_loop,
            tasks: Tasks(self.tasks.clone()),
            events: self.event_sender.clone(),
        };
        self.tasks.spawn(async move {
            instance.live().await;
            drop(permit);
        });
        self.instances.insert(id, Running { stop, client: None });
        self.on(Event::Started(id));
    }

    fn on_instance(&mut self, id: InstanceId, event: InstanceEvent) {
        match event {
            InstanceEvent::Ready(client) => {
                if let Some(instance) = self.instances.get_mut(&id) {
                    instance.client = Some(client);
                }
                self.on(Event::Ready(id));
            }
            InstanceEvent::Lost => self.on(Event::Lost(id)),
            InstanceEvent::Gone(reason) => {
                self.instances.remove(&id);
                self.on(Event::Gone(id));
                let Some(reason) = reason else { return };
                let (run, function) = (self.context.run.as_str(), self.spec.name.as_str());
                log::warn!(RUN_ID = run, FUNCTION = function, INSTANCE = id.0; "instance {} of {function} exited: {reason}", id.0);
                if !self.scaler.is_initialised() && self.scaler.failed_rounds() >= MAX_FAILED_ROUNDS {
                    self.deployed(Err(format!("its instances exit soon after their start: {reason}")));
                }
            }
        }
    }

    fn on(&mut self, event: Event) {
        for decision in self.scaler.on(event, self.now()) {
            match decision {
                Decision::Assign(call, instance) => {
                    let client = self.instances.get(&instance).and_then(|instance| instance.client.clone());
                    if let (Some(grant), Some(client)) = (self.waiting.remove(&call), client) {
                        // A caller that has left in this instant releases the slot by its `over`.
                        grant.send(client).ok();
                    }
                }
                Decision::Stop(instance) => {
                    if let Some(instance) = self.instances.get(&instance) {
                        instance.stop.cancel();
                    }
                }
            }
        }
        if let Event::Ended(call) = event {
            self.waiting.remove(&call);
        }
    }

    /// Publishes the scale, and whether the function is deployed.
    fn publish(&mut self) {
        let now = self.now();
        let scale = self.scaler.scale(now);
        if self.published != Some(scale) {
            self.published = Some(scale);
            let at = self.context.anchor.unix_at(self.begin + now);
            self.context.feed.publish(ScaleSample { at, function: self.spec.index, scale, source: None });
        }
        if self.scaler.is_initialised() {
            self.deployed(Ok(()));
        }
    }

    /// Sends the outcome of the deployment, once.
    fn deployed(&mut self, outcome: Deployed) {
        if let Some(deployed) = self.deployed.take() {
            // The receiver of a cancelled deployment is closed.
            deployed.send(outcome).ok();
        }
    }

    /// Refuses new and queued calls, and waits until all instances have ended.
    async fn close(mut self) {
        self.deployed = None;
        self.calls.close();
        while self.calls.try_recv().is_ok() {}
        self.waiting.clear();
        self.scaler.close();
        self.publish();
        // From here on only instances have senders of events: the channel ends with the last instance.
        self.event_sender = mpsc::channel(1).0;
        while !self.scaler.is_empty() {
            let Some((instance, event)) = self.events.recv().await else { break };
            self.on_instance(instance, event);
            self.publish();
        }
        self.instances.clear();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn now(&self) -> Duration {
        self.context.clock.now().saturating_duration_since(self.begin)
    }
}
