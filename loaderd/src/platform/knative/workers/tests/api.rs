//! The whole life of a run's workers, against an API server that is a function.
//!
//! Its answers have the form of the recorded ones: lists of metadata, a Status for a deletion and for a refusal.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Method, Request, Response, StatusCode};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::platform::Platform as _;

/// An API server with one Job at most, and what it was asked.
#[derive(Default)]
struct Server {
    /// Verbs and resources that are refused.
    forbidden: Vec<&'static str>,
    /// The statuses of the Job's pods, by index.
    pods: Vec<Value>,
    /// A Job that is deleted stays, as one with a pod on a node that is away.
    stays: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: Vec<String>,
    job: Option<Value>,
    secret: Option<Value>,
    deleted_by: Option<Value>,
}

impl Server {
    /// The platform of a daemon that has this server.
    fn platform(self) -> (Knative, Arc<Self>) {
        let workers = WorkerSettings {
            listen: Some("10.0.0.7:9490".parse().unwrap()),
            advertise: None,
            image: Some("registry.example/loaderd:0.1.0".to_owned()),
        };
        let knative =
            Knative::new(Settings { namespace: Some("loader".to_owned()), workers, ..Settings::default() }, Clock);
        let server = Arc::new(self);
        let answering = Arc::clone(&server);
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = Arc::clone(&answering);
            async move { server.answer(request).await }
        });
        knative.cluster.use_client(Client::new(service, "loader"), "loader");
        (knative, server)
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, tower::BoxError> {
        let (parts, body) = request.into_parts();
        let resource = parts.uri.path().split('/').skip_while(|part| *part != "namespaces").nth(2);
        let resource = resource.unwrap_or("reviews").to_owned();
        let query = parts.uri.query().unwrap_or_default();
        let verb = match parts.method {
            Method::POST => "create",
            Method::DELETE => "delete",
            _ if query.contains("watch=") => "watch",
            _ => "list",
        };
        if verb == "watch" {
            // Nothing more happens.
            std::future::pending::<()>().await;
        }
        let body: Value = serde_json::from_slice(&body.collect_bytes().await?).unwrap_or_default();
        let mut state = self.state.lock().unwrap();
        if resource != "reviews" {
            state.asked.push(format!("{verb} {resource}"));
        }
        let (code, answer) = self.judge(&mut state, &format!("{verb} {resource}"), body);
        let response = Response::builder().status(StatusCode::from_u16(code)?);
        Ok(response.body(Body::from(answer.to_string().into_bytes()))?)
    }

    fn judge(&self, state: &mut State, asked: &str, mut body: Value) -> (u16, Value) {
        let list = |items: Vec<Value>| json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items});
        if self.forbidden.contains(&asked) {
            let message = format!("{asked} is forbidden: User \"loaderd\" cannot {asked}");
            return (
                403,
                json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "message": message, "code": 403}),
            );
        }
        match asked {
            "create reviews" => {
                let wanted = &body["spec"]["resourceAttributes"];
                let wanted = [&wanted["verb"], &wanted["resource"]].map(|it| it.as_str().unwrap_or_default()).join(" ");
                body["status"] = json!({"allowed": !self.forbidden.contains(&wanted.as_str())});
                (201, body)
            }
            "create jobs" => {
                body["metadata"]["uid"] = json!("uid-of-the-job");
                state.job = Some(body.clone());
                (201, body)
            }
            "create secrets" => {
                state.secret = Some(body.clone());
                (201, body)
            }
            "delete jobs" => {
                if !self.stays {
                    state.job = None;
                }
                state.deleted_by = Some(body);
                (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
            }
            "list jobs" => {
                let metadata = |job: Value| json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": job["metadata"]});
                (200, list(state.job.clone().map(metadata).into_iter().collect()))
            }
            "list pods" if state.job.is_some() => {
                let pods =
                    (0..).zip(&self.pods).map(|(index, status)| pod(&format!("w-{index}"), index, status.clone()));
                (200, list(pods.map(|pod| serde_json::to_value(pod).unwrap()).collect()))
            }
            _ => (200, list(Vec::new())),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

#[tokio::test]
async fn workers_are_started_followed_and_ended() {
    let running = json!({"phase": "Running", "containerStatuses": container(json!({"running": {}}))});
    let server = Server {
        pods: vec![running, terminated(json!({"exitCode": 137, "reason": "OOMKilled"}))],
        ..Server::default()
    };
    let (knative, server) = server.platform();
    let request = request(WorkerPlacement::default());
    let run = request.run.clone();
    let (news, mut received) = mpsc::channel(8);
    knative.workers().unwrap().start(request.clone(), news).await.unwrap();
    assert_eq!(server.asked()[..2], ["create jobs", "create secrets"]);
    {
        let state = server.state.lock().unwrap();
        let secret = state.secret.as_ref().unwrap();
        assert_eq!(secret["metadata"]["ownerReferences"][0]["uid"], "uid-of-the-job");
        assert_eq!(secret["stringData"]["token"], "a secret");
    }
    let mut states = Vec::new();
    for _ in 0..3 {
        states.push(received.recv().await.unwrap().state);
    }
    let expected = [
        WorkerState::Running { node: "node-7".to_owned(), pod: "w-0".to_owned() },
        WorkerState::Gone {
            reason: "OOMKilled: it needed more than its limit of memory (workers.memoryMib)".to_owned(),
        },
        WorkerState::Pending("the Job has not created its pod yet".to_owned()),
    ];
    assert_eq!(states, expected);
    let twice = knative.start(request, mpsc::channel(1).0).await.unwrap_err().to_string();
    assert_eq!(twice, format!("platform knative: the workers of run {run} were started already"));
    knative.stop(&run, &never()).await.unwrap();
    assert_eq!(received.recv().await, None);
    let deleted = server.state.lock().unwrap().deleted_by.clone().unwrap();
    assert_eq!(deleted["propagationPolicy"], "Foreground");
    // Again, and by the clean-up of a run that has none any more.
    knative.stop(&run, &never()).await.unwrap();
    knative.shutdown().await;
}

fn never() -> CancellationToken {
    CancellationToken::new()
}

#[tokio::test(start_paused = true)]
async fn what_cannot_end_is_left_to_the_cluster_after_seconds_and_at_once_where_the_run_is_cancelled() {
    for (cancelled_after, seconds) in [(None, 15), (Some(4), 4), (Some(0), 0)] {
        let (knative, server) = Server { stays: true, ..Server::default() }.platform();
        let request = request(WorkerPlacement::default());
        knative.begin(&request.run);
        let (news, _received) = mpsc::channel(8);
        knative.start(request.clone(), news).await.unwrap();
        let (begun, hurry) = (Clock.now(), never());
        let cancels = async {
            if let Some(seconds) = cancelled_after {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                hurry.cancel();
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            () = cancels => unreachable!("it never ends"),
            ended = knative.stop(&request.run, &hurry) => ended.unwrap(),
        }
        assert_eq!(begun.elapsed().as_secs(), seconds);
        assert_eq!(server.state.lock().unwrap().deleted_by.as_ref().unwrap()["propagationPolicy"], "Foreground");
        // Nobody waits for it a second time; the next start finds it.
        knative.clean(&request.run).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), seconds);
        assert_eq!(knative.left_behind().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn missing_permissions_are_named_with_the_command_that_grants_them() {
    let (knative, server) = Server { forbidden: vec!["create jobs", "create secrets"], ..Server::default() }.platform();
    let (news, _received) = mpsc::channel(1);
    let refused = knative.start(request(WorkerPlacement::default()), news).await.unwrap_err().to_string();
    let expected = "platform knative: missing permissions for workers: create jobs.batch in namespace loader, create secrets in namespace \
                    loader; an administrator grants them by scripts/cluster/prepare --workers, or kubectl apply -f \
                    config/kubernetes/workers.yaml";
    assert_eq!(refused, expected);
    assert_eq!(server.asked(), [""; 0]);
}

#[tokio::test]
async fn a_secret_that_is_refused_leaves_a_job_that_stop_deletes() {
    let server = Server { forbidden: vec!["create secrets"], ..Server::default() };
    let (knative, server) = server.platform();
    let request = request(WorkerPlacement::default());
    let (news, _received) = mpsc::channel(1);
    let started = Box::pin(knative.start_in("loader", "i", &request, news)).await;
    assert!(started.unwrap_err().to_string().contains("cannot create secrets"));
    assert!(server.state.lock().unwrap().job.is_some());
    knative.stop(&request.run, &never()).await.unwrap();
    assert!(server.state.lock().unwrap().job.is_none());
}

#[tokio::test]
async fn a_clean_up_takes_what_an_earlier_process_has_left_and_needs_no_rights_where_there_is_nothing() {
    let (knative, server) = Server::default().platform();
    let run: RunId = request(WorkerPlacement::default()).run;
    let labelled = filled(WorkerPlacement::default(), job);
    server.state.lock().unwrap().job = Some(labelled);
    assert_eq!(knative.left_behind().await.unwrap(), [(run.clone(), 0)].into());
    knative.clean(&run).await.unwrap();
    assert!(server.state.lock().unwrap().job.is_none());
    let (knative, _server) = Server { forbidden: vec!["list jobs"], ..Server::default() }.platform();
    knative.clean(&run).await.unwrap();
    assert_eq!(knative.left_behind().await.unwrap(), [].into());
}
