//! Code 128 (ISO/IEC 15417): the bars of a text.
//!
//! Digits in pairs go in set C, everything else that ASCII prints in set B; a text is in one set throughout, which is all that
//! acceptance numbers, order numbers and ticket numbers need.

use crate::error::Error;

const START_B: u8 = 104;
const START_C: u8 = 105;
const STOP: u8 = 106;

/// Widths of bars and gaps by turns, in modules, beginning with a bar.
pub(crate) fn widths(text: &str) -> Result<Vec<u8>, Error> {
    let symbols = symbols(text).ok_or(Error::NoCode {
        what: "Code 128 barcode",
    })?;
    let all = symbols
        .iter()
        .copied()
        .chain([check_symbol(&symbols), STOP]);
    let patterns = all.filter_map(|symbol| PATTERNS.get(usize::from(symbol)));
    Ok(patterns
        .flat_map(|pattern| pattern.bytes().map(|width| width - b'0'))
        .collect())
}

/// The start symbol and the text's.
fn symbols(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let printable = bytes.iter().all(|b| (b' '..=b'~').contains(b));
    if bytes.is_empty() || bytes.len() > 48 || !printable {
        return None;
    }
    let (pairs, odd) = bytes.as_chunks::<2>();
    let digits = odd.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    if digits {
        let value = |[tens, ones]: &[u8; 2]| (tens - b'0') * 10 + (ones - b'0');
        return Some(
            [START_C]
                .into_iter()
                .chain(pairs.iter().map(value))
                .collect(),
        );
    }
    let values = bytes.iter().map(|b| b - b' ');
    Some([START_B].into_iter().chain(values).collect())
}

/// The sum of start and symbols times their places, modulo 103.
fn check_symbol(symbols: &[u8]) -> u8 {
    let weights = [1].into_iter().chain(1_u32..);
    let weighted = symbols
        .iter()
        .zip(weights)
        .map(|(symbol, weight)| u32::from(*symbol) * weight);
    u8::try_from(weighted.sum::<u32>() % 103).unwrap_or_default()
}

/// Widths of each symbol, by its value.
#[rustfmt::skip]
const PATTERNS: [&str; 107] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212",
    "221213", "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221",
    "223211", "221132", "221231", "213212", "223112", "312131", "311222", "321122", "321221",
    "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
    "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131",
    "113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131",
    "311123", "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111",
    "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
    "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242",
    "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
    "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// P1, A13: an acceptance number takes a symbol for two digits; ISO/IEC 15417 gives each symbol 11 modules, and the stop 13.
    #[test]
    fn a13_an_acceptance_number_is_156_modules_wide() {
        let widths = widths("1101050012026112200042").unwrap();
        assert_eq!(
            widths.iter().map(|w| u32::from(*w)).sum::<u32>(),
            13 * 11 + 13
        );
        assert!(
            PATTERNS
                .iter()
                .take(106)
                .all(|p| p.bytes().map(|b| b - b'0').sum::<u8>() == 11)
        );
    }

    /// The check symbol of a text whose symbols are worked out by hand: start B 104, `s` 83, `-` 13, `9` 25.
    #[test]
    fn the_check_symbol_is_the_weighted_sum() {
        let by_hand = u8::try_from((104_u32 + 83 + 2 * 13 + 3 * 25) % 103).unwrap();
        assert_eq!(check_symbol(&symbols("s-9").unwrap()), by_hand);
    }

    /// What it cannot hold is refused.
    #[test]
    fn a_text_that_it_cannot_hold_is_refused() {
        for bad in ["", "转办", "a\n", &"9".repeat(50)] {
            assert!(widths(bad).is_err(), "{bad}");
        }
    }
}
