//! How far the loader's clock is from the cluster's: objects have the times of their changes by the latter.

use std::time::Duration;

use http::{Request, header::DATE};
use kube::client::Body;
use tokio::time::timeout;

use super::cluster::Cluster;
use crate::clock::{Clock, UnixMicros};

/// How long the question may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A skew from which on it is logged: stamps can't be told from news in time.
const NOTABLE_US: u64 = 2_000_000;

/// How far the loader's clock is ahead of the API server's, in microseconds: as the date of a response shows it, which is in whole
/// seconds. Zero where the clocks may agree, and where the server does not answer.
pub(super) async fn measure(cluster: &Cluster, clock: Clock) -> i64 {
    let Ok((client, _)) = cluster.client().await else { return 0 };
    let Ok(request) = Request::get("/version").body(Body::empty()) else { return 0 };
    let sent = clock.unix();
    let Ok(Ok(response)) = timeout(TIMEOUT, client.send(request)).await else { return 0 };
    let date = response.headers().get(DATE).and_then(|date| date.to_str().ok()).and_then(read);
    let skew_us = date.map_or(0, |date| skew([sent, clock.unix()], date));
    if skew_us.unsigned_abs() >= NOTABLE_US {
        let (seconds, direction) =
            (skew_us.unsigned_abs() / 1_000_000, if skew_us > 0 { "behind" } else { "ahead of" });
        log::warn!("the clock of the API server is {seconds} s {direction} this host's: synchronize them");
    }
    skew_us
}

/// A date as HTTP has it, such as `Fri, 27 Nov 2026 03:37:49 GMT`.
fn read(date: &str) -> Option<UnixMicros> {
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(UnixMicros(date.as_microsecond()))
}

/// The skew in the middle of those that are possible, of a response that was made in the second of `date`, and between two instants.
fn skew([sent, received]: [UnixMicros; 2], date: UnixMicros) -> i64 {
    let (least, most) = (sent.0 - date.0 - 1_000_000, received.0 - date.0);
    if least <= 0 && most >= 0 { 0 } else { i64::midpoint(least, most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_may_agree_have_no_skew() {
        let date = read("Fri, 27 Nov 2026 03:37:49 GMT").unwrap();
        assert_eq!(date, UnixMicros(1_795_750_669_000_000));
        let at = |ms: i64| UnixMicros(date.0 + ms * 1_000);
        assert_eq!(skew([at(100), at(120)], date), 0);
        assert_eq!(skew([at(990), at(1_010)], date), 0);
        assert_eq!(skew([at(60_000), at(60_020)], date), 59_510_000);
        assert_eq!(skew([at(-60_000), at(-59_980)], date), -60_490_000);
        assert_eq!(read("yesterday"), None);
    }
}
