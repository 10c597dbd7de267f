//! Instances in this process, over in-memory pipes, and a client of the gateway: everything runs on the paused clock.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Request, Response, Version};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    client::conn::http2::SendRequest,
    server::conn::http2::Builder,
    service::service_fn,
};
use tokio::{
    io::{DuplexStream, duplex},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::sleep,
};
use tokio_util::task::AbortOnDropHandle;

use super::super::super::{
    instance::{Client, Exit, Launch, Process, Stream},
    live::{self, Order},
};
use super::*;

const PIPE: usize = 256 * 1024;

/// How the fakes behave.
#[derive(Debug, Clone)]
pub(super) struct Behaviour {
    /// How long they take until they listen; `None`: for ever.
    pub(super) start: Option<Duration>,
    /// How long they take to stop.
    pub(super) stop: Duration,
    /// The exit with which they end at once; absent when they don't.
    pub(super) dies: Option<&'static str>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { start: Some(Duration::from_millis(10)), stop: Duration::from_millis(5), dies: None }
    }
}

/// What the fakes observed.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// By instance: calls at work now, and most at once.
    pub(super) calls: BTreeMap<String, (u32, u32)>,
    /// Processes now, and most at once.
    pub(super) alive: (u32, u32),
}

/// A launcher of fake instances.
#[derive(Debug, Default)]
pub(super) struct Fakes {
    pub(super) behaviour: Behaviour,
    pub(super) observed: Arc<Mutex<Observed>>,
    listeners: Arc<Mutex<HashMap<u16, mpsc::Sender<DuplexStream>>>>,
    tasks: TaskTracker,
}

impl Fakes {
    pub(super) fn alive(&self) -> u32 {
        self.observed.lock().unwrap().alive.0
    }

    /// By function: how many instances took calls, and the most calls that one took at once.
    pub(super) fn by_function(&self) -> BTreeMap<String, (u32, u32)> {
        let mut functions: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        for (instance, (_, most)) in &self.observed.lock().unwrap().calls {
            let function = instance.rsplit_once('-').unwrap().0;
            let entry = functions.entry(function.to_owned()).or_default();
            *entry = (entry.0 + 1, entry.1.max(*most));
        }
        functions
    }
}

#[tonic::async_trait]
impl Launcher for Fakes {
    fn launch_error(&self) -> Option<String> {
        None
    }

    fn launch(&self, launch: Launch, stop: CancellationToken) -> Process {
        let (listens, listening) = oneshot::channel();
        let (ends, exit) = oneshot::channel();
        let (orders, ordered) = live::orders();
        let (behaviour, observed, listeners) =
            (self.behaviour.clone(), Arc::clone(&self.observed), Arc::clone(&self.listeners));
        {
            let alive = &mut observed.lock().unwrap().alive;
            *alive = (alive.0 + 1, alive.1.max(alive.0 + 1));
        }
        self.tasks.spawn(async move {
            let died = tokio::select! {
                died = instance(launch, &behaviour, &observed, &listeners, listens) => died,
                () = killed(ordered) => "signal: 9 (SIGKILL)",
                () = stop.cancelled() => {
                    sleep(behaviour.stop).await;
                    "stopped"
                }
            };
            observed.lock().unwrap().alive.0 -= 1;
            ends.send(Exit(died.to_owned())).ok();
        });
        Process { listening, exit, orders }
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let (near, far) = duplex(PIPE);
        let listener = self.listeners.lock().unwrap().get(&address.port()).cloned();
        listener.unwrap().send(far).await.map_err(io::Error::other)?;
        Ok(Box::new(near))
    }
}

/// Waits until it is killed. Pauses have no effect on a task.
async fn killed(mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        if order == Order::Kill {
            return;
        }
    }
    std::future::pending().await
}

async fn instance(
    launch: Launch,
    behaviour: &Behaviour,
    observed: &Arc<Mutex<Observed>>,
    listeners: &Mutex<HashMap<u16, mpsc::Sender<DuplexStream>>>,
    listens: oneshot::Sender<SocketAddr>,
) -> &'static str {
    if let Some(exit) = behaviour.dies {
        return exit;
    }
    match behaviour.start {
        Some(start) => sleep(start).await,
        None => std::future::pending().await,
    }
    let (connect, mut connections) = mpsc::channel(1);
    let port = {
        let mut listeners = listeners.lock().unwrap();
        let port = u16::try_from(listeners.len() + 1).unwrap();
        listeners.insert(port, connect);
        port
    };
    listens.send(SocketAddr::from(([127, 0, 0, 1], port))).ok();
    let die = CancellationToken::new();
    let mut tasks = JoinSet::new();
    loop {
        let stream = tokio::select! {
            Some(stream) = connections.recv() => stream,
            () = die.cancelled() => return "signal: 9 (SIGKILL)",
        };
        let (name, observed, die) = (launch.instance.clone(), Arc::clone(observed), die.clone());
        let service = service_fn(move |request| {
            serve(request, name.clone(), Arc::clone(&observed), die.clone()).map(Ok::<_, Infallible>)
        });
        tasks.spawn(Builder::new(Tasks::default()).serve_connection(TokioIo::new(stream), service));
    }
}

/// Counts a call while it lasts.
struct AtWork(String, Arc<Mutex<Observed>>);

