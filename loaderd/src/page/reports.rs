//! Reports and comparisons: a few are made at the same time, on threads of low priority, and kept for those who ask again.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use loader_report::{
    compare::{Group, MEASURES, compare},
    page,
    run::Run,
};
use tokio::sync::Semaphore;

use super::background::{self, Broken};
use crate::{
    access::{Most, Seats},
    id::RunId,
};

/// Pages that are made at the same time.
const MAKERS: usize = 2;

/// Pages that are made or wait to be.
const WAITING: Most = Most { all: 32, each: 8 };

/// Pages that are kept, and their bytes together.
const KEPT: (usize, usize) = (64, 64 << 20);

/// By how much, as a share, figures may differ and still count as the same.
const MARGIN: f64 = 0.05;

/// Of what a page is. Runs that have ended do not change.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Run(RunId),
    Comparison(Vec<RunId>, Vec<RunId>),
}

/// A page that was not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unmade {
    /// Too many are being made.
    #[error("Too many reports are being made: try again in a moment.")]
    Busy,
    /// The runs cannot be read, or compared.
    #[error("{0}")]
    Refused(String),
    /// The thread that made it.
    #[error("It could not be made: {0}")]
    Broken(#[from] Broken),
}

/// A run that is compared.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    pub(super) id: RunId,
    /// Its name, or its id.
    pub(super) label: String,
    pub(super) directory: PathBuf,
    pub(super) has_ended: bool,
}

/// Makes pages, and keeps them.
pub(super) struct Reports {
    kept: Arc<Mutex<Kept>>,
    makers: Arc<Semaphore>,
    waiting: Seats,
}

impl Default for Reports {
    fn default() -> Self {
        Self { kept: Arc::default(), makers: Arc::new(Semaphore::new(MAKERS)), waiting: Seats::new(WAITING) }
    }
}

impl Reports {
    /// The report of a run that has ended.
    pub(super) async fn report(&self, caller: &str, run: RunId, directory: PathBuf) -> Result<Bytes, Unmade> {
        let make = move || Run::read(&directory).map(|run| page::html(&[run])).map_err(|error| error.to_string());
        self.get(caller, Subject::Run(run), make).await
    }

    /// The comparison of two groups of runs.
    pub(super) async fn comparison(&self, caller: &str, a: Vec<Compared>, b: Vec<Compared>) -> Result<Bytes, Unmade> {
        let ids = |runs: &[Compared]| runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>();
        let all_ended = a.iter().chain(&b).all(|run| run.has_ended);
        let subject = Subject::Comparison(ids(&a), ids(&b));
        let make = move || {
            let (a, b) = (group("A", &a)?, group("B", &b)?);
            let measures: Vec<_> = MEASURES.iter().filter(|measure| measure.is_default).collect();
            let comparison = compare(a, b, &measures, false, MARGIN).map_err(|error| error.to_string())?;
            Ok(page::comparison_html(&comparison))
        };
        if all_ended {
            self.get(caller, subject, make).await
        } else {
            // It will have another result soon.
            self.make(caller, make, |_| {}).await
        }
    }

    async fn get(
        &self,
        caller: &str,
        subject: Subject,
        make: impl FnOnce() -> Result<String, String> + Send + 'static,
    ) -> Result<Bytes, Unmade> {
        if let Some(page) = lock(&self.kept).find(&subject) {
            return Ok(page);
        }
        let (kept, asked) = (Arc::clone(&self.kept), subject.clone());
        let found = move || lock(&kept).find(&asked);
        let kept = Arc::clone(&self.kept);
        let make = move || match found() {
            // Another request has had it made meanwhile.
            Some(page) => Ok(page),
            None => make().map(Bytes::from),
        };
        self.make(caller, make, move |page| lock(&kept).put(subject, page.clone())).await
    }

