//! The centre's blob store: a folder, or a bucket of S3.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use edge_config::{BlobPlace, Centre};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use schemas::ids::StationId;

/// Where blobs go. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Place {
    /// The station's own folder in the store. It has to be there: nobody here knows whether a share is mounted, and a key that went
    /// to an empty mount point would be lost.
    Folder(PathBuf),
    /// A bucket.
    #[cfg(feature = "s3")]
    Bucket(Arc<dyn ObjectStore>),
}

impl Place {
    /// What the configuration names for this station, if it names one. Nothing is asked of it yet.
    pub fn configured(centre: &Centre, station: &StationId) -> anyhow::Result<Option<Self>> {
        match &centre.blob_store {
            None => Ok(None),
            Some(BlobPlace::Folder(folder)) => Ok(Some(Self::folder(folder, station))),
            Some(BlobPlace::S3 { bucket, prefix }) => {
                let prefix = format!("{prefix}/{station}");
                let prefix = prefix.trim_start_matches('/');
                bucket_of(bucket, prefix, centre.blob_store_file.as_deref()).map(Some)
            }
        }
    }

    /// The station's folder in the folder of all stations.
    pub fn folder(all: &Path, station: &StationId) -> Self {
        Self::Folder(all.join(station.as_str()))
    }

    /// The store, as it is there now. Blocks.
    pub(super) fn open(&self) -> object_store::Result<Arc<dyn ObjectStore>> {
        match self {
            Self::Folder(folder) => {
                // Without a sync an object could be told as there and be gone after a power cut at the centre.
                let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
                Ok(Arc::new(store))
            }
            #[cfg(feature = "s3")]
            Self::Bucket(store) => Ok(Arc::clone(store)),
        }
    }

    /// Whether a call that is given up ends at once. One that hangs in the kernel does not.
    pub(super) const fn is_cancelled(&self) -> bool {
        match self {
            Self::Folder(_) => false,
            #[cfg(feature = "s3")]
            Self::Bucket(_) => true,
        }
    }
}

#[cfg(feature = "s3")]
fn bucket_of(bucket: &str, prefix: &str, file: Option<&Path>) -> anyhow::Result<Place> {
    super::s3::bucket(bucket, prefix, file).map(Place::Bucket)
}

#[cfg(not(feature = "s3"))]
fn bucket_of(_bucket: &str, _prefix: &str, _file: Option<&Path>) -> anyhow::Result<Place> {
    anyhow::bail!(
        "centre.blob_store: this program was built without S3; install the package, or build it with `--features s3`"
    )
}
