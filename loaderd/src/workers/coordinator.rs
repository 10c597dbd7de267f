//! The coordinator of one run's workers: the one task that knows how each stands. Sessions, the platform and the load send it
//! messages; it decides, and tells the workers.
//!
//! ```text
//! joined ─▶ prepared ─▶ ready ─▶ start(t0) ─▶ batches, reports, outcomes … ─▶ done ─▶ dismissed
//!              │                     └─ silent or gone ─▶ lost ─┬─▶ back in time: resumed
//!              └─ gone, failed ─▶ the run fails                 └─▶ its share is filled in
//! ```

mod hearing;
mod joining;
mod losses;
mod member;
mod say;
mod telling;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use loader_proto::worker::{StopSending, work_response::Message as To};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use self::member::{Member, Stepped};
use super::{
    Assigned, TraceFiles,
    bounds::{HAND_OVER, HANDED, Times},
    merge::Merge,
    messages::{FromSession, Message, Orders},
    outcomes::Outcomes,
};
use crate::{
    clock::{Anchor, Clock},
    dispatch::{Counters, ScaleState},
    id::{RunId, WorkerIndex},
    invoke::{ConnectionCount, Status},
    plan::{Offset, Plan},
    platform::WorkerNews,
    record::{Event, WorkerFacts, WorkerStanding, WorkerState},
    spec::{OnWorkerLoss, Workers},
    units,
};

/// Makes the plan of the run again, before its first slot. Blocks.
pub type PlanAgain = Arc<dyn Fn() -> Result<Box<dyn Plan>, String> + Send + Sync>;

/// What a coordinator works with.
pub(super) struct Settings {
    pub(super) workers: Workers,
    /// Id of the run, for messages and the log.
    pub(super) run: RunId,
    /// Of the programs of both sides.
    pub(super) version: &'static str,
    pub(super) assigned: Assigned,
    /// The run's trace; absent without one.
    pub(super) trace: Option<Arc<TraceFiles>>,
    pub(super) seed: u64,
    pub(super) plan_again: PlanAgain,
    /// Whether the plan waits for the outcomes of slots.
    pub(super) needs_outcomes: bool,
    /// The scales of the functions that workers pick cold ones of; absent of a plan without such.
    pub(super) scales: Option<Arc<ScaleState>>,
    pub(super) counters: Arc<Counters>,
    pub(super) connections: ConnectionCount,
    pub(super) times: Times,
    /// Events that wait for the recorder; beyond them no batch is taken.
    pub(super) most_pending: usize,
    pub(super) clock: Clock,
    /// What the coordinator's clock begins with.
    pub(super) origin: Anchor,
    /// Cancelled when all is over: sessions end with it.
    pub(super) end: CancellationToken,
}

/// How far the workers have come, for the load.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Stage {
    /// Workers that are ready.
    pub(super) ready: usize,
    /// Why the workers can't start, or the run can't go on.
    pub(super) failure: Option<String>,
    /// Everything was handed out.
    pub(super) paced: bool,
    /// Everything has ended, and was handed to the recorder.
    pub(super) drained: bool,
    /// The longest time that an exchange with a worker takes.
    pub(super) round_trip: Duration,
}

/// What the coordinator publishes.
pub(super) struct Published {
    pub(super) stage: watch::Sender<Stage>,
    pub(super) standings: watch::Sender<Arc<[WorkerStanding]>>,
    pub(super) facts: watch::Sender<Vec<WorkerFacts>>,
    pub(super) t0: watch::Sender<Option<Anchor>>,
}

/// What the coordinator hears.
pub(super) struct Heard {
    pub(super) messages: mpsc::Receiver<Message>,
    pub(super) batches: mpsc::Receiver<FromSession>,
    pub(super) orders: watch::Receiver<Orders>,
    pub(super) news: mpsc::Receiver<WorkerNews>,
}

/// The coordinator.
pub(super) struct Coordinator {
    settings: Settings,
    members: Vec<Member>,
    merge: Merge,
    outcomes: Outcomes,
    published: Published,
    stage: Stage,
    t0: Option<Anchor>,
    /// To the recorder, until everything was handed over.
    out: Option<mpsc::Sender<Event>>,
    pending: VecDeque<Event>,
    sessions: u64,
    /// When the load was stopped.
    stopped_at: Option<Offset>,
    /// How calls in flight were ended.
    ended_calls: Option<Status>,
    /// When what was not handed over yet is given up.
    hurried_until: Option<Instant>,
    fill_ins: JoinSet<Stepped>,
    /// Functions that stood at zero when the workers were told last.
    zero: Vec<u32>,
}

impl Coordinator {
    pub(super) fn new(settings: Settings, merge: Merge, published: Published) -> Self {
        let members = (0..settings.workers.count).map(|index| Member::new(worker_index(index))).collect();
        Self {
            settings,
            members,
            merge,
            outcomes: Outcomes::default(),
            published,
            stage: Stage::default(),
            t0: None,
            out: None,
            pending: VecDeque::new(),
            sessions: 0,
            stopped_at: None,
            ended_calls: None,
            hurried_until: None,
            fill_ins: JoinSet::new(),
            zero: Vec::new(),
        }
    }

