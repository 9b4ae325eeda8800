//! The password of a module. It does not print.

use core::str::FromStr;

/// Four bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password(u32);

impl Password {
    /// That of a module as it leaves the factory.
    pub const FACTORY: Self = Self(0);

    /// The password as on the wire.
    pub const fn expose(self) -> u32 {
        self.0
    }
}

impl From<u32> for Password {
    fn from(password: u32) -> Self {
        Self(password)
    }
}

impl core::fmt::Debug for Password {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Password(hidden)")
    }
}

impl FromStr for Password {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u32::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or("not 8 hexadecimal digits")
    }
}
