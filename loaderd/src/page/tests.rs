//! The page's guards and answers, over a registry of recorded runs and a fake platform.

use std::{collections::HashMap, fs, num::NonZeroU32, path::Path, sync::Arc, time::Duration};

use axum::{Router, body::Body, response::Response};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use loader_proto::v1;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::{
    access::{Digest, Guard, ListenerKind, Peer, Policy, Role, Sessions, Token},
    clock::Clock,
    control::WireCodec,
    metrics::Metrics,
    platform::{
        Platform,
        fake::{Deploying, FakePlatform},
    },
    registry::{Ends, Keeping, NeededByStudies, Registry, RegistryTask, Selector, Submission},
    run::{DrainLimits, LoadSettings, Planner, Stations, Telemetry},
    spec::Defaults,
    store::{Retention, Store},
    traces::{Limits, TraceStore},
};

/// The recorded run of mode rps, and that of mode trace.
const RPS: &str = "20261127t091804708-c2aa";
const TRACE: &str = "20261127t091822622-2935";

/// A page over a state directory.
struct Served {
    router: Router,
    guard: Guard,
    registry: Registry,
    end: CancellationToken,
    ends: Ends,
    tasks: JoinSet<()>,
    state: tempfile::TempDir,
}

fn policy(loopback: Option<Role>, tokens: &[&str]) -> Policy {
    let token = |name: &&str| Token {
        name: (*name).to_owned(),
        role: Role::Read,
        digest: Digest::of(format!("secret of {name}").as_bytes()),
    };
    Policy { loopback, tokens: tokens.iter().map(token).collect(), ..Policy::default() }
}

fn codec() -> WireCodec {
    WireCodec { defaults: Defaults { platform: "local".to_owned() } }
}

/// Puts recorded runs where a daemon has its own.
fn put_runs(state: &Path) {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/tests/runs");
    for (mode, id) in [("rps", RPS), ("trace", TRACE)] {
        let to = state.join("runs").join(id);
        fs::create_dir_all(&to).expect("makes");
        for file in fs::read_dir(recorded.join(mode)).expect("lists") {
            let file = file.expect("an entry").path();
            fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("copies");
        }
    }
}

fn stations(state: &Path, platforms: HashMap<&'static str, Arc<dyn Platform>>, ends: &Ends) -> (Stations, TraceStore) {
    let limits =
        Limits { max_bytes: 0, max_total_bytes: 0, max_client_bytes: 0, max_count: 1, max_per_client: 1, expire: None };
    let traces = TraceStore::open(&state.join("traces"), limits).expect("opens");
    let planner = Planner {
        traces: traces.clone(),
        trace_roots: Vec::new(),
        platforms: platforms.clone(),
        connections: 1,
        max_files: u64::MAX,
        memory: u64::MAX,
    };
    let load = LoadSettings {
        workers: 1,
        connections: 1,
        isolation: crate::dispatch::Isolation::default(),
        heartbeat: crate::dispatch::Heartbeat::new(Clock),
    };
    let stations = Stations {
        platforms,
        planner: Arc::new(planner),
        load,
        drain: DrainLimits { shutdown: Duration::from_secs(1), skip_drain: ends.skip_drain.clone() },
        sampling_period: Duration::from_secs(5),
        telemetry: Telemetry { metrics: Metrics::new(), tracer: None, clock: Clock },
    };
    (stations, traces)
}

impl Served {
    fn start(policy: Policy) -> Self {
        let state = tempfile::tempdir().expect("a directory");
        put_runs(state.path());
        let store = Store::open(state.path(), Arc::new(codec())).expect("opens");
        let platform: Arc<dyn Platform> = Arc::new(FakePlatform::new("local").deploying(Deploying::Waits));
        let platforms = HashMap::from([("local", platform)]);
        let ends = Ends::default();
        let (stations, traces) = stations(state.path(), platforms.clone(), &ends);
        let (retention, needed) =
            (watch::channel(Retention::default()).1, watch::channel(NeededByStudies::default()).1);
        let keeping = Keeping { retention, traces, needed };
        let (task, registry) =
            RegistryTask::recover(store.clone(), Arc::new(stations), keeping, ends.clone()).expect("recovers");
        let guard = Guard::new(policy, NonZeroU32::MAX);
        let handles = PageHandles {
            guard: guard.clone(),
            sessions: Sessions::default(),
            hosts: Hosts { address: [127, 0, 0, 1].into(), names: Vec::new() },
            registry: registry.clone(),
            store,
            platforms,
            host: "bench".to_owned(),
            clock: Clock,
        };
        let ((page, ticker), _) = Page::open(handles, "http://localhost:9480".to_owned());
        let (end, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(task.run());
        tasks.spawn(ticker.run(end.clone()));
        Self { router: router(page), guard, registry, end, ends, tasks, state }
    }

    async fn ask(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("never fails")
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
        let response = self.ask(request("GET", path, headers, "")).await;
        (response.status(), text(response).await)
    }

    async fn submit(&self) -> String {
        let spec = v1::RunSpec { mode: Some(v1::run_spec::Mode::Rps(v1::RpsMode::default())), ..Default::default() };
        let submission = Submission {
            spec: codec().submitted(&spec),
            name: "under way".to_owned(),
            mode: "rps",
            platform: "local".to_owned(),
            owner: "ann".to_owned(),
            idempotency_key: String::new(),
            study: None,
        };
        self.registry.submit(submission).await.expect("is taken").view.file.run_id.to_string()
    }

    async fn stop(mut self) {
        self.end.cancel();
        self.ends.shutdown.cancel();
        self.ends.interrupt.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("does not break");
        }
        drop(self.state);
    }
}

