//! The API server: what Kubernetes answers to the requests that a client of Knative makes.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};

use super::{
    Asked, Failure, SERVICES, Shared, components, controllers,
    function::{Function, Rules},
    garbage, jobs, lock,
    rbac::Attributes,
    refusal::{self, Refusal},
    startup::{Early, Port},
    store::{Change, selects},
};

pub(super) type Body = BoxBody<Bytes, Infallible>;

/// From one bookmark of a watch to the next; a minute on a real server.
const BOOKMARKS: Duration = Duration::from_millis(500);

/// Serves until its task is ended. While the server is away, connections are cut and new ones are refused.
pub(super) async fn serve(port: Port, shared: Arc<Shared>) {
    let mut away = shared.away.subscribe();
    loop {
        let listener = port.listen();
        tokio::select! {
            () = accept(listener, &shared) => return,
            _ = away.wait_for(|away| *away) => {}
        }
        // Fails when the cluster ends.
        let _back = away.wait_for(|away| !*away).await;
    }
}

async fn accept(listener: TcpListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            let mut away = shared.away.subscribe();
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(answer(&shared, request).await) }
            });
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                // The peer may go at any time.
                _ended = connection => {}
                _ = away.wait_for(|away| *away) => {}
            }
        });
    }
}

/// What a path names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Path {
    /// The resource with its group, such as `services.serving.knative.dev`.
    resource: String,
    namespace: String,
    name: String,
    rest: String,
}

impl Path {
    fn parse(path: &str) -> Option<Self> {
        let mut parts = path.trim_matches('/').splitn(8, '/').peekable();
        let group = match parts.next()? {
            "api" => "",
            "apis" => parts.next()?,
            _ => return None,
        };
        let _version = parts.next()?;
        let mut namespace = "";
        let mut resource = parts.next()?;
        let mut name = parts.next().unwrap_or_default();
        if resource == "namespaces" && parts.peek().is_some() {
            namespace = name;
            resource = parts.next()?;
            name = parts.next().unwrap_or_default();
        }
        let rest: Vec<_> = parts.collect();
        let dot = if group.is_empty() { "" } else { "." };
        Some(Self {
            resource: format!("{resource}{dot}{group}"),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            rest: rest.join("/"),
        })
    }

    /// What the authoriser is asked: the first part after the name is the subresource.
    fn attributes<'a>(&'a self, verb: &'a str) -> Attributes<'a> {
        let (resource, group) = self.resource.split_once('.').unwrap_or((&self.resource, ""));
        let subresource = self.rest.split('/').next().unwrap_or_default();
        Attributes { verb, group, resource, subresource, namespace: &self.namespace, name: &self.name }
    }
}

/// The path of an object.
pub(super) fn path_parts(resource: &str, namespace: &str, name: &str) -> Path {
    let [resource, namespace, name] = [resource, namespace, name].map(str::to_owned);
    Path { resource, namespace, name, rest: String::new() }
}

fn query(request: &Request<Incoming>) -> HashMap<String, String> {
    let text = request.uri().query().unwrap_or_default();
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), decoded(value)))
        .collect()
}

