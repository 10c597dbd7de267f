//! A platform for tests: scripted, deploys nothing, and records the calls of its methods.
//!
//! Its functions refuse connections, which makes failed invocations of them: a run succeeds without a function server. It has
//! the capabilities that it was given.

mod workers;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::workers::FakeWorkers;

use super::{
    Deploy, Deployment, Disturb, InstanceStart, Platform, PlatformError, Room, Sampling, SamplingOptions, ScaleSample,
    SettingsBackup, WarmUp, Workers,
};
use crate::{
    clock::Clock,
    disturbance::{Action, Disturbance},
    endpoint::Endpoint,
    id::RunId,
    scrape::Sampled,
};

/// The outcome of a deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Deploying {
    /// Every function is ready at once.
    #[default]
    Works,
    /// One of them can't be deployed.
    Fails,
    /// The platform panics.
    Breaks,
    /// It waits, with one function ready, until the test lets it go or it is cancelled.
    Waits,
}

/// A call of one of its methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Deploy(RunId),
    Clean(RunId),
    Release(RunId),
    HoldAutoscaler(RunId),
    RestoreSettings(RunId),
    CheckDisturbances(usize),
    Begin(u32),
    End(u32),
    RestoreDisturbances(RunId),
    StartWorkers(u32),
    StopWorkers(RunId),
    Shutdown,
}

/// A platform for tests that records its calls.
pub(crate) struct FakePlatform {
    name: &'static str,
    deploying: Mutex<Deploying>,
    go: Notify,
    deploys: watch::Sender<u32>,
    refuses_to_clean: Option<&'static str>,
    /// Why it can't be reached for a clean-up now.
    away: Mutex<Option<&'static str>>,
    /// The samples of a deployment's scale feed.
    scales: Vec<ScaleSample>,
    /// Instances that come up; nothing: their starts are not known.
    starts: Option<Vec<InstanceStart>>,
    room: Option<Room>,
    /// Why it is not disturbed; nothing: it cannot be.
    disturbed: Option<Option<&'static str>>,
    /// The disturbance that cannot be carried out.
    fails_to_disturb: Option<u32>,
    /// The disturbance that is never undone.
    never_undoes: Option<u32>,
    /// What its one source samples; nothing: it can't be sampled.
    samples: Option<Mutex<Vec<Sampled>>>,
    /// The workers that it starts; nothing: it can't.
    workers: Option<FakeWorkers>,
    left_behind: BTreeMap<RunId, usize>,
    feeds: Mutex<Vec<mpsc::Sender<ScaleSample>>>,
    calls: Mutex<Vec<(Instant, Call)>>,
}

