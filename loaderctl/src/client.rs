//! The connection to the daemon.

use std::time::Duration;

use loader_proto::v1::{
    GetRunRequest, PlanRunRequest, PlanRunResponse, RunSpec, StreamPlanRequest, StreamPlanResponse,
    loader_control_client::LoaderControlClient,
};
use tonic::{
    Response, Status, Streaming,
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};

use crate::{
    Failure,
    address::Address,
    credentials::{Bearer, Credentials},
};

/// How long the daemon may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Interval of keep-alive pings on an idle connection.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Largest answer, in bytes: the summary of a run with tens of thousands of functions and slots.
const MAX_ANSWER: usize = 64 << 20;

/// What is at the bottom of an error.
fn error_chain(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// A daemon that has answered.
#[derive(Debug, Clone)]
pub(crate) struct Daemon {
    /// The control API, with the bearer token, if any, in each request.
    pub(crate) api: LoaderControlClient<InterceptedService<Channel, Bearer>>,
    address: Address,
}

impl Daemon {
    /// Opens a connection to the daemon.
    ///
    /// # Errors
    /// The daemon cannot be reached, or a file of the credentials is invalid.
    pub(crate) async fn connect(address: &Address, credentials: &Credentials) -> Result<Self, Failure> {
        let lost = |error: tonic::transport::Error| Failure::unreachable(&error, &error.to_string(), address);
        let bearer = credentials.bearer(address)?;
        let mut endpoint = Endpoint::from_shared(address.to_string())
            .map_err(lost)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE);
        if let Address::Https(_) = address {
            let secured = endpoint.tls_config(credentials.tls()?);
            endpoint = secured.map_err(|error| Failure::Input(error_chain(&error)))?;
        }
        let channel = endpoint.connect().await.map_err(lost)?;
        let api = LoaderControlClient::with_interceptor(channel, bearer).max_decoding_message_size(MAX_ANSWER);
        Ok(Self { api, address: address.clone() })
    }

    /// What a status of this daemon means.
    pub(crate) fn failure(&self, status: Status) -> Failure {
        Failure::from_status(status, &self.address)
    }

    /// What a run of the spec would do, and with `room` whether it fits the platform.
    pub(crate) async fn plan(&self, spec: RunSpec, room: bool) -> Result<PlanRunResponse, Status> {
        self.api.clone().plan_run(PlanRunRequest { spec: Some(spec), room }).await.map(Response::into_inner)
    }

    /// What a run of the spec would send.
    pub(crate) async fn stream_plan(&self, spec: RunSpec) -> Result<Streaming<StreamPlanResponse>, Status> {
        self.api.clone().stream_plan(StreamPlanRequest { spec: Some(spec) }).await.map(Response::into_inner)
    }

    /// The id of a run as the user names it: "latest" is the newest one now, and may be another one later.
    pub(crate) async fn run_id(&self, run: &str) -> Result<String, Failure> {
        let request = GetRunRequest { run_id: run.to_owned() };
        let got = self.api.clone().get_run(request).await.map_err(|status| self.failure(status))?;
        Ok(got.into_inner().run.unwrap_or_default().run_id)
    }
}
