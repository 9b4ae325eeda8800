//! User and password of a camera. The password does not print, and its memory is wiped.

use zeroize::Zeroizing;

/// Who the station is to a camera.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: Zeroizing<String>,
}

impl Credentials {
    /// A user and a password.
    pub const fn new(user: String, password: Zeroizing<String>) -> Self {
        Self { user, password }
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password.
    pub fn expose(&self) -> &str {
        &self.password
    }
}

impl core::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}