impl FakePlatform {
    /// One whose deployments work, and that has no capability.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            deploying: Mutex::default(),
            go: Notify::new(),
            deploys: watch::Sender::new(0),
            refuses_to_clean: None,
            away: Mutex::default(),
            scales: Vec::new(),
            starts: None,
            room: None,
            disturbed: None,
            fails_to_disturb: None,
            never_undoes: None,
            samples: None,
            workers: None,
            left_behind: BTreeMap::new(),
            feeds: Mutex::default(),
            calls: Mutex::default(),
        }
    }

    /// The outcome of its first deployment.
    pub(crate) fn deploying(self, deploying: Deploying) -> Self {
        self.set_deploying(deploying);
        self
    }

    /// Cleaning a run fails for this reason.
    pub(crate) fn failing_to_clean(self, reason: &'static str) -> Self {
        Self { refuses_to_clean: Some(reason), ..self }
    }

    /// Each deployment's feed gives these scales.
    pub(crate) fn with_scales(self, scales: Vec<ScaleSample>) -> Self {
        Self { scales, ..self }
    }

    /// Each deployment has these instances coming up.
    pub(crate) fn with_starts(self, starts: Vec<InstanceStart>) -> Self {
        Self { starts: Some(starts), ..self }
    }

    /// It can warm up.
    pub(crate) fn with_room(self, room: Room) -> Self {
        Self { room: Some(room), ..self }
    }

    /// It can be disturbed, unless there is a reason why it is not.
    pub(crate) fn disturbed(self, refusal: Option<&'static str>) -> Self {
        Self { disturbed: Some(refusal), ..self }
    }

    /// The disturbance with this number cannot be carried out.
    pub(crate) fn failing_to_disturb(self, number: u32) -> Self {
        Self { fails_to_disturb: Some(number), ..self }
    }

    /// The disturbance with this number is never undone.
    pub(crate) fn never_undoing(self, number: u32) -> Self {
        Self { never_undoes: Some(number), ..self }
    }

    /// It can be sampled. These samples are given once.
    pub(crate) fn with_samples(self, samples: Vec<Sampled>) -> Self {
        Self { samples: Some(samples.into()), ..self }
    }

    /// An earlier process's run still has so many functions.
    pub(crate) fn with_left_behind(mut self, run: RunId, functions: usize) -> Self {
        self.left_behind.insert(run, functions);
        self
    }

    /// The outcome of deployments from now on.
    pub(crate) fn set_deploying(&self, deploying: Deploying) {
        *self.deploying.lock().expect("whole") = deploying;
    }

    /// Cleaning runs, restoring settings and undoing disturbances fails for a reason that may pass, or works again.
    pub(crate) fn set_away(&self, away: Option<&'static str>) {
        *self.away.lock().expect("whole") = away;
    }

    fn reached(&self) -> Result<(), PlatformError> {
        let away = *self.away.lock().expect("whole");
        away.map_or(Ok(()), |why| Err(PlatformError::Unavailable { platform: self.name, reason: why.to_owned() }))
    }

    /// Lets one waiting deployment continue.
    pub(crate) fn let_go(&self) {
        self.go.notify_one();
    }

    /// Waits until so many deployments were asked for.
    pub(crate) async fn asked_to_deploy(&self, count: u32) {
        self.deploys.subscribe().wait_for(|deploys| *deploys >= count).await.expect("lives");
    }

    /// All calls, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.recorded().iter().map(|(_, call)| call.clone()).collect()
    }

    /// The instants of a call.
    pub(crate) fn instants_of(&self, wanted: &Call) -> Vec<Instant> {
        self.recorded().iter().filter(|(_, call)| call == wanted).map(|(at, _)| *at).collect()
    }

    /// The runs that it was asked to clean, in order.
    pub(crate) fn cleaned(&self) -> Vec<RunId> {
        let cleaned = self.calls().into_iter().filter_map(|call| match call {
            Call::Clean(run) => Some(run),
            Call::Deploy(_)
            | Call::Release(_)
            | Call::HoldAutoscaler(_)
            | Call::RestoreSettings(_)
            | Call::CheckDisturbances(_)
            | Call::Begin(_)
            | Call::End(_)
            | Call::RestoreDisturbances(_)
            | Call::StartWorkers(_)
            | Call::StopWorkers(_)
            | Call::Shutdown => None,
        });
        cleaned.collect()
    }

    fn record(&self, call: Call) {
        self.recorded().push((Clock.now(), call));
    }

    fn recorded(&self) -> MutexGuard<'_, Vec<(Instant, Call)>> {
        self.calls.lock().expect("whole")
    }

    fn end_feeds(&self) {
        self.feeds.lock().expect("whole").clear();
    }
}

#[tonic::async_trait]
impl Platform for FakePlatform {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn deploy(
        &self,
        deploy: Deploy,
        ready: watch::Sender<u32>,
        cancel: CancellationToken,
    ) -> Result<Deployment, PlatformError> {
        self.record(Call::Deploy(deploy.run.clone()));
        self.deploys.send_modify(|deploys| *deploys += 1);
        let deploying = *self.deploying.lock().expect("whole");
        match deploying {
            Deploying::Works => {}
            Deploying::Fails => {
                let function = deploy.functions[0].name.clone();
                return Err(PlatformError::Function { function, reason: "no room".to_owned() });
            }
            Deploying::Breaks => panic!("deploying breaks"),
            Deploying::Waits => {
                ready.send_replace(1);
                tokio::select! {
                    () = self.go.notified() => {}
                    () = cancel.cancelled() => return Err(PlatformError::Cancelled),
                }
            }
        }
        let functions = deploy.functions.len();
        ready.send_replace(u32::try_from(functions).expect("few"));
        let (feed, scales) = mpsc::channel(self.scales.len().max(1));
        for sample in &self.scales {
            feed.try_send(*sample).expect("there is room");
        }
        self.feeds.lock().expect("whole").push(feed);
        let starts = self.starts.as_ref().map(|starts| {
            let (send, receive) = mpsc::channel(starts.len().max(1));
            starts.iter().for_each(|start| send.try_send(start.clone()).expect("there is room"));
            receive
        });
        let unreachable = Endpoint::plain("127.0.0.1:1", "unreachable");
        Ok(Deployment { endpoints: vec![Ok(unreachable); functions], scales, starts })
    }

