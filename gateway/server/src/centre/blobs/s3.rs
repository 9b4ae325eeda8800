//! A bucket of S3, or of what speaks like it. Credentials come from a file of their own, or from the environment.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;

use anyhow::Context as _;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::prefix::PrefixStore;
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};

const CONNECT_DEADLINE: &str = "10s";
/// Longer than any call is waited for.
const CALL_LONGEST: &str = "1h";

/// The part of a bucket whose objects' names begin with `prefix`.
pub(super) fn bucket(
    bucket: &str,
    prefix: &str,
    file: Option<&Path>,
) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let settings = match file {
        None => AmazonS3Builder::from_env(),
        Some(path) => settings(path)?,
    };
    // Each call has a deadline that knows its length, and is tried again with the rest: nothing of that is left to the client.
    let retry = RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    };
    let store = settings
        .with_bucket_name(bucket)
        .with_config(
            AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout),
            CONNECT_DEADLINE,
        )
        .with_config(
            AmazonS3ConfigKey::Client(ClientConfigKey::Timeout),
            CALL_LONGEST,
        )
        .with_retry(retry)
        .with_checksum_algorithm(Checksum::SHA256)
        .build()
        .context("centre.blob_store")?;
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}

/// `NAME=value` lines; names as the environment has them (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT` …). Values are never shown.
fn settings(path: &Path) -> anyhow::Result<AmazonS3Builder> {
    let named = || format!("centre.blob_store_file: {}", path.display());
    let text = std::fs::read_to_string(path).with_context(named)?;
    let mut settings = AmazonS3Builder::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = || format!("{}, line {}: not NAME=value", named(), at + 1);
        let (name, value) = line.split_once('=').with_context(wrong)?;
        let name = name.trim().to_ascii_lowercase();
        let key = AmazonS3ConfigKey::from_str(&name)
            .with_context(|| format!("{}, line {}: {name}", named(), at + 1))?;
        settings = settings.with_config(key, value.trim());
    }
    Ok(settings)
}
