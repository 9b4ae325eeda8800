//! Dates, ages, terms and windows: the vectors of the standards, and the calendar of another library as judge.

use proptest::prelude::*;
use schemas::citizen::{CitizenNumber, Sex};
use schemas::civil::CivilDate;
use schemas::renewal::{RenewalDay, RenewalWindow, renewal};
use schemas::validity::{Expiry, Term, Validity};

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn to_judge(date: CivilDate) -> time::Date {
    let month = time::Month::try_from(date.month()).unwrap();
    time::Date::from_calendar_date(i32::from(date.year()), month, date.day()).unwrap()
}

/// A date of 1800 to 9899, so that a hundred years later is one too.
fn dates() -> impl Strategy<Value = CivilDate> {
    let first = time::Date::from_ordinal_date(1800, 1)
        .unwrap()
        .to_julian_day();
    (first..first + 8_099 * 365).prop_map(|day| {
        let date = time::Date::from_julian_day(day).unwrap();
        let year = u16::try_from(date.year()).unwrap();
        CivilDate::new(year, date.month().into(), date.day()).unwrap()
    })
}

/// A3: what is no date is refused, and what is one reads and prints as it was written.
#[test]
fn a3_only_dates_that_exist_are_taken() {
    for good in [
        "1800-01-01",
        "1900-02-28",
        "2000-02-29",
        "2024-02-29",
        "9999-12-31",
    ] {
        assert_eq!(date(good).to_string(), good);
        assert_eq!(
            CivilDate::from_digits(&date(good).digits()).unwrap(),
            date(good)
        );
    }
    for bad in [
        "1799-12-31",
        "1900-02-29",
        "2023-02-29",
        "2026-04-31",
        "2026-13-01",
        "2026-00-10",
        "2026-01-00",
        "2026-1-01",
        "20260101",
        "2026-01-0１",
        "+026-01-01",
        "2026/01/01",
        "",
    ] {
        assert!(bad.parse::<CivilDate>().is_err(), "{bad}");
    }
}

/// A date in China begins at 16:00 UTC of the day before.
#[test]
fn a_day_begins_at_midnight_in_china() {
    assert_eq!(CivilDate::in_china(0), date("1970-01-01"));
    assert_eq!(CivilDate::in_china(1_795_276_799_999), date("2026-11-21"));
    assert_eq!(CivilDate::in_china(1_795_276_800_000), date("2026-11-22"));
    assert_eq!(CivilDate::in_china(u64::MAX), CivilDate::MAX);
}

/// A13, GA 214.8-2004: the vectors of the standard.
#[test]
fn a13_validity_is_what_the_standard_computes() {
    for (born, signed, to) in [
        ("1993-12-12", "2004-03-27", "2009.03.27"),
        ("1981-01-01", "2004-03-27", "2014.03.27"),
        ("1973-01-01", "2004-03-27", "2024.03.27"),
        ("1953-01-01", "2004-03-27", "长期"),
        // Signed on 29 February: the day after 28 February where the year of the end is common.
        ("1990-05-05", "2024-02-29", "2044.02.29"),
        ("2002-05-05", "2024-02-29", "2034.03.01"),
        // Born on 29 February: 16 is reached on that day in a leap year, 26 on 1 March of a common one.
        ("2008-02-29", "2024-02-28", "2029.02.28"),
        ("2008-02-29", "2024-02-29", "2034.03.01"),
        ("2000-02-29", "2026-02-28", "2036.02.28"),
        ("2000-02-29", "2026-03-01", "2046.03.01"),
    ] {
        let validity = Validity::of_card(date(born), date(signed)).unwrap();
        assert_eq!(validity.to.to_string(), to, "born {born}, signed {signed}");
        assert_eq!(validity.from, date(signed));
    }
    assert!(Validity::of_card(date("2026-11-02"), date("2026-11-01")).is_err());
    assert!(Validity::of_card(date("9970-01-01"), date("9999-01-01")).is_err());
}

/// A13, Resident Identity Card Law, article 5: the ages at which the term changes.
#[test]
fn a13_terms_change_at_16_26_and_46() {
    for (age, term) in [
        (0, Term::Years(5)),
        (15, Term::Years(5)),
        (16, Term::Years(10)),
        (25, Term::Years(10)),
        (26, Term::Years(20)),
        (45, Term::Years(20)),
        (46, Term::LongTerm),
        (120, Term::LongTerm),
    ] {
        assert_eq!(Term::of_age(age), term, "{age}");
    }
}

/// A3: a chip holds eight digits or 长期.
#[test]
fn a3_the_expiry_is_read_as_the_chip_has_it() {
    assert_eq!(
        Expiry::from_chip("20361101").unwrap(),
        Expiry::On(date("2036-11-01"))
    );
    assert_eq!(Expiry::from_chip("长期      ").unwrap(), Expiry::LongTerm);
    assert!(Expiry::from_chip("长期有效").is_err());
    assert!(Expiry::from_chip("").is_err());
}

