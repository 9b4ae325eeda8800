//! Gossip and the list of what this server can do.

use tonic::{Request, Response, Status};

use super::convert::{IdForm, now, wire_id};
use crate::node::Node;
use crate::protocol::gossip::gossip_server::Gossip;
use crate::protocol::gossip::member_info::VNodeState;
use crate::protocol::gossip::{ClusterInfo, EndPoint, MemberInfo};
use crate::protocol::server_features::server_features_server::ServerFeatures;
use crate::protocol::server_features::{SupportedMethod, SupportedMethods};

/// The version that clients are told. It has what is served here, and nothing that is not.
const VERSION: &str = "23.10.0.0";
const STREAMS: &str = "event_store.client.streams.streams";
const GROUPS: &str = "event_store.client.persistent_subscriptions.persistentsubscriptions";

/// Open to everyone, as on the real server: clients ask before they have said who they are.
#[derive(Debug, Clone)]
pub(crate) struct ClusterService(pub(crate) Node);

#[tonic::async_trait]
impl Gossip for ClusterService {
    async fn read(&self, _request: Request<()>) -> Result<Response<ClusterInfo>, Status> {
        self.0.is_free()?;
        let cluster = &self.0.cluster;
        let leader = cluster.leader();
        let time_stamp = now();
        let ticks = time_stamp.seconds * 10_000_000 + i64::from(time_stamp.nanos) / 100;
        let members = cluster.addresses().iter().enumerate().map(|(number, at)| {
            let state = if number == leader {
                VNodeState::Leader
            } else {
                VNodeState::Follower
            };
            let number = u128::try_from(number).unwrap_or(u128::MAX);
            let instance = self.0.store.instance().as_u128().wrapping_add(number);
            MemberInfo {
                instance_id: Some(wire_id(uuid::Uuid::from_u128(instance), IdForm::Structured)),
                time_stamp: ticks,
                state: state.into(),
                is_alive: true,
                http_end_point: Some(EndPoint {
                    address: at.ip().to_string(),
                    port: at.port().into(),
                }),
            }
        });
        Ok(Response::new(ClusterInfo {
            members: members.collect(),
        }))
    }
}

#[tonic::async_trait]
impl ServerFeatures for ClusterService {
    async fn get_supported_methods(
        &self,
        _request: Request<()>,
    ) -> Result<Response<SupportedMethods>, Status> {
        self.0.is_free()?;
        let method = |service: &str, name: &str, features: &[&str]| SupportedMethod {
            method_name: name.to_owned(),
            service_name: service.to_owned(),
            features: features
                .iter()
                .map(|feature| (*feature).to_owned())
                .collect(),
        };
        let streams = ["append", "batchappend", "delete", "read", "tombstone"];
        let streams = streams.map(|name| method(STREAMS, name, &[]));
        let groups = ["create", "delete", "read"].map(|name| method(GROUPS, name, &["all"]));
        Ok(Response::new(SupportedMethods {
            methods: streams.into_iter().chain(groups).collect(),
            event_store_server_version: VERSION.to_owned(),
        }))
    }
}
