//! The protocol's services, over the store.

mod append;
mod batch;
mod cluster;
mod convert;
mod delete;
pub(crate) mod groups;
mod persistent;
mod read;
mod subscribe;

use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

pub(crate) use cluster::ClusterService;
pub(crate) use persistent::PersistentService;

use crate::node::{Access, Node, wire};
use crate::protocol::streams::streams_server::Streams;
use crate::protocol::streams::{
    AppendReq, AppendResp, BatchAppendReq, BatchAppendResp, DeleteReq, DeleteResp, ReadReq,
    ReadResp, TombstoneReq, TombstoneResp,
};

/// Answers that wait for their client.
const ANSWERS_LEN: usize = 64;

/// Appending, reading and deleting.
#[derive(Debug, Clone)]
pub(crate) struct StreamsService(pub(crate) Node);

#[tonic::async_trait]
impl Streams for StreamsService {
    type ReadStream = ReceiverStream<Result<ReadResp, Status>>;
    type BatchAppendStream = ReceiverStream<Result<BatchAppendResp, Status>>;

    async fn read(&self, request: Request<ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        self.0.admit(&request, Access::Read)?;
        let answers = read::read(&self.0, request.into_inner())?;
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn append(
        &self,
        request: Request<Streaming<AppendReq>>,
    ) -> Result<Response<AppendResp>, Status> {
        self.0.admit(&request, Access::Write)?;
        let wire = wire(&request);
        let answer = append::append(&self.0, &wire, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn delete(&self, request: Request<DeleteReq>) -> Result<Response<DeleteResp>, Status> {
        self.0.admit(&request, Access::Write)?;
        let answer = delete::delete(&self.0, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn tombstone(
        &self,
        request: Request<TombstoneReq>,
    ) -> Result<Response<TombstoneResp>, Status> {
        self.0.admit(&request, Access::Write)?;
        let answer = delete::tombstone(&self.0, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn batch_append(
        &self,
        request: Request<Streaming<BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        self.0.authenticate(request.metadata())?;
        self.0.leads()?;
        let wire = wire(&request);
        let answers = batch::serve(self.0.clone(), wire, request.into_inner());
        Ok(Response::new(ReceiverStream::new(answers)))
    }
}