/// A value of a query: `%2F` and `+`.
fn decoded(value: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), value.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let code = (*first == b'%').then(|| value.get(value.len() - behind.len()..)?.get(..2)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn json_response(code: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())).boxed());
    *response.status_mut() = StatusCode::from_u16(code).expect("a status");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn text_response(code: u16, text: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(text)).boxed());
    *response.status_mut() = StatusCode::from_u16(code).expect("a status");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Response<Body> {
    let token = lock(&shared.faults).token.clone();
    let shown = request.headers().get(AUTHORIZATION).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if shown != format!("Bearer {token}") {
        let (code, body) = refusal::unauthorized();
        return json_response(code, &body);
    }
    let uri_path = request.uri().path().to_owned();
    if uri_path == "/version" {
        return json_response(
            200,
            &json!({"major": "1", "minor": "36", "gitVersion": "v1.36.2", "gitCommit": "",
            "gitTreeState": "clean", "buildDate": "", "goVersion": "", "compiler": "gc", "platform": "linux/amd64"}),
        );
    }
    let Some(path) = Path::parse(&uri_path) else { return unknown() };
    let query = query(&request);
    let watches = query.get("watch").is_some_and(|watch| watch == "true" || watch == "1");
    let verb = match (request.method(), path.name.is_empty()) {
        (&Method::GET, true) if watches => "watch",
        (&Method::GET, true) => "list",
        (&Method::GET, false) => "get",
        (&Method::PATCH, _) => "patch",
        (&Method::POST, _) => "create",
        (&Method::DELETE, _) => "delete",
        _ => return unknown(),
    };
    lock(&shared.asked).push(Asked { verb, resource: path.resource.clone(), name: path.name.clone() });
    let attributes = path.attributes(verb);
    if let Some(refused) = refused_at_once(shared, &attributes) {
        return refused;
    }
    if let Some(page) = lock(&shared.pages).get(&uri_path) {
        return text_response(200, page.clone());
    }
    if path.resource == "pods" && path.rest.starts_with("proxy") {
        let (pod, port) = path.name.split_once(':').unwrap_or((&path.name, "80"));
        let is_there = lock(&shared.store).get("pods", &path.namespace, pod).is_some();
        let refusal = if is_there { refusal::port_closed(port) } else { refusal::not_found("pods", pod) };
        return json_response(refusal.0, &refusal.1);
    }
    if matches!(path.rest.as_str(), "scale" | "eviction") {
        return subresource(shared, verb, &path, request).await.unwrap_or_else(unknown);
    }
    let ours = KNOWN.contains(&path.resource.as_str()) || path.resource.ends_with(".knative.dev");
    if !ours || !path.rest.is_empty() {
        return unknown();
    }
    let partial = request
        .headers()
        .get(ACCEPT)
        .and_then(|it| it.to_str().ok())
        .is_some_and(|it| it.contains("PartialObjectMetadata"));
    match verb {
        "watch" => watch(shared, &path, &query),
        "list" => list(shared, &path, &query, partial),
        "get" => get(shared, &path),
        "delete" => {
            let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            match garbage::delete(shared, &path.resource, &path.namespace, &path.name, garbage::Cascade::of(&body)) {
                Some(removed) => deleted(&path, &removed),
                None => refused(&path),
            }
        }
        _ => {
            let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let Ok(object) = serde_json::from_slice::<Value>(&body) else {
                return json_response(
                    400,
                    &json!({"kind": "Status", "code": 400, "reason": "BadRequest", "message": "bad JSON"}),
                );
            };
            if verb == "create" { create(shared, &path, object) } else { patch(shared, &path, &query, object) }
        }
    }
}

/// A new object; or a review, which is kept nowhere.
fn create(shared: &Arc<Shared>, path: &Path, object: Value) -> Response<Body> {
    if !matches!(path.resource.as_str(), jobs::JOBS | jobs::SECRETS) {
        return review(shared, object);
    }
    let created = jobs::create(shared, &path.resource, &path.namespace, object);
    let (code, body) = created.map_or_else(|refusal| refusal, |created| (201, created));
    json_response(code, &body)
}

/// Resources that are known, besides those of Knative.
const KNOWN: [&str; 10] = [
    jobs::EVENTS,
    jobs::JOBS,
    jobs::SECRETS,
    "deployments.apps",
    "pods",
    "nodes",
    "namespaces",
    "services",
    "configmaps",
    "selfsubjectaccessreviews.authorization.k8s.io",
];

/// A request about a part of an object; nothing for what is not known.
async fn subresource(shared: &Shared, verb: &str, path: &Path, request: Request<Incoming>) -> Option<Response<Body>> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let of = [&path.resource, &path.namespace, &path.name, &path.rest].map(String::as_str);
    components::answer(shared, verb, of, &body)
}

/// `404-unknown-resource.json`, which is no JSON.
fn unknown() -> Response<Body> {
    text_response(404, "404 page not found\n".to_owned())
}

