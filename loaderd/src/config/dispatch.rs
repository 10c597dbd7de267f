//! `[dispatch]` and `[isolation]`: how invocations are sent, and the isolation of the threads that send them.

use std::{collections::BTreeSet, ops::RangeInclusive};

use toml::de::DeValue;

use super::read::{FromToml, Section};

/// Most processors in a list: the default size of the kernel's CPU set.
const MOST_CPUS: usize = 1024;

/// `[dispatch]`: how invocations are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// Number of worker threads.
    pub workers: usize,
    /// Connections to each address, over all workers.
    pub connections: usize,
}

impl Dispatch {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take_within("workers", &mut self.workers, 1..=256);
        section.take_within("connections", &mut self.connections, 1..=4096);
    }
}

impl Default for Dispatch {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { workers: (cores / 2).clamp(1, 8), connections: 4 }
    }
}

/// `[isolation]`: isolation of the sending threads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Isolation {
    /// Their processors; empty: all.
    pub cpus: CpuList,
    /// Whether the daemon's memory is locked.
    pub memory: Memory,
    /// Real-time priority of the pacer's thread, 1 to 99; `None`: not real-time.
    pub realtime: Option<u8>,
}

impl Isolation {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("cpus", &mut self.cpus);
        section.take("memory", &mut self.memory);
        let mut realtime = 0_u32;
        section.take_within("realtime", &mut realtime, 1..=99);
        self.realtime = u8::try_from(realtime).ok().filter(|priority| *priority > 0);
    }
}

/// Processor numbers, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CpuList(pub Vec<usize>);

/// Whether the daemon's memory is locked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Memory {
    /// The kernel can page it out.
    #[default]
    Pageable,
    /// What was used once stays in memory, so that no send waits for it.
    Locked,
}

impl FromToml for CpuList {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        let wanted = "processors such as \"0\" or \"2-3,6\"";
        let text = value.as_str().ok_or(wanted)?;
        let range = |text: &str| -> Option<RangeInclusive<usize>> {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let range = first.trim().parse().ok()?..=last.trim().parse().ok()?;
            (*range.end() < MOST_CPUS && !range.is_empty()).then_some(range)
        };
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        let cpus: BTreeSet<_> = ranges.ok_or(wanted)?.into_iter().flatten().collect();
        Ok(Self(cpus.into_iter().collect()))
    }
}

impl FromToml for Memory {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        match value.as_str() {
            Some("pageable") => Ok(Self::Pageable),
            Some("locked") => Ok(Self::Locked),
            Some(_) | None => Err("\"pageable\" or \"locked\""),
        }
    }
}