    async fn clean(&self, run: &RunId) -> Result<(), PlatformError> {
        self.end_feeds();
        self.record(Call::Clean(run.clone()));
        self.reached()?;
        match self.refuses_to_clean {
            Some(reason) => Err(PlatformError::Platform { platform: self.name, reason: reason.to_owned() }),
            None => Ok(()),
        }
    }

    async fn release(&self, run: &RunId) -> Result<(), PlatformError> {
        self.end_feeds();
        self.record(Call::Release(run.clone()));
        Ok(())
    }

    async fn left_behind(&self) -> Result<BTreeMap<RunId, usize>, PlatformError> {
        Ok(self.left_behind.clone())
    }

    async fn shutdown(&self) {
        self.end_feeds();
        self.record(Call::Shutdown);
    }

    fn warm_up(&self) -> Option<&dyn WarmUp> {
        self.room.is_some().then_some(self)
    }

    fn disturb(&self) -> Option<&dyn Disturb> {
        self.disturbed.is_some().then_some(self)
    }

    fn sampling(&self) -> Option<&dyn Sampling> {
        self.samples.is_some().then_some(self)
    }

    fn workers(&self) -> Option<&dyn Workers> {
        self.workers.is_some().then_some(self)
    }
}

#[tonic::async_trait]
impl WarmUp for FakePlatform {
    async fn room(&self) -> Result<Room, PlatformError> {
        Ok(self.room.expect("it was given this capability"))
    }

    async fn hold_autoscaler(&self, run: &RunId, _backup: &SettingsBackup) -> Result<(), PlatformError> {
        self.record(Call::HoldAutoscaler(run.clone()));
        Ok(())
    }

    async fn restore_settings(&self, run: &RunId, _backup: &SettingsBackup) -> Result<(), PlatformError> {
        self.record(Call::RestoreSettings(run.clone()));
        self.reached()
    }
}

#[tonic::async_trait]
impl Disturb for FakePlatform {
    fn refusal(&self) -> Option<&'static str> {
        self.disturbed.expect("it was given this capability")
    }

    async fn check(&self, disturbances: &[Disturbance]) -> Result<(), PlatformError> {
        self.record(Call::CheckDisturbances(disturbances.len()));
        Ok(())
    }

    async fn begin(
        &self,
        _run: &RunId,
        number: u32,
        _action: &Action,
        _backup: &SettingsBackup,
    ) -> Result<String, PlatformError> {
        self.record(Call::Begin(number));
        if self.fails_to_disturb == Some(number) {
            return Err(PlatformError::Platform { platform: self.name, reason: "refused".to_owned() });
        }
        Ok(format!("changed {number}"))
    }

    async fn end(&self, _run: &RunId, number: u32, _backup: &SettingsBackup) -> Result<String, PlatformError> {
        self.record(Call::End(number));
        if self.never_undoes == Some(number) {
            std::future::pending::<()>().await;
        }
        Ok(format!("changed {number} back"))
    }

    async fn restore(&self, run: &RunId, _backup: &SettingsBackup) -> Result<(), PlatformError> {
        self.record(Call::RestoreDisturbances(run.clone()));
        self.reached()
    }
}

#[tonic::async_trait]
impl Sampling for FakePlatform {
    async fn sources(&self, _deploy: &Deploy, options: SamplingOptions) -> Vec<BoxFuture<'static, ()>> {
        let samples = self.samples.as_ref().expect("it was given this capability");
        let samples = std::mem::take(&mut *samples.lock().expect("whole"));
        let source = async move {
            for sample in samples {
                options.out.send(sample).await.expect("the receiver is open");
            }
            options.stop.cancelled().await;
        };
        vec![source.boxed()]
    }

    async fn instances(&self) -> Result<BTreeMap<RunId, usize>, PlatformError> {
        Ok(BTreeMap::new())
    }
}

mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{
        clock::UnixMicros,
        id::FunctionIndex,
        platform::{Scale, TimeSource, testkit},
    };

    async fn deploy(fake: &FakePlatform, cancel: &CancellationToken) -> Result<Deployment, PlatformError> {
        fake.deploy(testkit::deploy(&["f", "g"]), watch::Sender::new(0), cancel.clone()).await
    }

    #[tokio::test]
    async fn a_deployment_gives_what_was_scripted_and_its_feed_ends_when_it_is_cleaned() {
        let (function, at) = (FunctionIndex(1), UnixMicros(7));
        let sample = ScaleSample { at, function, scale: Scale { running: 3, ..Scale::default() }, source: None };
        let start = InstanceStart {
            function,
            instance: "g-0".to_owned(),
            desired: None,
            created: at,
            scheduled: None,
            started: None,
            ready: Some(at),
            source: TimeSource::Watch,
        };
        let fake = FakePlatform::new("local").with_scales(vec![sample]).with_starts(vec![start.clone()]);
        let (run, ready) = (RunId::new(0, 0), watch::Sender::new(0));
        let deployed = fake.deploy(testkit::deploy(&["f", "g"]), ready.clone(), CancellationToken::new()).await;
        let Deployment { endpoints, mut scales, starts } = deployed.unwrap();
        assert_eq!((endpoints.len(), *ready.borrow()), (2, 2));
        assert_eq!(starts.unwrap().recv().await, Some(start));
        assert_eq!(scales.recv().await, Some(sample));
        fake.clean(&run).await.unwrap();
        assert_eq!(scales.recv().await, None);
        fake.release(&run).await.unwrap();
        fake.shutdown().await;
        let calls = [Call::Deploy(run.clone()), Call::Clean(run.clone()), Call::Release(run.clone()), Call::Shutdown];
        assert_eq!(fake.calls(), calls);
        assert_eq!(fake.cleaned(), [run]);
    }

    #[tokio::test]
    async fn deployments_have_their_scripted_outcome() {
        let fake = FakePlatform::new("local").deploying(Deploying::Fails).failing_to_clean("stuck");
        let cancel = CancellationToken::new();
        assert_eq!(deploy(&fake, &cancel).await.unwrap_err().to_string(), "function f: no room");
        let cleaned = fake.clean(&RunId::new(0, 0)).await;
        assert_eq!(cleaned.unwrap_err().to_string(), "platform local: stuck");
        fake.set_deploying(Deploying::Waits);
        let (deployed, ()) = tokio::join!(deploy(&fake, &cancel), async {
            fake.asked_to_deploy(2).await;
            fake.let_go();
        });
        assert_eq!(deployed.unwrap().endpoints.len(), 2);
        cancel.cancel();
        assert!(matches!(deploy(&fake, &cancel).await, Err(PlatformError::Cancelled)));
    }

    #[tokio::test(start_paused = true)]
    async fn it_has_the_capabilities_that_it_was_created_with() {
        let bare = FakePlatform::new("local");
        assert!(bare.warm_up().is_none() && bare.sampling().is_none());
        assert!(bare.inspect().is_none() && bare.embedded().is_none() && bare.disturb().is_none());
        assert!(bare.workers().is_none());
        let (run, room) = (RunId::new(0, 0), Room::Millicores { free: 4000, overhead: 25 });
        let able = FakePlatform::new("local").with_room(room).with_samples(Vec::new()).with_left_behind(run.clone(), 2);
        let (warm_up, backup) = (able.warm_up().unwrap(), SettingsBackup::at(PathBuf::new()));
        assert_eq!(warm_up.room().await.unwrap(), room);
        warm_up.hold_autoscaler(&run, &backup).await.unwrap();
        let begun = Clock.now();
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        warm_up.restore_settings(&run, &backup).await.unwrap();
        let restored = able.instants_of(&Call::RestoreSettings(run.clone()));
        assert_eq!(restored, [begun + std::time::Duration::from_secs(3)]);
        assert_eq!(able.left_behind().await.unwrap(), BTreeMap::from([(run, 2)]));
        let (out, _samples) = mpsc::channel(1);
        let options =
            SamplingOptions { period: std::time::Duration::from_secs(1), out, stop: CancellationToken::new() };
        assert_eq!(able.sampling().unwrap().sources(&testkit::deploy(&[]), options).await.len(), 1);
    }
}
