//! Kind `saturate`: no server, only busy threads, to see that so many containers saturate a node.

use std::{io, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{clock, spin};

/// Keeps `threads` threads busy until `stop`, or for `duration` where one is given.
///
/// # Errors
/// A thread that can't be started.
pub async fn saturate(threads: u16, duration: Option<Duration>, stop: CancellationToken) -> io::Result<()> {
    let deadline = duration.map(|duration| clock::now() + duration);
    let tracker = TaskTracker::new();
    for number in 0..threads {
        let (stop, token) = (stop.clone(), tracker.token());
        std::thread::Builder::new().name(format!("busy-{number}")).spawn(move || {
            let begun = clock::now();
            // For ever is a day, again and again.
            let until = |now| deadline.unwrap_or(now + Duration::from_hours(24));
            let mut ended = Some(begun);
            while let Some(now) = ended.filter(|now| deadline.is_none_or(|deadline| *now < deadline)) {
                ended = spin::spin_until(until(now), clock::now, || stop.is_cancelled());
            }
            drop(token);
        })?;
    }
    tracker.close();
    tracker.wait().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_ends_when_its_time_is_over_or_it_is_told() {
        saturate(2, Some(Duration::from_millis(5)), CancellationToken::new()).await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        saturate(2, None, stop).await.unwrap();
    }
}
