use bytes::Buf as _;
use loader_proto::worker::{EventBatch, WireEvent};
use prost::{
    Message as _,
    encoding::{WireType, decode_key, encode_key},
};
use tokio::time::Instant;

use super::{
    error::{WireError, within},
    event::{event, from_event},
    row::PlanFacts,
};
use crate::{plan::Plan, record::Event, units};

/// Most events of a batch.
pub const MOST_EVENTS: usize = 4096;

/// Most bytes of a batch before it is compressed, but for its last event.
const FULL_BYTES: usize = 1 << 20;

/// Most bytes of a batch before it is compressed.
pub const MOST_BYTES: usize = 4 << 20;

/// Of zstd: most of what it gains, at the least cost.
const LEVEL: i32 = 1;

/// The number of `WireEvents.events`.
const EVENTS: u32 = 1;

/// Gathers events to a batch.
#[derive(Debug)]
pub struct BatchEncoder {
    t0: Instant,
    next: u64,
    count: usize,
    encoded: Vec<u8>,
}

impl BatchEncoder {
    /// Of a load that began at `t0`.
    pub fn new(t0: Instant) -> Self {
        Self { t0, next: 0, count: 0, encoded: Vec::new() }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// A row of a plan that is not shared.
    pub fn push(&mut self, event: &Event) -> Result<(), WireError> {
        if let Some(message) = from_event(event, self.t0)? {
            // As a field of `WireEvents`.
            encode_key(EVENTS, WireType::LengthDelimited, &mut self.encoded);
            let room = message.encode_length_delimited(&mut self.encoded);
            debug_assert!(room.is_ok(), "a vector grows");
            self.count += 1;
        }
        Ok(())
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether no more should be added.
    pub fn is_full(&self) -> bool {
        self.count >= MOST_EVENTS || self.encoded.len() >= FULL_BYTES
    }

    /// The batch, and begins the next one.
    ///
    /// # Errors
    /// When it can't be compressed.
    pub fn finish(&mut self) -> Result<EventBatch, WireError> {
        let events = zstd::bulk::compress(&self.encoded, LEVEL).map_err(WireError::Compression)?;
        let batch = EventBatch { number: self.next, events, length: units::to_u32(self.encoded.len()) };
        self.next += 1;
        self.count = 0;
        self.encoded.clear();
        Ok(batch)
    }
}

/// Reads batches of one plan, in any order.
#[derive(Debug, Clone, Copy)]
pub struct Decoder(PlanFacts);

impl Decoder {
    /// Of workers that have shares of this plan.
    pub fn new(plan: &dyn Plan) -> Self {
        Self(PlanFacts { unit: plan.unit(), functions: plan.functions().len(), marks: plan.extra_marks() })
    }

    /// The events of a batch, in order, of a load that began at `t0`. Rows and ends of slots know no more than the number of their slot,
    /// and its begin not what it counts for.
    ///
    /// # Errors
    /// What is no batch of this plan.
    pub fn decode(&self, batch: &EventBatch, t0: Instant) -> Result<Vec<Event>, WireError> {
        let EventBatch { number: _, events, length } = batch;
        within("bytes of a batch", u64::from(*length), MOST_BYTES as u64)?;
        let encoded = zstd::bulk::decompress(events, *length as usize).map_err(WireError::Compression)?;
        self.events(&encoded, t0)
    }

    /// The events of a batch that was decompressed.
    ///
    /// # Errors
    /// What is no batch of this plan.
    pub(crate) fn events(&self, encoded: &[u8], t0: Instant) -> Result<Vec<Event>, WireError> {
        let (mut rest, mut decoded) = (encoded, Vec::new());
        while rest.has_remaining() {
            // One at a time, so that what they take is bounded by their number.
            within("events of a batch", decoded.len() as u64 + 1, MOST_EVENTS as u64)?;
            match decode_key(&mut rest)? {
                (EVENTS, WireType::LengthDelimited) => {}
                _other => return Err(WireError::NoEvents),
            }
            let message = WireEvent::decode_length_delimited(&mut rest)?;
            decoded.push(event(message, t0, &self.0)?);
        }
        Ok(decoded)
    }
}
