//! HPACK (RFC 7541): header fields as they travel over HTTP/2.
//!
//! Both directions know what a load generator sends and gets: the same few blocks, again and again. Requests are encoded from
//! fields that stay in the peer's table, and nothing is ever driven out of it; a block of an answer that was decoded before,
//! by the same table, is not decoded again.

mod decode;
mod encode;
mod huffman;
mod integer;
mod malformed;
mod table;

pub(super) use decode::{Block, Decoder, MOST};
pub(super) use encode::{Encoder, Prepared};