fn peer(listener: ListenerKind) -> Peer {
    Peer { listener, address: Some(([127, 0, 0, 1], 5).into()), certificate: None }
}

/// A request over loopback, for `localhost` unless it says otherwise.
fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "localhost:9480");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body.to_owned())).expect("a request");
    request.extensions_mut().insert(peer(ListenerKind::Loopback));
    request
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.expect("is sent").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// The next event of a stream.
async fn event(body: &mut Body) -> serde_json::Value {
    loop {
        let frame = body.frame().await.expect("goes on").expect("is sent");
        let data = frame.into_data().expect("data");
        let text = String::from_utf8(data.to_vec()).expect("text");
        if let Some(data) = text.lines().find_map(|line| line.strip_prefix("data: ")) {
            return serde_json::from_str(data).expect("JSON");
        }
    }
}

fn cookie(response: &Response) -> String {
    let line = response.headers()[header::SET_COOKIE].to_str().expect("text");
    assert!(line.contains("; HttpOnly; SameSite=Strict") && line.contains("; Path=/;"), "{line}");
    line.split(';').next().expect("a pair").to_owned()
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let served = Served::start(policy(Some(Role::Read), &[]));
    for path in ["/", "/live", "/compare", &format!("/runs/{RPS}")] {
        for (headers, expected) in [
            (("host", "evil.example:9480"), StatusCode::MISDIRECTED_REQUEST),
            (("origin", "https://evil.example"), StatusCode::FORBIDDEN),
            (("sec-fetch-site", "cross-site"), StatusCode::FORBIDDEN),
            (("sec-fetch-site", "same-site"), StatusCode::FORBIDDEN),
        ] {
            let (status, body) = served.get(path, &[headers]).await;
            assert_eq!(status, expected, "{path} {headers:?}");
            assert!(!body.contains("c2aa"), "{path} {headers:?}: {body}");
        }
    }
    for path in ["/session", "/session/end"] {
        let asked = request("POST", path, &[("origin", "null")], "token=x");
        assert_eq!(served.ask(asked).await.status(), StatusCode::FORBIDDEN);
    }
    for (method, path) in [("GET", "/"), ("GET", "/runs/x"), ("POST", "/session"), ("PUT", "/"), ("GET", "/session")] {
        let response = served.ask(request(method, path, &[], "")).await;
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().expect("text"));
        let policy = header("content-security-policy").expect("has one");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        assert_eq!(header("cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(header("cache-control"), Some("no-store"), "{method} {path}");
        assert_eq!(header("access-control-allow-origin"), None);
    }
    served.stop().await;
}

#[tokio::test]
async fn nothing_is_changed_by_any_request() {
    let served = Served::start(policy(Some(Role::Admin), &[]));
    for path in ["/", "/live", "/compare", &format!("/runs/{RPS}")] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let status = served.ask(request(method, path, &[], "")).await.status();
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
    served.stop().await;
}

#[tokio::test]
async fn a_token_opens_a_session_that_ends_with_it() {
    let served = Served::start(policy(None, &["ann", "bob"]));
    let (status, body) = served.get("/", &[]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(body.contains("name=\"token\"") && !body.contains(RPS), "{body}");
    for wrong in ["token=wrong", "code=00", "", "token=", "x=secret+of+ann"] {
        let response = served.ask(request("POST", "/session", &[], wrong)).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(!response.headers().contains_key(header::SET_COOKIE));
    }
    let long = format!("token={}", "x".repeat(5000));
    assert_eq!(served.ask(request("POST", "/session", &[], &long)).await.status(), StatusCode::PAYLOAD_TOO_LARGE);

    let opened = served.ask(request("POST", "/session", &[], "token=secret+of+ann%0A")).await;
    assert_eq!((opened.status(), opened.headers()[header::LOCATION].as_bytes()), (StatusCode::SEE_OTHER, &b"/"[..]));
    let ann = cookie(&opened);
    let (status, body) = served.get("/", &[("cookie", &ann)]).await;
    assert!(status == StatusCode::OK && body.contains(RPS) && body.contains("Log out"), "{status} {body}");
    assert_eq!(served.get("/", &[("cookie", "loader_session_9480=00")]).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(served.get("/", &[("authorization", "Bearer secret of bob")]).await.0, StatusCode::OK);
    let both = [("cookie", ann.as_str()), ("authorization", "Bearer wrong")];
    assert_eq!(served.get("/", &both).await.0, StatusCode::UNAUTHORIZED);

    // Over TLS the cookie is for TLS alone.
    let mut secured = request("POST", "/session", &[], "token=secret+of+bob");
    secured.extensions_mut().insert(peer(ListenerKind::Tls));
    let secured = served.ask(secured).await;
    assert!(secured.headers()[header::SET_COOKIE].to_str().expect("text").ends_with("; Secure"));
    let bob = cookie(&secured);

    let mut stream = served.ask(request("GET", "/live", &[("cookie", &ann)], "")).await.into_body();
    event(&mut stream).await;
    let mut other = served.ask(request("GET", "/live", &[("cookie", &bob)], "")).await.into_body();
    event(&mut other).await;
    // A reload revokes one token: its sessions and streams end, and no others.
    served.guard.replace(policy(None, &["bob"]), NonZeroU32::MAX);
    while let Some(frame) = stream.frame().await {
        frame.expect("ends in an orderly way");
    }
    event(&mut other).await;
    assert_eq!(served.get("/", &[("cookie", &ann)]).await.0, StatusCode::UNAUTHORIZED);

    let out = served.ask(request("POST", "/session/end", &[("cookie", &bob)], "")).await;
    assert!(cookie(&out).ends_with('='), "{out:?}");
    assert_eq!(served.get("/", &[("cookie", &bob)]).await.0, StatusCode::UNAUTHORIZED);
    while let Some(frame) = other.frame().await {
        frame.expect("ends in an orderly way");
    }
    served.stop().await;
}

#[tokio::test]
async fn an_address_lets_its_caller_in_once() {
    let served = Served::start(policy(None, &["ann"]));
    let sessions = Sessions::default();
    let entrance = Entrance { address: "http://localhost:9480".to_owned(), guard: served.guard.clone(), sessions };
    let credentials = crate::access::Credentials { peer: peer(ListenerKind::Loopback), token: None };
    let now = Clock.now();
    let (address, expires) = entrance.open(credentials.clone(), "ann", now).expect("is free");
    let code = address.strip_prefix("http://localhost:9480/#code=").expect("is in the fragment");
    assert!(expires.is_some() && entrance.sessions.redeem(code.as_bytes(), now).is_some());
    // Where all who reach the page may read it, none is needed; over TLS nobody is known by the address alone.
    served.guard.replace(policy(Some(Role::Read), &[]), NonZeroU32::MAX);
    let open = entrance.open(credentials.clone(), "ann", now);
    assert_eq!(open, Ok(("http://localhost:9480/".to_owned(), None)));
    let secured = Entrance { address: "https://loader.example:9480".to_owned(), ..entrance };
    let (address, _) = secured.open(credentials, "ann", now).expect("is free");
    assert!(address.starts_with("https://loader.example:9480/#code="), "{address}");
    served.stop().await;
}

#[tokio::test]
async fn the_list_is_searched_and_leads_to_reports_and_comparisons() {
    let served = Served::start(policy(Some(Role::Read), &[]));
    let (_, body) = served.get("/", &[]).await;
    assert!(body.contains(&format!("href=\"/runs/{RPS}\"")) && body.contains(TRACE), "{body}");
    assert!(body.contains("Read these figures with care") || body.contains("can be relied on"), "{body}");
    let (_, body) = served.get("/?q=RPS+succeed", &[]).await;
    assert!(body.contains(RPS) && !body.contains(TRACE), "{body}");
    let (_, body) = served.get(&format!("/?before={TRACE}"), &[]).await;
    assert!(body.contains(RPS) && !body.contains(&format!("/runs/{TRACE}")), "{body}");

    let report = served.ask(request("GET", &format!("/runs/{RPS}"), &[], "")).await;
    let sandbox = report.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(sandbox.contains("; sandbox allow-scripts") && sandbox.contains("frame-ancestors 'none'"), "{sandbox}");
    assert!(!sandbox.contains("allow-same-origin") && !sandbox.contains("connect-src"), "{sandbox}");
    assert_eq!(report.headers()["cross-origin-opener-policy"], "unsafe-none");
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/tests/runs/rps");
    let expected = loader_report::page::html(&[loader_report::run::Run::read(&recorded).expect("reads")]);
    assert!(text(report).await == expected, "the report is the one that loaderctl makes");

    for (path, expected, shown) in [
        ("/runs/nonsense", StatusCode::NOT_FOUND, "is not a run id"),
        ("/runs/..%2f..%2fetc", StatusCode::NOT_FOUND, "is not a run id"),
        ("/runs/20261127t091804708-0000", StatusCode::NOT_FOUND, "There is no such run"),
        ("/compare", StatusCode::BAD_REQUEST, "one as B"),
        (&format!("/compare?a={RPS}&b={RPS}"), StatusCode::BAD_REQUEST, "in both groups"),
        (&format!("/compare?a={RPS}&b={TRACE}"), StatusCode::UNPROCESSABLE_ENTITY, "no run of B is left"),
        (&format!("/compare?{}", format!("a={RPS}&").repeat(65)), StatusCode::BAD_REQUEST, "At most 64 runs"),
    ] {
        let (status, body) = served.get(path, &[]).await;
        assert!(status == expected && body.contains(shown), "{path}: {status} {body}");
    }
    served.stop().await;
}

#[tokio::test]
async fn a_run_under_way_is_followed_and_has_no_report_yet() {
    let served = Served::start(policy(Some(Role::Read), &[]));
    let mut stream = served.ask(request("GET", "/live", &[], "")).await.into_body();
    let first = event(&mut stream).await;
    assert!(first["run"].as_str().is_some_and(|html| html.contains("No run is under way")), "{first}");
    let id = served.submit().await;
    let waiting = served.submit().await;
    let now = loop {
        let now = event(&mut stream).await;
        if now["run"].as_str().is_some_and(|html| html.contains("functions are deployed")) {
            break now;
        }
    };
    let run = now["run"].as_str().expect("HTML");
    assert!(run.contains("Under way: <bdi>under way</bdi>") && run.contains(&id), "{run}");
    assert!(now["queue"].as_str().is_some_and(|html| html.contains("Queue (1)") && html.contains(&waiting)), "{now}");
    assert_ne!(first["runs"], now["runs"], "the list has changed");
    let (status, body) = served.get(&format!("/runs/{id}"), &[]).await;
    assert!(status == StatusCode::CONFLICT && body.contains("has not ended"), "{status} {body}");
    let (_, body) = served.get("/", &[]).await;
    assert!(body.contains("deploying") && !body.contains(&format!("href=\"/runs/{id}\"")), "{body}");
    served.stop().await;
}

#[tokio::test]
async fn viewers_are_bounded_and_leave_their_seats() {
    let served = Served::start(policy(Some(Role::Read), &["ann"]));
    let follow = |headers: &'static [(&str, &str)]| served.ask(request("GET", "/live", headers, ""));
    let mut viewers = Vec::new();
    loop {
        let viewer = follow(&[]).await;
        if viewer.status() != StatusCode::OK {
            assert_eq!(viewer.status(), StatusCode::SERVICE_UNAVAILABLE);
            break;
        }
        viewers.push(viewer);
    }
    assert_eq!(viewers.len(), 64);
    let other = follow(&[("authorization", "Bearer secret of ann")]).await;
    assert_eq!(other.status(), StatusCode::OK, "another caller has seats of its own");
    // A viewer that reads nothing holds nobody up, and has the newest snapshot when it reads.
    let mut slow = viewers.pop().expect("some").into_body();
    event(&mut slow).await;
    let id = served.submit().await;
    let selector: Selector = id.parse().expect("an id");
    let mut views = served.registry.watch(selector).await.expect("is known");
    views.wait_for(|view| view.progress.is_some()).await.expect("is deployed");
    let mut quick = viewers.pop().expect("some").into_body();
    while !event(&mut quick).await["run"].as_str().is_some_and(|html| html.contains(&id)) {}
    let now = event(&mut slow).await;
    assert!(now["run"].as_str().is_some_and(|html| html.contains(&id)), "it skips what it has missed: {now}");
    drop(viewers);
    assert_eq!(follow(&[]).await.status(), StatusCode::OK);
    served.stop().await;
}