    /// Until it is dropped, or nobody is left who could send it anything.
    pub(super) async fn run(mut self, heard: Heard) {
        let Heard { mut messages, mut batches, mut orders, mut news } = heard;
        let mut tick = tokio::time::interval(self.settings.times.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let out = self.out.clone();
            let count = out.as_ref().map_or(0, |out| self.pending.len().min(HANDED).min(out.max_capacity()));
            let room = async {
                match &out {
                    Some(out) if count > 0 => out.reserve_many(count).await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                message = messages.recv() => match message {
                    Some(message) => self.hear(message),
                    None => return,
                },
                Ok(()) = orders.changed() => {
                    let orders = *orders.borrow_and_update();
                    self.obey(orders);
                }
                Some(news) = news.recv() => self.news(news),
                room = room => match room {
                    Ok(permits) => permits.zip(self.pending.drain(..count)).for_each(|(permit, event)| permit.send(event)),
                    // The recorder has ended: nothing is recorded any more.
                    Err(_) => self.pending.clear(),
                },
                Some(stepped) = self.fill_ins.join_next() => self.stepped(stepped),
                Some(from) = batches.recv(), if self.pending.len() < self.settings.most_pending => self.batch(from),
                _ = tick.tick() => self.tick(),
            }
            self.advance();
        }
    }

    /// The load begins at t0; what is recorded goes to `out`.
    fn start(&mut self, t0: Anchor, out: mpsc::Sender<Event>) {
        (self.t0, self.out) = (Some(t0), Some(out));
        self.published.t0.send_replace(Some(t0));
        let now = self.settings.clock.now();
        for member in &mut self.members {
            (member.heard, member.state) = (Some(now), WorkerState::Ok);
        }
        self.tell_all(&say::start(t0, self.settings.origin));
        self.tell_scales();
    }

    fn obey(&mut self, orders: Orders) {
        if orders.stop && self.stopped_at.is_none() {
            let at = self.elapsed();
            self.stopped_at = Some(at);
            let mut events = vec![Event::Stopped(at)];
            self.merge.stop(&mut events);
            self.pending.extend(events);
            self.tell_all(&To::Stop(StopSending {}));
        }
        if let (Some(status), None) = (orders.end_calls, self.ended_calls) {
            self.ended_calls = Some(status);
            self.tell_all(&say::end_calls(status));
        }
        if orders.hurry && self.hurried_until.is_none() {
            self.hurried_until = Some(self.settings.clock.now() + HAND_OVER);
        }
    }

    /// Draws the conclusions of what has happened.
    fn advance(&mut self) {
        self.decide_outcomes();
        self.settle();
        let stage = Stage {
            ready: self.members.iter().filter(|member| member.state != WorkerState::Starting).count(),
            paced: self.t0.is_some() && self.members.iter().all(|member| self.is_paced(member)),
            drained: self.t0.is_some() && self.pending.is_empty() && self.members.iter().all(|member| member.over),
            round_trip: self.round_trip(),
            failure: self.stage.failure.clone(),
        };
        if stage == self.stage {
            return;
        }
        let is_drained = stage.drained && !self.stage.drained;
        self.stage = stage;
        if is_drained {
            self.tell_all(&say::dismissed(String::new()));
            self.members.iter_mut().for_each(Member::hang_up);
            self.out = None;
            self.publish();
        }
        self.published.stage.send_replace(self.stage.clone());
    }

    fn is_paced(&self, member: &Member) -> bool {
        let is_silent = matches!(member.state, WorkerState::Suspect);
        let is_filled = member.filling.is_some();
        member.over
            || member.done.is_some()
            || member.report.paced
            || (member.is_lost() && !is_filled)
            || (self.stopped_at.is_some() && (is_silent || is_filled))
    }

    /// The run can't go on, or begin.
    fn fail(&mut self, reason: String) {
        self.stage.failure.get_or_insert(reason);
        self.published.stage.send_modify(|stage| stage.failure.clone_from(&self.stage.failure));
    }

    fn round_trip(&self) -> Duration {
        self.members.iter().map(|member| member.round_trip).max().unwrap_or_default()
    }

    /// The time since t0.
    fn elapsed(&self) -> Offset {
        let now = self.settings.clock.now();
        let since = self.t0.map(|t0| now.saturating_duration_since(t0.instant)).unwrap_or_default();
        Offset::from_nanos(units::nanos(since))
    }

    fn tick(&mut self) {
        self.judge();
        self.count();
        self.tell_scales();
        self.publish();
    }

    /// Brings the counters up to date.
    fn count(&self) {
        let of = |count: fn(&Member) -> u64| self.members.iter().map(count).sum::<u64>();
        let live = |count: fn(&Member) -> u64| self.members.iter().filter(|it| !it.over).map(count).sum::<u64>();
        let in_flight = live(|it| it.report.in_flight);
        self.settings.counters.reported(
            of(|it| it.due),
            of(|it| it.issued),
            in_flight,
            live(|it| it.report.memory_in_flight_mib),
        );
        self.settings
            .connections
            .reported(live(|it| it.report.connections_open), live(|it| it.report.connections_connecting));
    }

    fn publish(&self) {
        self.published.standings.send_replace(self.members.iter().map(Member::standing).collect());
        self.published.facts.send_replace(self.members.iter().map(Member::facts).collect());
    }

    fn aborts_on_loss(&self) -> bool {
        self.settings.workers.on_loss == OnWorkerLoss::Abort
    }
}

/// The index of a worker; a spec has no more workers than there are indexes.
fn worker_index(index: u32) -> WorkerIndex {
    WorkerIndex(u16::try_from(index).unwrap_or(u16::MAX))
}
