//! How values are written: numbers in groups, dates, amounts, masks.

use schemas::acceptance::AcceptanceNumber;
use schemas::citizen::{CitizenNumber, NumberTail, PhoneNumber};
use schemas::civil::CivilDate;
use schemas::ids::TransactionId;
use schemas::message::kiosk::Text;
use schemas::message::peripheral::Fen;
use schemas::validity::Term;
use texts::{Message, text};
use zeroize::Zeroizing;

/// Both languages on one line.
pub(crate) fn both(text: &Text) -> String {
    format!("{} {}", text.zh, text.en)
}

/// Division, station, date, sequence: `110105 001 20261122 00042`.
pub(crate) fn acceptance_number(number: &AcceptanceNumber) -> Zeroizing<String> {
    grouped(number.expose(), &[6, 3, 8, 5])
}

/// Division, birth date, sequence: `110105 19491231 002X`.
pub(crate) fn citizen_number(number: &CitizenNumber) -> Zeroizing<String> {
    grouped(number.expose(), &[6, 8, 4])
}

/// `138 1234 5678`.
pub(crate) fn phone(phone: &PhoneNumber) -> Zeroizing<String> {
    grouped(phone.expose(), &[3, 4, 4])
}

/// In groups of four: `4200 0020 2611`.
pub(crate) fn transaction(transaction: &TransactionId) -> String {
    let mut grouped = String::new();
    for (at, character) in transaction.as_str().chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}

/// For how long a card is valid.
pub(crate) fn term(term: Term) -> String {
    let years = match term {
        Term::Years(years) => years.to_string(),
        Term::LongTerm => return text(&Message::ValidityLongTerm).zh,
    };
    text(&Message::ValidityYears { years: &years }).zh
}

/// All but the last four characters of a citizen number as stars (A4).
pub(crate) fn masked_number(tail: &NumberTail) -> String {
    format!("{}{tail}", "*".repeat(14))
}

/// `20.00 元`, which every visitor can read.
pub(crate) fn amount(amount: Fen) -> String {
    let amount = amount.to_string();
    text(&Message::AmountYuan { amount: &amount }).zh
}

/// `20.00 元 已缴 paid`.
pub(crate) fn fee(fee: Fen, is_paid: bool) -> String {
    let standing = text(&if is_paid {
        Message::FeePaid
    } else {
        Message::FeeUnpaid
    });
    format!("{} {}", amount(fee), both(&standing))
}

/// Date and minute in China: `2026-11-22 16:03`.
pub(crate) fn minute(wall_ms: u64) -> String {
    let of_day = (wall_ms / 60_000).saturating_add(8 * 60) % (24 * 60);
    let date = CivilDate::in_china(wall_ms);
    format!("{date} {:02}:{:02}", of_day / 60, of_day % 60)
}

/// Text in groups of so many characters each.
fn grouped(text: &str, groups: &[usize]) -> Zeroizing<String> {
    let mut grouped = Zeroizing::new(String::with_capacity(text.len() + groups.len()));
    let mut characters = text.chars();
    for length in groups {
        if !grouped.is_empty() {
            grouped.push(' ');
        }
        grouped.extend(characters.by_ref().take(*length));
    }
    grouped.extend(characters);
    grouped
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// A13: of a card that is not made yet only the term is known.
    #[test]
    fn a13_a_term_counts_from_the_day_of_issue() {
        assert_eq!(term(Term::Years(20)), "20 年（自签发之日起）");
        assert_eq!(term(Term::LongTerm), "长期（自签发之日起）");
    }

    /// A13: numbers are printed in the groups of their standards.
    #[test]
    fn a13_numbers_are_grouped() {
        let acceptance = AcceptanceNumber::new("1101050012026112200042").unwrap();
        assert_eq!(*acceptance_number(&acceptance), "110105 001 20261122 00042");
        let number = CitizenNumber::new("11010519491231002X").unwrap();
        assert_eq!(*citizen_number(&number), "110105 19491231 002X");
        assert_eq!(masked_number(&number.tail()), number.masked());
        assert_eq!(
            *phone(&PhoneNumber::new("13812345678").unwrap()),
            "138 1234 5678"
        );
        let transaction_id = TransactionId::new("4200002026112217953346400001").unwrap();
        assert_eq!(
            transaction(&transaction_id),
            "4200 0020 2611 2217 9533 4640 0001"
        );
        assert_eq!(amount(Fen::new(2_000).unwrap()), "20.00 元");
        assert_eq!(minute(1_795_276_800_000), "2026-11-22 00:00");
        assert_eq!(minute(1_795_334_640_000), "2026-11-22 16:04");
    }
}