/// The answer to a request that the server refuses before it looks at an object.
fn refused_at_once(shared: &Shared, asked: &Attributes<'_>) -> Option<Response<Body>> {
    let early = lock(&shared.faults).early;
    if Early::hides(early, asked) {
        return Some(unknown());
    }
    let (code, body) = if Early::refuses(early) {
        refusal::unavailable()
    } else if Early::forbids(early) || forbidden(shared, asked) {
        refusal::forbidden(asked)
    } else {
        return None;
    };
    Some(json_response(code, &body))
}

/// Whether the roles do not allow a request, or a test has forbidden it.
fn forbidden(shared: &Shared, asked: &Attributes<'_>) -> bool {
    // Every identity may ask what it may do: the ClusterRole `system:basic-user`.
    if asked.group == "authorization.k8s.io" && asked.resource == "selfsubjectaccessreviews" {
        return false;
    }
    let dot = if asked.group.is_empty() { "" } else { "." };
    let resource = format!("{}{dot}{}", asked.resource, asked.group);
    let faults = lock(&shared.faults);
    !faults.permissions.allow(asked) || faults.forbidden.iter().any(|(verb, of)| verb == asked.verb && *of == resource)
}

fn refused(path: &Path) -> Response<Body> {
    let (code, body) = refusal::not_found(&path.resource, &path.name);
    json_response(code, &body)
}

fn get(shared: &Shared, path: &Path) -> Response<Body> {
    let store = lock(&shared.store);
    store.get(&path.resource, &path.namespace, &path.name).map_or_else(|| refused(path), |it| json_response(200, it))
}

/// SelfSubjectAccessReview: what a request with these attributes would meet. One without a name is about all objects.
fn review(shared: &Shared, mut object: Value) -> Response<Body> {
    let asked = &object["spec"]["resourceAttributes"];
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let attributes = Attributes {
        verb: text("verb"),
        group: text("group"),
        resource: text("resource"),
        subresource: text("subresource"),
        namespace: text("namespace"),
        name: text("name"),
    };
    let allowed = !forbidden(shared, &attributes);
    object["status"] = json!({"allowed": allowed});
    json_response(201, &object)
}

