//! The heads of requests as blocks of header fields.

use std::{collections::HashMap, sync::Arc};

use http::Request;

use crate::invoke::{
    exchange::{OwnFields, RequestHead},
    transport::http2::hpack::{Encoder, Prepared},
};

/// Most shared heads whose blocks are kept.
const MOST_KEPT: usize = 1 << 14;

/// The heads of requests as they travel over one connection.
#[derive(Debug, Default)]
pub(super) struct Heads {
    pub(super) encoder: Encoder,
    /// By where the head is, which stays there as long as it is known here.
    known: HashMap<*const Request<()>, Known>,
    /// The streams whose bodies flow control holds back, in their order.
    pub(super) held: Vec<u32>,
}

#[derive(Debug)]
struct Known {
    _head: Arc<Request<()>>,
    prepared: Prepared,
}

/// The fields of a request that its protocol has in the head.
fn fields(head: &Request<()>) -> impl Iterator<Item = (&[u8], &[u8])> {
    let uri = head.uri();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let pseudo = [
        (":method", Some(head.method().as_str())),
        (":scheme", uri.scheme_str()),
        (":authority", uri.authority().map(|authority| authority.as_str())),
        (":path", Some(path)),
    ];
    let pseudo = pseudo.into_iter().filter_map(|(name, value)| Some((name.as_bytes(), value?.as_bytes())));
    pseudo.chain(head.headers().iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())))
}

impl Heads {
    /// Writes the block of a request.
    pub(super) fn block(&mut self, head: &RequestHead, own: &OwnFields, into: &mut Vec<u8>) {
        self.encoder.begin(into);
        match head {
            RequestHead::Shared(head) => {
                if self.known.len() == MOST_KEPT && !self.known.contains_key(&Arc::as_ptr(head)) {
                    self.known.clear();
                }
                let known = self.known.entry(Arc::as_ptr(head));
                let Known { _head: _, prepared } =
                    known.or_insert_with(|| Known { _head: Arc::clone(head), prepared: Prepared::default() });
                self.encoder.shared(fields(head), prepared, into);
            }
            RequestHead::Own(head) => fields(head).for_each(|(name, value)| self.encoder.own(name, value, into)),
        }
        for (name, value) in own {
            self.encoder.own(name.as_str().as_bytes(), value.as_bytes(), into);
        }
    }
}
