//! The service `helloworld.Greeter`, as the functions of vSwarm speak it.

use loader_proto::helloworld::{HelloReply, HelloRequest, greeter_server::Greeter};
use tonic::{Request, Response, Status};

use crate::instance::Instance;

/// A function that greets.
#[derive(Debug)]
pub struct Hello {
    instance: Instance,
}

impl Hello {
    /// One that answers in the name of `instance`.
    pub fn new(instance: Instance) -> Self {
        Self { instance }
    }
}

#[tonic::async_trait]
impl Greeter for Hello {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let stamp = self.instance.arrive();
        let mut response = Response::new(HelloReply { message: format!("Hello, {}", request.into_inner().name) });
        stamp.write_to(response.metadata_mut());
        Ok(response)
    }
}