/// A page of a list. The continue token is the name of the last object.
fn list(shared: &Shared, path: &Path, query: &HashMap<String, String>, partial: bool) -> Response<Body> {
    let store = lock(&shared.store);
    let selector = query.get("labelSelector").map_or("", String::as_str);
    let limit =
        query.get("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let after = query.get("continue").cloned().unwrap_or_default();
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let fields = query.get("fieldSelector").map_or("", String::as_str);
    let is_wanted = |it: &&Value| selects(selector, it) && has_fields(fields, it) && name(it) > after;
    let selected = store.list(&path.resource, &path.namespace).filter(is_wanted);
    let mut items: Vec<Value> = selected.take(limit.saturating_add(1)).cloned().collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(&name).unwrap_or_default() } else { String::new() };
    let (mut kind, mut api_version) = ("List", "v1");
    if partial {
        (kind, api_version) = ("PartialObjectMetadataList", "meta.k8s.io/v1");
        for item in &mut items {
            *item = json!({"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": item["metadata"]});
        }
    }
    let metadata = json!({"resourceVersion": store.version().to_string(), "continue": next});
    json_response(200, &json!({"kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items}))
}

/// Whether a field selector selects an object: each field that it names has this text, or has another where it says `!=`.
fn has_fields(selector: &str, object: &Value) -> bool {
    let field = |path: &str| path.split('.').fold(object, |value, name| &value[name]).clone();
    selector.split(',').filter(|one| !one.is_empty()).all(|one| match one.split_once("!=") {
        Some((path, text)) => field(path) != text,
        None => one.split_once('=').is_some_and(|(path, text)| field(path) == text.trim_start_matches('=')),
    })
}

fn watch(shared: &Arc<Shared>, path: &Path, query: &HashMap<String, String>) -> Response<Body> {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    let watching = Watching {
        shared: Arc::clone(shared),
        resource: path.resource.clone(),
        namespace: path.namespace.clone(),
        selector: query.get("labelSelector").cloned().unwrap_or_default(),
        bookmarks: query.get("allowWatchBookmarks").is_some_and(|it| it == "true"),
        until: Instant::now() + Duration::from_secs(number("timeoutSeconds").unwrap_or(300)),
    };
    let from = number("resourceVersion").unwrap_or(0);
    let (send, mut receive) = mpsc::channel(64);
    tokio::spawn(watching.follow(from, send));
    let lines = stream::poll_fn(move |context| receive.poll_recv(context));
    let frames = lines.map(|line: Bytes| Ok::<_, Infallible>(Frame::data(line)));
    let mut response = Response::new(http_body_util::BodyExt::boxed(StreamBody::new(frames)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

struct Watching {
    shared: Arc<Shared>,
    resource: String,
    namespace: String,
    selector: String,
    bookmarks: bool,
    until: Instant,
}

impl Watching {
    async fn follow(self, mut from: u64, send: mpsc::Sender<Bytes>) {
        let mut versions = self.shared.version.subscribe();
        let mut cuts = self.shared.cuts.subscribe();
        loop {
            self.shared.delivers().await;
            let now = *versions.borrow_and_update();
            let changes = lock(&self.shared.store).since(from, &self.resource, &self.namespace);
            let Some(changes) = changes else {
                let _gone = send.send(line(&refusal::gone(from, now))).await;
                return;
            };
            let slowness = lock(&self.shared.faults).slowness;
            for Change { kind, object, .. } in changes.iter().filter(|it| selects(&self.selector, &it.object)) {
                sleep(slowness).await;
                if send.send(line(&json!({"type": kind, "object": object}))).await.is_err() {
                    return;
                }
            }
            from = now;
            tokio::select! {
                _ = versions.changed() => {}
                _ = cuts.changed() => return,
                () = send.closed() => return,
                () = sleep_until(self.until) => return,
                () = sleep(BOOKMARKS), if self.bookmarks && !*self.shared.held.borrow() => {
                    // "BOOKMARK events carry only metadata.resourceVersion."
                    let (kind, api_version) = kind_of(&self.resource);
                    let object = json!({"kind": kind, "apiVersion": api_version, "metadata": {"resourceVersion": from.to_string()}});
                    if send.send(line(&json!({"type": "BOOKMARK", "object": object}))).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

fn kind_of(resource: &str) -> (&'static str, &'static str) {
    match resource {
        super::SERVICES => ("Service", "serving.knative.dev/v1"),
        super::AUTOSCALERS => ("PodAutoscaler", "autoscaling.internal.knative.dev/v1alpha1"),
        _ => ("Pod", "v1"),
    }
}

fn line(event: &Value) -> Bytes {
    Bytes::from(format!("{event}\n"))
}

/// `200-delete-background.json`.
pub(super) fn deleted(path: &Path, removed: &Value) -> Response<Body> {
    let (kind, group) = path.resource.split_once('.').unwrap_or((&path.resource, ""));
    let details = json!({"name": path.name, "group": group, "kind": kind, "uid": removed["metadata"]["uid"]});
    json_response(
        200,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}),
    )
}

fn patch(shared: &Arc<Shared>, path: &Path, query: &HashMap<String, String>, object: Value) -> Response<Body> {
    let exists = lock(&shared.store).get(&path.resource, &path.namespace, &path.name).is_some();
    // A patch that creates needs the verb for that too.
    let creation = path.attributes("create");
    if !exists && path.resource == SERVICES && forbidden(shared, &creation) {
        let (code, body) = refusal::forbidden(&creation);
        return json_response(code, &body);
    }
    let answered =
        if path.resource == SERVICES { apply(shared, path, query, object) } else { merge(shared, path, &object) };
    match answered {
        Ok((code, object)) | Err((code, object)) => json_response(code, &object),
    }
}

/// A JSON merge patch (RFC 7386).
fn merge(shared: &Shared, path: &Path, patch: &Value) -> Result<(u16, Value), Refusal> {
    let changed = shared.edit(&path.resource, &path.namespace, &path.name, |object| merged(object, patch));
    let object = lock(&shared.store).get(&path.resource, &path.namespace, &path.name).cloned();
    object.filter(|_| changed).map(|object| (200, object)).ok_or_else(|| refusal::not_found(&path.resource, &path.name))
}

fn merged(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().expect("it is one").remove(name);
        } else {
            merged(&mut target[name], value);
        }
    }
}

/// Server-side apply of a Service: `201-ssa-create.json`, `200-ssa-update.json`, `409-ssa-conflict.json`.
fn apply(
    shared: &Arc<Shared>,
    path: &Path,
    query: &HashMap<String, String>,
    mut object: Value,
) -> Result<(u16, Value), Refusal> {
    if lock(&shared.store).get("namespaces", "", &path.namespace).is_none() {
        return Err(refusal::not_found("namespaces", &path.namespace));
    }
    let allow_zero = shared.autoscaler_setting("allow-zero-initial-scale").as_deref() == Some("true");
    if let Some(refusal) = refusal::webhook(&object, allow_zero) {
        return Err(refusal);
    }
    let failure = shared.failure_of(&path.name);
    if failure == Some(Failure::Webhook) {
        return Err(refusal::denied(
            "invalid value: abc: spec.template.metadata.annotations.autoscaling.knative.dev/target",
        ));
    }
    let manager = query.get("fieldManager").cloned().unwrap_or_default();
    let before = lock(&shared.store).get(SERVICES, &path.namespace, &path.name).cloned();
    let other = before.as_ref().and_then(|before| before["metadata"]["managedFields"][0]["manager"].as_str());
    if let Some(other) = other
        && other != manager
        && query.get("force").is_none_or(|force| force != "true")
    {
        return Err(refusal::conflict(other));
    }
    object["metadata"]["managedFields"] = json!([{"manager": manager, "operation": "Apply"}]);
    let host = controllers::host(&path.name, &path.namespace);
    if let Some(before) = before {
        object["status"] = before["status"].clone();
        let stored = shared.put(SERVICES, object);
        if let Some(function) = shared.function_of(&host) {
            controllers::take_over(&function, &stored);
        }
        return Ok((200, stored));
    }
    let function = Arc::new(Function::new(&path.name, &path.namespace, Rules::of(&object)));
    let stored = shared.put(SERVICES, object);
    lock(&shared.functions).insert(host, Arc::clone(&function));
    tokio::spawn(controllers::bring_up(Arc::clone(shared), function, failure));
    Ok((201, stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_resources() {
        let parsed = |path| {
            let Path { resource, namespace, name, rest } = Path::parse(path)?;
            Some([resource, namespace, name, rest])
        };
        for (path, expected) in [
            ("/api/v1/nodes", ["nodes", "", "", ""]),
            ("/api/v1/namespaces/a", ["namespaces", "", "a", ""]),
            ("/api/v1/namespaces/a/pods/b", ["pods", "a", "b", ""]),
            ("/apis/serving.knative.dev/v1/namespaces/a/services", ["services.serving.knative.dev", "a", "", ""]),
            ("/api/v1/nodes/n/proxy/stats/summary", ["nodes", "", "n", "proxy/stats/summary"]),
        ] {
            assert_eq!(parsed(path), Some(expected.map(str::to_owned)), "{path}");
        }
        assert_eq!(parsed("/version"), None);
    }

    #[test]
    fn queries_are_decoded() {
        assert_eq!(decoded("a%2Fb%3Dc%2Cd+e%"), "a/b=c,d e%");
    }

    #[test]
    fn a_merge_patch_sets_and_takes_away() {
        let mut target = json!({"data": {"a": "1", "b": "2"}});
        merged(&mut target, &json!({"data": {"a": null, "c": "3"}}));
        assert_eq!(target, json!({"data": {"b": "2", "c": "3"}}));
    }
}
