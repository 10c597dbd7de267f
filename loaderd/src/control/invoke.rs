//! A single invocation, as the API requests it.

use std::time::Duration;

use loader_proto::{json::bracketed, schema::InvocationRecord, v1};
use tokio::task::LocalSet;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::convert;
use crate::{
    clock::Clock,
    endpoint::Endpoint,
    invoke::{Call, Cancellation, Connections, Invoker, Policy, Protocol, Route},
    plan::{fractional, whole_millis},
    spec::Violation,
    units,
};

/// How long a single invocation may take, unless the request says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The longest run time and the longest timeout of a request.
const LONGEST: Duration = Duration::from_hours(1);

/// An invocation to make, checked.
#[derive(Debug)]
pub(super) struct SingleInvocation {
    route: Route,
    call: Call,
}

impl SingleInvocation {
    /// Checks a request, and fills in defaults.
    ///
    /// # Errors
    /// Every fault, by field.
    pub(super) fn check(request: v1::InvokeRequest) -> Result<Self, Vec<Violation>> {
        let v1::InvokeRequest { address, authority, runtime, memory_mib, timeout } = request;
        let mut violations = Vec::new();
        let mut duration = |field: &str, wire: Option<prost_types::Duration>, default: Duration| match wire {
            None => default,
            Some(wire) => Duration::try_from(wire).unwrap_or_else(|_| {
                violations.push(Violation::new(field, "must not be negative"));
                default
            }),
        };
        let runtime = duration("runtime", runtime, Duration::ZERO);
        let timeout = duration("timeout", timeout, TIMEOUT);
        if runtime > LONGEST {
            violations.push(Violation::new("runtime", "must be at most 1h"));
        }
        if timeout > LONGEST {
            violations.push(Violation::new("timeout", "must be at most 1h"));
        }
        if !address.contains(':') {
            violations.push(Violation::new("address", "must be host:port"));
        }
        if let Some(right) = bracketed(&address) {
            violations.push(Violation::new("address", format!("is {address:?}; did you mean {right}?")));
        }
        let (named, authority) =
            if authority.is_empty() { ("address", address.clone()) } else { ("authority", authority) };
        let route = Route::new(&Endpoint::plain(address, authority), Protocol::Faas);
        let runtime_us = units::to_u32(runtime.as_micros());
        // To the nearest, for there is no plan whose mean could be kept.
        let runtime_ms = whole_millis(runtime_us, 0.5);
        let call = Call {
            runtime_ms,
            exact_runtime_us: fractional(runtime_us),
            memory_mib,
            clock: None,
            span: None,
            connect_timeout: timeout,
            function_timeout: timeout,
        };
        match route {
            Ok(route) if violations.is_empty() => Ok(Self { route, call }),
            Ok(_) => Err(violations),
            Err(error) => {
                // What is wrong with an address is said once.
                if !violations.iter().any(|violation| violation.field == named) {
                    violations.push(Violation::new(named, error.to_string()));
                }
                Err(violations)
            }
        }
    }

    /// Makes the invocation, on a runtime of its own, as an invoker belongs to one thread. Blocks until it has ended; nothing is
    /// returned when `departed` was cancelled before.
    ///
    /// # Errors
    /// The runtime cannot be created.
    pub(super) fn make(self, clock: Clock, departed: &CancellationToken) -> std::io::Result<Option<v1::Record>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let due = clock.anchor();
        let outcome = LocalSet::new().block_on(&runtime, async {
            let connections = Connections::new(Policy::Pooled(1), TaskTracker::new(), Default::default(), clock);
            let (invoker, cancellation) = (Invoker::new(connections, clock), Cancellation::default());
            departed.run_until_cancelled(invoker.call(&self.route, self.call, &cancellation)).await
        });
        let Some(outcome) = outcome else { return Ok(None) };
        let exact = self.call.exact_runtime_us.filter(|_| outcome.exact_runtime == Some(true));
        let requested_runtime_us = exact.map_or(u64::from(self.call.runtime_ms) * 1000, u64::from);
        Ok(Some(convert::record(InvocationRecord {
            due_unix_us: due.unix.0,
            sent_unix_us: outcome.sent.map(|sent| due.unix_at(sent).0),
            requested_runtime_us,
            requested_memory_kib: u64::from(self.call.memory_mib) * 1024,
            ..outcome.record()
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_ends_with_its_client() {
        // A listener that accepts nothing: the invocation would last for its timeout.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
        let address = silent.local_addr().expect("is bound").to_string();
        let timeout = Some(prost_types::Duration { seconds: 3600, nanos: 0 });
        let request = v1::InvokeRequest { address, timeout, ..v1::InvokeRequest::default() };
        let departed = CancellationToken::new();
        let invocation = SingleInvocation::check(request).expect("is valid");
        let invoking = std::thread::spawn({
            let departed = departed.clone();
            move || invocation.make(Clock, &departed)
        });
        let _connection = silent.accept().expect("connects");
        departed.cancel();
        let made = invoking.join().expect("does not panic").expect("starts");
        assert!(made.is_none());
    }

    fn request(runtime: Duration) -> v1::InvokeRequest {
        let runtime = Some(prost_types::Duration::try_from(runtime).expect("fits"));
        v1::InvokeRequest { address: "127.0.0.1:1".to_owned(), runtime, ..v1::InvokeRequest::default() }
    }

    #[test]
    fn a_run_time_goes_to_the_nearest_millisecond_and_exactly() {
        for (runtime, runtime_ms, exact_runtime_us) in [
            (Duration::ZERO, 0, None),
            (Duration::from_millis(50), 50, None),
            (Duration::from_micros(2400), 2, Some(2400)),
            (Duration::from_micros(2600), 3, Some(2600)),
            (Duration::from_nanos(1_999), 0, Some(1)),
            (LONGEST, 3_600_000, None),
        ] {
            let call = SingleInvocation::check(request(runtime)).expect("is valid").call;
            assert_eq!((call.runtime_ms, call.exact_runtime_us), (runtime_ms, exact_runtime_us), "{runtime:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_once() {
        let refused = |address: &str, authority: &str| {
            let (address, authority) = (address.to_owned(), authority.to_owned());
            let request = v1::InvokeRequest { address, authority, ..request(Duration::ZERO) };
            let violations = SingleInvocation::check(request).expect_err("is refused");
            violations.into_iter().map(|violation| violation.field).collect::<Vec<_>>()
        };
        assert_eq!(refused("::1:80", ""), ["address"]);
        assert_eq!(refused("a b:80", ""), ["address"]);
        assert_eq!(refused("::1:80", "a b"), ["address", "authority"]);
        assert_eq!(refused("127.0.0.1:1", "a b"), ["authority"]);
    }

    #[test]
    fn a_run_time_above_the_longest_is_refused() {
        let violations = SingleInvocation::check(request(LONGEST + Duration::from_micros(1))).expect_err("is refused");
        assert_eq!(violations, [Violation::new("runtime", "must be at most 1h")]);
    }
}