impl AtWork {
    fn new(instance: String, observed: Arc<Mutex<Observed>>) -> Self {
        {
            let mut observed = observed.lock().unwrap();
            let (now, most) = observed.calls.entry(instance.clone()).or_default();
            *now += 1;
            *most = (*most).max(*now);
        }
        Self(instance, observed)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.1.lock().unwrap().calls.get_mut(&self.0).unwrap().0 -= 1;
    }
}

/// Works for the milliseconds that the path names, or dies at `/die`; echoes body, `x-` headers and, as trailers, `t-`
/// headers.
async fn serve(
    request: Request<Incoming>,
    instance: String,
    observed: Arc<Mutex<Observed>>,
    die: CancellationToken,
) -> Response<BoxBody<Bytes, hyper::Error>> {
    let work = AtWork::new(instance.clone(), observed);
    match request.uri().path().trim_start_matches('/').parse() {
        Ok(millis) => sleep(Duration::from_millis(millis)).await,
        Err(_) => {
            die.cancel();
            std::future::pending::<()>().await;
        }
    }
    assert_eq!(request.version(), Version::HTTP_2);
    let mut response = Response::builder().header("x-instance", instance);
    let mut trailers = HeaderMap::new();
    for (name, value) in request.headers() {
        if name.as_str().starts_with("x-") {
            response = response.header(name, value);
        } else if name.as_str().starts_with("grpc-") {
            trailers.insert(name.clone(), value.clone());
        }
    }
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    drop(work);
    let frames = [body.map(Frame::data), Ok(Frame::trailers(trailers))];
    response.body(BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames)))).unwrap()
}

/// A local platform on fakes, and a client of its gateway.
pub(super) struct Bench {
    pub(super) local: Arc<Local>,
    pub(super) fakes: Arc<Fakes>,
    client: SendRequest<Full<Bytes>>,
    connection: AbortOnDropHandle<()>,
}

/// The response to a call.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    pub(super) trailers: Option<HeaderMap>,
}

impl Bench {
    pub(super) async fn new(behaviour: Behaviour, max_instances: u32) -> Self {
        Self::with(behaviour, Settings { max_instances, ..Settings::default() }).await
    }

    pub(super) async fn with(behaviour: Behaviour, settings: Settings) -> Self {
        let fakes = Arc::new(Fakes { behaviour, ..Fakes::default() });
        let capacity = Capacity::new(settings.max_instances, 1000);
        let launcher = Arc::clone(&fakes) as Arc<dyn Launcher>;
        let local = Arc::new(Local::with(launcher, capacity, settings, Clock).await.unwrap());
        let (near, far) = duplex(PIPE);
        local.gateway.tasks.spawn(Arc::clone(&local.gateway).serve(far));
        let (client, connection) =
            hyper::client::conn::http2::handshake(Tasks::default(), TokioIo::new(near)).await.unwrap();
        let connection = AbortOnDropHandle::new(local.gateway.tasks.spawn(connection.map(drop)));
        Self { local, fakes, client, connection }
    }

    pub(super) async fn deploy(&self, functions: Vec<FunctionDeployment>) -> Result<Deployment, PlatformError> {
        let deploy = Deploy { run: run(), functions, ..testkit::deploy(&[]) };
        self.local.deploy(deploy, watch::channel(0).0, CancellationToken::new()).await
    }

    /// Calls a function, with headers.
    pub(super) fn call(
        &self,
        function: &str,
        path: &str,
        headers: &[(&'static str, &'static str)],
    ) -> impl Future<Output = Reply> + Send + 'static {
        let mut request = Request::post(format!("http://{}/{path}", route::authority(function, &run())));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::from("body")).unwrap())
    }

    pub(super) fn send(&self, request: Request<Full<Bytes>>) -> impl Future<Output = Reply> + Send + 'static {
        let sent = self.client.clone().send_request(request);
        async move {
            let (parts, body) = sent.await.unwrap().into_parts();
            let body = body.collect().await.unwrap();
            let trailers = body.trailers().cloned();
            let body = String::from_utf8(body.to_bytes().to_vec()).unwrap();
            Reply { status: parts.status.as_u16(), headers: parts.headers, body, trailers }
        }
    }

    /// An instance outside of any function, and its connection, which has to be driven.
    pub(super) async fn instance(
        &self,
        name: &str,
        stop: &CancellationToken,
    ) -> (Client, impl Future<Output = hyper::Result<()>> + use<>) {
        let launch = Launch {
            run: RunId::new(0, 0),
            function: String::new(),
            kind: String::new(),
            startup_busy_loop: Duration::ZERO,
            instance: name.to_owned(),
        };
        let process = self.fakes.launch(launch, stop.clone());
        let stream = self.fakes.connect(process.listening.await.unwrap()).await.unwrap();
        hyper::client::conn::http2::handshake(Tasks::default(), TokioIo::new(stream)).await.unwrap()
    }

    /// Ends the client's connection.
    pub(super) fn disconnect(self) -> (Arc<Local>, Arc<Fakes>) {
        drop(self.client);
        drop(self.connection);
        (self.local, self.fakes)
    }
}

/// The id of the run that the tests share.
pub(super) fn run() -> RunId {
    RunId::new(1_795_444_301_123, 7)
}

pub(super) use crate::platform::testkit::function;

/// A function with a scaling of its own.
pub(super) fn scaled(name: &str, initial: u32, min: u32, max: Option<u32>) -> FunctionDeployment {
    let function = function(name);
    FunctionDeployment { scaling: Scaling { initial, min, max, ..function.scaling }, ..function }
}
