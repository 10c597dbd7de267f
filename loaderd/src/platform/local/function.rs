//! A function: one task that owns its queue and its instances, between the gateway's calls, the scaler's decisions and
//! the instances' news.

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
    capacity::Place,
    instance::{Client, Instance, News},
    lease::{self, Call, Calls},
    scaler::{CallId, Decision, Event, InstanceId, Scaler},
    spec::{Spec, Surroundings},
    tasks::Tasks,
};
use crate::platform::{Scale, ScaleSample};

/// News that may be on their way to a function's task.
const NEWS: usize = 64;
/// Rounds of instances that die after their start, after which a deployment gives up: about a second and a half.
const TRIES: u32 = 5;
/// When a function looks at the time if nothing else is to come.
const IDLE_TICK: Duration = Duration::from_secs(3600);

/// Whether a function came up: nothing, or why it did not.
pub(super) type Deployed = Result<(), String>;

/// The function's task and what it owns.
pub(super) struct Function {
    spec: Spec,
    around: Surroundings,
    begin: Instant,
    scaler: Scaler,
    calls: mpsc::Receiver<Call>,
    waiting: HashMap<CallId, oneshot::Sender<Client>>,
    over: FuturesUnordered<BoxFuture<'static, CallId>>,
    next_call: u64,
    instances: HashMap<InstanceId, Running>,
    next_instance: u64,
    news: mpsc::Receiver<(InstanceId, News)>,
    tell: mpsc::Sender<(InstanceId, News)>,
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
    Placed(Place),
    News(InstanceId, News),
    Over(CallId),
    Called(Call),
    Released,
    Tick,
}

impl Function {
    /// A function without instances, the way to call it, and word of whether it came up.
    pub(super) fn new(spec: Spec, around: Surroundings) -> (Self, Calls, oneshot::Receiver<Deployed>) {
        let (calls, receiver) = lease::calls();
        let (tell, news) = mpsc::channel(NEWS);
        let (deployed, came_up) = oneshot::channel();
        let held = *around.held.borrow();
        let function = Self {
            begin: around.clock.now(),
            scaler: Scaler::new(spec.rule, held),
            spec,
            around,
            calls: receiver,
            waiting: HashMap::new(),
            over: FuturesUnordered::new(),
            next_call: 0,
            instances: HashMap::new(),
            next_instance: 0,
            news,
            tell,
            tasks: TaskTracker::new(),
            deployed: Some(deployed),
            published: None,
        };
        (function, calls, came_up)
    }

    /// Serves until it is stopped and all its instances are gone.
    pub(super) async fn run(mut self) {
        let stop = self.around.stop.clone();
        let mut stopped = pin!(stop.cancelled());
        let mut sleep = pin!(sleep_until(self.begin));
        let mut place: Option<BoxFuture<'static, Place>> = None;
        loop {
            self.settle();
            let now = self.now();
            place = match (self.scaler.wants_place(now), place) {
                (true, None) => Some(Arc::clone(&self.around.capacity).place(self.spec.peak_memory_mib).boxed()),
                (true, waiting) => waiting,
                (false, _) => None,
            };
            self.arm(sleep.as_mut(), now);
            match self.next(stopped.as_mut(), sleep.as_mut(), &mut place).await {
                Input::Stop => break,
                Input::Placed(got) => {
                    place = None;
                    self.start(got);
                }
                Input::News(instance, news) => self.hear(instance, news),
                Input::Over(call) => self.on(Event::Ended(call)),
                Input::Called(call) => self.enqueue(call),
                Input::Released => self.on(Event::Released),
                Input::Tick => self.on(Event::Tick),
            }
        }
        drop(place);
        self.close().await;
    }

    /// Waits for the next input. What frees slots comes before what takes them.
    async fn next(
        &mut self,
        stopped: impl Future<Output = ()>,
        sleep: Pin<&mut Sleep>,
        place: &mut Option<BoxFuture<'static, Place>>,
    ) -> Input {
        let placed = async {
            match place {
                Some(place) => place.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stopped => Input::Stop,
            Some((instance, news)) = self.news.recv() => Input::News(instance, news),
            Some(call) = self.over.next() => Input::Over(call),
            place = placed => Input::Placed(place),
            Ok(()) = self.around.held.changed() => Input::Released,
            Some(call) = self.calls.recv() => Input::Called(call),
            () = sleep => Input::Tick,
        }
    }

    /// Sets the alarm. One that is early does no harm and is left as it is: most calls then don't touch the timer.
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
        // The sender is never used but dropped: that is the word.
        self.over.push(call.over.map(move |_| id).boxed());
        self.on(Event::Called(id));
    }

    fn start(&mut self, place: Place) {
        self.next_instance += 1;
        let id = InstanceId(self.next_instance);
        let stop = self.around.stop.child_token();
        let instance = Instance {
            id,
            launch: self.spec.launch(&self.around.run, id),
            launcher: Arc::clone(&self.around.launcher),
            stop: stop.clone(),
            start_timeout: self.around.start_timeout,
            tasks: Tasks(self.tasks.clone()),
            news: self.tell.clone(),
        };
        self.tasks.spawn(async move {
            instance.live().await;
            drop(place);
        });
        self.instances.insert(id, Running { stop, client: None });
        self.on(Event::Started(id));
    }

    fn hear(&mut self, id: InstanceId, news: News) {
        match news {
            News::Ready(client) => {
                if let Some(instance) = self.instances.get_mut(&id) {
                    instance.client = Some(client);
                }
                self.on(Event::Ready(id));
            }
            News::Lost => self.on(Event::Lost(id)),
            News::Gone(reason) => {
                self.instances.remove(&id);
                self.on(Event::Gone(id));
                let Some(reason) = reason else { return };
                let (run, function) = (self.around.run.as_str(), self.spec.name.as_str());
                log::warn!(RUN_ID = run, FUNCTION = function, INSTANCE = id.0; "an instance of {function} ended: {reason}");
                if !self.scaler.is_initialised() && self.scaler.failed_rounds() >= TRIES {
                    self.deployed(Err(format!("its instances end soon after their start: {reason}")));
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
                        // A caller that has left in this instant gives the slot back by its `over`.
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

    /// Tells the world how things stand now.
    fn settle(&mut self) {
        let now = self.now();
        let scale = self.scaler.scale(now);
        if self.published != Some(scale) {
            self.published = Some(scale);
            let at = self.around.anchor.unix_at(self.begin + now);
            self.around.feed.publish(ScaleSample { at, function: self.spec.index, scale });
        }
        if self.scaler.is_initialised() {
            self.deployed(Ok(()));
        }
    }

    /// Answers the deployment, once.
    fn deployed(&mut self, outcome: Deployed) {
        if let Some(deployed) = self.deployed.take() {
            // A deployment that was cancelled doesn't listen.
            deployed.send(outcome).ok();
        }
    }

    /// Refuses new calls, lets those that wait go, and waits until all instances are gone.
    async fn close(mut self) {
        self.deployed = None;
        self.calls.close();
        while self.calls.try_recv().is_ok() {}
        self.waiting.clear();
        self.scaler.close();
        self.settle();
        // From here on only instances have a way to tell news: when the last one has ended, in whatever way, so have they.
        self.tell = mpsc::channel(1).0;
        while !self.scaler.is_empty() {
            let Some((instance, news)) = self.news.recv().await else { break };
            self.hear(instance, news);
            self.settle();
        }
        self.instances.clear();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn now(&self) -> Duration {
        self.around.clock.now().saturating_duration_since(self.begin)
    }
}
