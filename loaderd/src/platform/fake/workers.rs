//! Workers that are none: a test sees what was asked for, and says what becomes of them.

use std::sync::Mutex;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Call, FakePlatform};
use crate::{
    id::RunId,
    platform::{CoordinatorListen, PlatformError, StartWorkers, WorkerNews, WorkerState, Workers},
};

/// How a platform for tests starts workers.
#[derive(Debug, Default)]
pub(crate) struct FakeWorkers {
    refusal: Option<&'static str>,
    /// Why a start fails.
    fails: Option<&'static str>,
    tls: bool,
    advertise: Option<&'static str>,
    /// What was asked for last.
    asked: watch::Sender<Option<StartWorkers>>,
    /// Where news of the workers go; nothing: they are stopped.
    news: Mutex<Option<mpsc::Sender<WorkerNews>>>,
}

impl FakeWorkers {
    /// None are started, for this reason.
    pub(crate) fn refused(refusal: &'static str) -> Self {
        Self { refusal: Some(refusal), ..Self::default() }
    }

    /// Starting them fails.
    pub(crate) fn failing(reason: &'static str) -> Self {
        Self { fails: Some(reason), ..Self::default() }
    }

    /// They come from elsewhere: the coordinator listens with TLS, at an address that it advertises.
    pub(crate) fn elsewhere(advertise: &'static str) -> Self {
        Self { tls: true, advertise: Some(advertise), ..Self::default() }
    }
}

impl FakePlatform {
    /// It can start workers.
    pub(crate) fn with_workers(self, workers: FakeWorkers) -> Self {
        Self { workers: Some(workers), ..self }
    }

    fn fake_workers(&self) -> &FakeWorkers {
        self.workers.as_ref().expect("it was given this capability")
    }

    /// Waits until workers were asked for: what was asked.
    pub(crate) async fn asked_to_start_workers(&self) -> StartWorkers {
        let mut asked = self.fake_workers().asked.subscribe();
        let asked = asked.wait_for(Option::is_some).await.expect("lives");
        asked.clone().expect("was waited for")
    }

    /// Something has become of a worker. Gives whether somebody listens: not after the workers were stopped.
    pub(crate) async fn worker_is(&self, index: u32, state: WorkerState) -> bool {
        let news = self.fake_workers().news.lock().expect("whole").clone();
        match news {
            Some(news) => news.send(WorkerNews { index, state }).await.is_ok(),
            None => false,
        }
    }
}

#[tonic::async_trait]
impl Workers for FakePlatform {
    fn refusal(&self) -> Option<String> {
        self.fake_workers().refusal.map(str::to_owned)
    }

    fn listen(&self) -> CoordinatorListen {
        let FakeWorkers { tls, advertise, .. } = self.fake_workers();
        let advertise = advertise.map(str::to_owned);
        CoordinatorListen { address: ([127, 0, 0, 1], 0).into(), tls: *tls, advertise }
    }

    async fn check(&self) -> Result<(), PlatformError> {
        match self.fake_workers().refusal {
            Some(reason) => Err(PlatformError::Platform { platform: self.name, reason: reason.to_owned() }),
            None => Ok(()),
        }
    }

    async fn start(&self, request: StartWorkers, news: mpsc::Sender<WorkerNews>) -> Result<(), PlatformError> {
        self.record(Call::StartWorkers(request.count));
        let workers = self.fake_workers();
        if let Some(reason) = workers.fails {
            return Err(PlatformError::Platform { platform: self.name, reason: reason.to_owned() });
        }
        *workers.news.lock().expect("whole") = Some(news);
        workers.asked.send_replace(Some(request));
        Ok(())
    }

    async fn stop(&self, run: &RunId, _hurry: &CancellationToken) -> Result<(), PlatformError> {
        self.record(Call::StopWorkers(run.clone()));
        *self.fake_workers().news.lock().expect("whole") = None;
        self.reached()
    }
}

mod tests {
    use super::*;
    use crate::platform::{Platform as _, WorkerPlacement, WorkerResources};

    fn request(run: &RunId) -> StartWorkers {
        StartWorkers {
            run: run.clone(),
            count: 2,
            coordinator: "127.0.0.1:1".to_owned(),
            token: "secret".into(),
            ca_pem: None,
            placement: WorkerPlacement::default(),
            resources: WorkerResources { cpu_millicores: 1000, memory_mib: 512 },
        }
    }

    #[tokio::test]
    async fn a_test_sees_what_was_asked_for_and_says_what_becomes_of_the_workers() {
        let fake = FakePlatform::new("local").with_workers(FakeWorkers::default());
        let (workers, run) = (fake.workers().unwrap(), RunId::new(0, 0));
        assert_eq!((workers.refusal(), workers.listen().tls), (None, false));
        let gone = WorkerState::Gone { reason: "killed by signal 9".to_owned() };
        assert!(!fake.worker_is(1, gone.clone()).await);
        let (news, mut received) = mpsc::channel(1);
        let (started, asked) = tokio::join!(workers.start(request(&run), news), fake.asked_to_start_workers());
        started.unwrap();
        assert_eq!(asked, request(&run));
        assert!(!format!("{asked:?}").contains("secret"), "{asked:?}");
        assert!(fake.worker_is(1, gone.clone()).await);
        assert_eq!(received.recv().await, Some(WorkerNews { index: 1, state: gone }));
        workers.stop(&run, &CancellationToken::new()).await.unwrap();
        assert_eq!(received.recv().await, None);
        assert_eq!(fake.calls(), [Call::StartWorkers(2), Call::StopWorkers(run)]);
    }

    #[tokio::test]
    async fn workers_are_refused_or_fail_to_start_as_scripted() {
        let refusing = FakePlatform::new("local").with_workers(FakeWorkers::refused("set workers.listen"));
        assert_eq!(refusing.workers().unwrap().refusal().as_deref(), Some("set workers.listen"));
        let checked = refusing.workers().unwrap().check().await;
        assert_eq!(checked.unwrap_err().to_string(), "platform local: set workers.listen");
        let failing = FakePlatform::new("local").with_workers(FakeWorkers::failing("no room"));
        let (news, _received) = mpsc::channel(1);
        let started = failing.workers().unwrap().start(request(&RunId::new(0, 0)), news).await;
        assert_eq!(started.unwrap_err().to_string(), "platform local: no room");
        let elsewhere = FakePlatform::new("local").with_workers(FakeWorkers::elsewhere("loaderd.example:9472"));
        let CoordinatorListen { tls, advertise, .. } = elsewhere.workers().unwrap().listen();
        assert_eq!((tls, advertise.as_deref()), (true, Some("loaderd.example:9472")));
    }
}
