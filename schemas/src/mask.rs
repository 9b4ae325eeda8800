//! How much of what names a person may be shown (A4): the one place that says so. Everything that prints, shows or records
//! a mask has it from here.
//!
//! | what | shown |
//! |---|---|
//! | name | the last character, if there is more than one |
//! | citizen number, voucher | the last four characters |
//! | phone number | the first three and the last four |

/// Characters of a number that are shown.
pub(crate) const TAIL_LEN: usize = 4;
const PHONE_HEAD_LEN: usize = 3;

/// `李小明` as `**明`; a name of one character is hidden whole.
pub fn name(name: &str) -> String {
    let len = name.chars().count();
    partly(name, 0, usize::from(len > 1))
}

/// `11010519491231002X` as `**************002X`. A voucher in the same way.
pub fn number(number: &str) -> String {
    partly(number, 0, TAIL_LEN)
}

/// `13812345678` as `138****5678`.
pub fn phone(phone: &str) -> String {
    partly(phone, PHONE_HEAD_LEN, TAIL_LEN)
}

/// The last four characters of a number.
pub(crate) fn tail(number: &str) -> String {
    let len = number.chars().count();
    number.chars().skip(len.saturating_sub(TAIL_LEN)).collect()
}

/// The first `head` and the last `tail` characters, with a star for each between; all stars where nothing would be hidden.
fn partly(text: &str, head: usize, tail: usize) -> String {
    let len = text.chars().count();
    let hides = head + tail < len;
    text.chars()
        .enumerate()
        .map(|(at, c)| {
            let shown = hides && (at < head || at + tail >= len);
            if shown { c } else { '*' }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A4, G7: the policy, and that a text too short for it is hidden whole.
    #[test]
    fn masks_show_what_the_policy_says() {
        for (masked, expected) in [
            (name("李小明"), "**明"),
            (name("李"), "*"),
            (name(""), ""),
            (number("11010519491231002X"), "**************002X"),
            (number("002X"), "****"),
            (phone("13812345678"), "138****5678"),
            (phone("1385678"), "*******"),
            (tail("11010519491231002X"), "002X"),
            (tail("2X"), "2X"),
        ] {
            assert_eq!(masked, expected);
        }
    }
}