/// A3: six months on either side, both ends included, by the last day of a month that is too short.
#[test]
fn a3_renewal_opens_and_closes_six_months_around_expiry() {
    for (expires, opens, closes) in [
        ("2026-11-15", "2026-05-15", "2027-05-15"),
        ("2026-08-31", "2026-02-28", "2027-02-28"),
        ("2028-08-31", "2028-02-29", "2029-02-28"),
        ("2027-08-30", "2027-02-28", "2028-02-29"),
        ("2028-02-29", "2027-08-29", "2028-08-29"),
        ("2026-03-31", "2025-09-30", "2026-09-30"),
    ] {
        let window = RenewalWindow::around(date(expires), 6, 6);
        assert_eq!(
            (window.opens, window.closes),
            (date(opens), date(closes)),
            "{expires}"
        );
        assert_eq!(window.place(date(opens)), RenewalDay::Open);
        assert_eq!(window.place(date(closes)), RenewalDay::Open);
    }
    let place = |day: &str| renewal(Expiry::On(date("2026-11-15")), date(day), 6, 6);
    assert_eq!(
        place("2026-05-14"),
        RenewalDay::Early {
            opens: date("2026-05-15")
        }
    );
    assert_eq!(
        place("2027-05-16"),
        RenewalDay::Late {
            closes: date("2027-05-15")
        }
    );
    assert_eq!(
        renewal(Expiry::LongTerm, date("2026-11-15"), 6, 6),
        RenewalDay::Never
    );
    let cut_off = RenewalWindow::around(CivilDate::MAX, 6, 6);
    assert_eq!(cut_off.closes, CivilDate::MAX);
}

/// A5: the age counts from the birth date in the number.
#[test]
fn a5_a_number_says_when_its_owner_was_born_and_of_which_sex() {
    for (number, born, sex) in [
        ("11010519491231002X", "1949-12-31", Sex::Female),
        ("440524188001010014", "1880-01-01", Sex::Male),
        ("370284200202205310", "2002-02-20", Sex::Male),
        ("810000199408230021", "1994-08-23", Sex::Female),
    ] {
        let number = CitizenNumber::new(number).unwrap();
        assert_eq!((number.birth_date(), number.sex()), (date(born), sex));
    }
}

/// A5: sixteen is reached on the birthday, and on 1 March where there is no 29 February.
#[test]
fn a5_an_age_is_reached_on_the_birthday() {
    for (born, on, age) in [
        ("2010-11-22", "2026-11-21", Some(15)),
        ("2010-11-22", "2026-11-22", Some(16)),
        ("2008-02-29", "2026-02-28", Some(17)),
        ("2008-02-29", "2026-03-01", Some(18)),
        ("2008-02-29", "2028-02-28", Some(19)),
        ("2008-02-29", "2028-02-29", Some(20)),
        ("2026-11-22", "2026-11-22", Some(0)),
        ("2026-11-22", "2026-11-21", None),
        ("2026-11-22", "2025-11-22", None),
    ] {
        assert_eq!(date(born).age_on(date(on)), age, "born {born}, on {on}");
    }
}

proptest! {
    /// Order, digits and text are those of the judge's calendar.
    #[test]
    fn dates_are_ordered_as_days_are(a in dates(), b in dates()) {
        prop_assert_eq!(a.cmp(&b), to_judge(a).cmp(&to_judge(b)));
        prop_assert_eq!(a.to_string().parse::<CivilDate>().unwrap(), a);
    }

    /// An age grows by one on one day of each year, at most 366 days after it grew last.
    #[test]
    fn an_age_grows_once_a_year(born in dates(), years in 1_u16..100) {
        let birthday = born.years_after(years).unwrap();
        let eve = to_judge(birthday).previous_day().unwrap();
        let eve = CivilDate::new(u16::try_from(eve.year()).unwrap(), eve.month().into(), eve.day()).unwrap();
        prop_assert_eq!(born.age_on(birthday), Some(years));
        prop_assert_eq!(born.age_on(eve), Some(years - 1));
        let last = to_judge(born.years_after(years - 1).unwrap());
        prop_assert!(matches!((to_judge(birthday) - last).whole_days(), 365 | 366));
    }

    /// Months go there and back, but for the days that a shorter month cuts off; the judge counts the months.
    #[test]
    fn months_go_there_and_back(day in dates(), months in 0_u16..240) {
        let later = day.months_after(months).unwrap();
        let counted = |d: CivilDate| u32::from(d.year()) * 12 + u32::from(d.month());
        prop_assert_eq!(counted(later) - counted(day), u32::from(months));
        let month_ends = to_judge(later).next_day().is_none_or(|next| next.day() == 1);
        prop_assert!(later.day() == day.day() || (later.day() < day.day() && month_ends));
        let back = later.months_before(months).unwrap();
        prop_assert!(back == day || (back < day && later.day() < day.day()));
    }

    /// A renewal window holds the day of expiry, and days that are later never come earlier to it.
    #[test]
    fn a_window_holds_its_expiry(a in dates(), b in dates(), before in 0_u16..24, after in 0_u16..24) {
        let (early, late) = (RenewalWindow::around(a.min(b), before, after), RenewalWindow::around(a.max(b), before, after));
        prop_assert_eq!(early.place(a.min(b)), RenewalDay::Open);
        prop_assert!(early.opens <= late.opens && early.closes <= late.closes);
    }

    /// What reads as a date never panics on what is none.
    #[test]
    fn any_text_is_a_date_or_refused(text in ".{0,12}", digits in "[0-9]{8}") {
        let _date = text.parse::<CivilDate>();
        if let Ok(date) = CivilDate::from_digits(&digits) {
            prop_assert_eq!(date.digits(), digits);
        }
    }
}
