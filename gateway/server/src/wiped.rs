//! Wiping of what came over the network.
//!
//! A message's bytes are wiped where the gateway is their last holder. What this cannot reach: the buffers of the network
//! libraries, which own the packets until they are read on over them, and a large packet (over 512 bytes), whose bytes the
//! broker's parser shares with the message and frees unwiped.

use bytes::Bytes;
use zeroize::Zeroize as _;

/// Overwrites the bytes if nobody else holds them, and drops them.
pub(crate) fn wipe(bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        bytes.as_mut().zeroize();
    }
}