    /// Makes a page when it is its turn. It is made to its end, and kept, whether its caller stays or not; until then it holds its
    /// place.
    async fn make<P: Into<Bytes>>(
        &self,
        caller: &str,
        make: impl FnOnce() -> Result<P, String> + Send + 'static,
        keep: impl FnOnce(&Bytes) + Send + 'static,
    ) -> Result<Bytes, Unmade> {
        let seat = self.waiting.take(caller).map_err(|_| Unmade::Busy)?;
        // Never closed.
        let maker = Arc::clone(&self.makers).acquire_owned().await.map_err(|_| Unmade::Busy)?;
        let made = background::run(move || {
            let page = make().map(Into::into).inspect(keep);
            drop((maker, seat));
            page
        });
        made.await?.map_err(Unmade::Refused)
    }
}

fn group(name: &'static str, runs: &[Compared]) -> Result<Group, String> {
    let mut group = Group::new(name);
    for run in runs {
        if run.has_ended {
            group.add(Run::read(&run.directory).map_err(|error| error.to_string())?);
        } else {
            group.leave_out(run.id.as_str(), &run.label, "not ended");
        }
    }
    Ok(group)
}

/// Pages, those that were asked for last at the end.
#[derive(Debug, Default)]
struct Kept(VecDeque<(Subject, Bytes)>);

impl Kept {
    fn find(&mut self, subject: &Subject) -> Option<Bytes> {
        let at = self.0.iter().position(|(other, _)| other == subject)?;
        let found = self.0.remove(at)?;
        let page = found.1.clone();
        self.0.push_back(found);
        Some(page)
    }

    fn put(&mut self, subject: Subject, page: Bytes) {
        self.0.retain(|(other, _)| *other != subject);
        self.0.push_back((subject, page));
        let (most, most_bytes) = KEPT;
        while self.0.len() > most || self.0.iter().map(|(_, page)| page.len()).sum::<usize>() > most_bytes {
            self.0.pop_front();
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    // Each change is whole.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn run(number: u16) -> Subject {
        Subject::Run(RunId::new(0, number))
    }

    #[tokio::test]
    async fn a_page_is_made_once() {
        let reports = Reports::default();
        for _ in 0..2 {
            let page = reports.get("ann", run(1), || Ok("one".to_owned())).await.expect("is made");
            assert_eq!(page, "one");
        }
        let kept = reports.get("ann", run(1), || Err("is not made again".to_owned())).await.expect("is kept");
        assert_eq!(kept, "one");
        let refused = reports.get("ann", run(2), || Err("no".to_owned())).await.expect_err("cannot be made");
        assert_eq!(refused.to_string(), "no");
        assert_eq!(reports.get("ann", run(2), || Ok("two".to_owned())).await.expect("a fault is not kept"), "two");
    }

    #[tokio::test]
    async fn pages_hold_their_places_until_they_are_made() {
        let reports = Reports::default();
        let (go, blocked) = mpsc::channel::<()>();
        let blocked = Arc::new(Mutex::new(blocked));
        let slow = |number| {
            let blocked = Arc::clone(&blocked);
            reports.get("ann", run(number), move || {
                blocked.lock().expect("whole").recv().expect("is let go");
                Ok(String::new())
            })
        };
        // Their callers leave at once; those that have begun are made all the same.
        for number in 0..8 {
            let asked = tokio::time::timeout(std::time::Duration::from_millis(20), slow(number));
            assert!(asked.await.is_err(), "{number}");
        }
        assert_eq!(reports.makers.available_permits(), 0);
        let waiting: Vec<_> = (0..6).map(|number| Box::pin(slow(100 + number))).collect();
        let mut waiting = futures_util::future::join_all(waiting);
        assert!(futures_util::FutureExt::now_or_never(&mut waiting).is_none());
        assert!(matches!(slow(200).await, Err(Unmade::Busy)), "each caller has its own bound");
        for _ in 0..8 {
            go.send(()).expect("is awaited");
        }
        assert!(waiting.await.iter().all(Result::is_ok));
        assert!(reports.get("bob", run(0), || Err("is kept".to_owned())).await.is_ok());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut kept = Kept::default();
        for number in 0..100 {
            kept.put(run(number), Bytes::from_static(b"page"));
            assert!(kept.find(&run(0)).is_some(), "what is asked for stays");
        }
        assert_eq!(kept.0.len(), KEPT.0);
        kept.put(run(500), Bytes::from(vec![0; KEPT.1 - 5]));
        assert!(kept.0.len() <= 2 && kept.find(&run(500)).is_some());
    }
}
