//! What the services of a node share, and what stands before each call: credentials, faults, leadership.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use crate::faults::{Faults, Overload};
use crate::net::Wire;
use crate::service::groups::Groups;
use crate::status;
use crate::store::Store;

/// The nodes of a server: listeners of one store, one of them the leader.
#[derive(Debug)]
pub(crate) struct Cluster {
    addresses: Vec<SocketAddr>,
    leader: AtomicUsize,
}

/// What a node's services know. Clones are the same node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) store: Arc<Store>,
    pub(crate) groups: Arc<Groups>,
    pub(crate) cluster: Arc<Cluster>,
    /// Place of this node in the cluster.
    pub(crate) number: usize,
    pub(crate) faults: Faults,
    /// The value of the authorization header that is let in; none: anyone is.
    pub(crate) authorization: Option<Arc<str>>,
    pub(crate) append_bytes_max: usize,
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Cluster {
    pub(crate) fn new(addresses: Vec<SocketAddr>) -> Self {
        Self {
            addresses,
            leader: AtomicUsize::new(0),
        }
    }

    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub(crate) fn leader(&self) -> usize {
        self.leader.load(Ordering::SeqCst)
    }

    /// False: there is no such node.
    pub(crate) fn set_leader(&self, node: usize) -> bool {
        let there = node < self.addresses.len();
        if there {
            self.leader.store(node, Ordering::SeqCst);
        }
        there
    }
}

/// The header that these credentials make.
pub(crate) fn basic(user: &str, password: &str) -> Arc<str> {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))).into()
}

impl Node {
    /// Lets a call in, or says as the real server would why not.
    pub(crate) fn admit<T>(&self, request: &Request<T>, access: Access) -> Result<(), Status> {
        self.authenticate(request.metadata())?;
        if self.faults.access_denied() {
            return Err(status::access_denied());
        }
        self.is_free()?;
        let requires_leader = request
            .metadata()
            .get("requires-leader")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        if access == Access::Write || requires_leader {
            self.leads()?;
        }
        Ok(())
    }

    pub(crate) fn authenticate(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let Some(wanted) = &self.authorization else {
            return Ok(());
        };
        let given = metadata.get("authorization");
        if given.is_some_and(|given| given.as_bytes() == wanted.as_bytes()) {
            Ok(())
        } else {
            Err(status::unauthenticated())
        }
    }

    /// Whether the server is not overloaded.
    pub(crate) fn is_free(&self) -> Result<(), Status> {
        match self.faults.overloaded() {
            Overload::No => Ok(()),
            Overload::TooBusy => Err(status::too_busy()),
            Overload::Timeout => Err(status::timed_out()),
            Overload::ResourceExhausted => Err(status::resource_exhausted()),
        }
    }

    /// Whether this node is the leader. A real follower would forward a write unless the client requires the
    /// leader; here it never does, so that a change of leader is seen by every client.
    pub(crate) fn leads(&self) -> Result<(), Status> {
        let leader = self.cluster.leader();
        match self.cluster.addresses.get(leader) {
            Some(address) if leader != self.number => Err(status::not_leader(
                &address.ip().to_string(),
                address.port(),
            )),
            _ => Ok(()),
        }
    }
}

/// The connection that a request came over.
pub(crate) fn wire<T>(request: &Request<T>) -> Wire {
    request
        .extensions()
        .get::<Wire>()
        .cloned()
        .unwrap_or_default()
}
