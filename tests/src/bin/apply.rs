//! How long the gateway itself takes for applications (A16), by its own count and as kiosks see it.
//!
//! ```text
//! apply <folder> alone <applications>
//! apply <folder> at-once <kiosks> <think ms>
//! ```
//! A station of the built programs (`STATION_PROGRAMS`), the simulated devices and an event store run in the folder; the centre answers
//! nothing, so a grant whose list is not empty decides. A step's time is that from the entry's PUBLISH leaving the kiosk until its
//! receipt *and* the next page are there: looking up, sealing, deciding, the durable append, and MQTT both ways. What devices and the centre take is
//! none of it, since the page after an entry is the one that says that they are asked. `alone` applies at one kiosk, one after the other. `at-once`
//! begins at all kiosks together; each citizen thinks so long before an entry, by chance between nothing and twice that, and the devices
//! that all share serve one after the other. Prints a JSON line for each step, one for all steps, and one with the gateway's own figures;
//! `alone` also one for the papers: how long setting them took, by the gateway's count, and how long after the last entry all were at the kiosk.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use schemas::ids::BatchId;
use serde_json::{Value, json};
use simulator::people::People;
use station_tests::Random;
use station_tests::application::{
    self as apply, Applicant, Citizen, QUICK, believed, grant, more_kiosks,
};
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::station::Station;
use tokio::runtime::Runtime;

/// How long fifty may wait for a scanner that serves one after the other.
const QUEUE: Duration = Duration::from_mins(10);

/// How long papers may take to come: setting them waits for a checkpoint, which comes within a second.
const PAPERS: Duration = Duration::from_secs(30);
/// Papers of an application whose fee is still to be paid: certificate, registration form, payment notice.
const PAPERS_LEN: usize = 3;

/// Of each step, by its name: what its entries took.
type Took = BTreeMap<String, Vec<Duration>>;

/// An application that came to its end.
struct Applied {
    /// Free for the next.
    kiosk: Kiosk,
    took: Took,
    /// When the last entry was sent.
    last_entry: Instant,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().context("not a number");
    match arguments.as_slice() {
        [folder, "alone", count] => alone(Path::new(folder), number(count)?),
        [folder, "at-once", kiosks, think] => {
            at_once(Path::new(folder), number(kiosks)?, number(think)?)
        }
        _ => bail!("usage: apply <folder> alone <applications> | at-once <kiosks> <think ms>"),
    }
}

fn alone(folder: &Path, count: u64) -> anyhow::Result<()> {
    with_station(folder, 0, |station| {
        let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
        let (mut took, mut chance) = (Took::new(), Random::of(0));
        let mut papers = Papers::default();
        for person in 0..count {
            let applied = go(kiosk, person, Duration::ZERO, &mut chance)?;
            kiosk = applied.kiosk;
            papers.come(&mut kiosk, applied.last_entry, station)?;
            add(&mut took, applied.took);
        }
        papers.say();
        Ok(took)
    })
}

/// What the papers of one application after the other took.
#[derive(Default)]
struct Papers {
    /// Of all so far, in s, as the gateway counts: how often, and how long altogether.
    count: f64,
    sum_s: f64,
    /// In ms, of each application.
    set_ms: Vec<f64>,
    came_ms: Vec<f64>,
}

impl Papers {
    /// Waits for the papers of an application. They were set once.
    fn come(
        &mut self,
        kiosk: &mut Kiosk,
        last_entry: Instant,
        station: &Station,
    ) -> anyhow::Result<()> {
        for _ in 0..PAPERS_LEN {
            kiosk.until("a paper", PAPERS, |channel, _| {
                (channel == "papers").then_some(())
            });
        }
        let came = last_entry.elapsed();
        let figure = |name: &str| station.metric(name).context("no figure of papers");
        let count = figure("station_papers_seconds_count")?;
        self.count += 1.0;
        anyhow::ensure!(
            (count - self.count).abs() < 0.5,
            "papers were set {count} times"
        );
        let sum_s = figure("station_papers_seconds_sum")?;
        self.set_ms.push((sum_s - self.sum_s) * 1_000.0);
        self.sum_s = sum_s;
        self.came_ms.push(came.as_secs_f64() * 1_000.0);
        Ok(())
    }

    fn say(&self) {
        let mean = |ms: &[f64]| ms.iter().sum::<f64>() / self.count;
        let max = |ms: &[f64]| ms.iter().copied().fold(0.0, f64::max);
        let [set, came] = [&self.set_ms, &self.came_ms]
            .map(|ms| json!({"mean_ms": mean(ms), "max_ms": max(ms), "count": ms.len()}));
        let papers = json!({"papers": {"each": PAPERS_LEN, "set": set, "came": came}});
        println!("{papers}");
    }
}

fn at_once(folder: &Path, kiosks: u64, think_ms: u64) -> anyhow::Result<()> {
    let think = Duration::from_millis(think_ms);
    with_station(folder, kiosks, |station| {
        let addr = station.layout.mqtt;
        let citizens = (0..kiosks).map(|n| {
            std::thread::spawn(move || {
                go(Kiosk::connect(addr, &name(n)), n, think, &mut Random::of(n))
            })
        });
        let citizens: Vec<_> = citizens.collect();
        let mut took = Took::new();
        for citizen in citizens {
            let came = citizen.join();
            let came = came.map_err(|_panic| anyhow::anyhow!("a citizen came to no end"))?;
            add(&mut took, came?.took);
        }
        Ok(took)
    })
}

fn name(kiosk: u64) -> String {
    format!("hall-{kiosk}")
}

/// Runs a station with so many kiosks more, and prints what came of it.
fn with_station(
    folder: &Path,
    kiosks: u64,
    run: impl FnOnce(&Station) -> anyhow::Result<Took>,
) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    let centre = runtime.block_on(TestCentre::start(folder));
    let mut station = Station::configured(Layout::new(folder), |text| {
        more_kiosks(&believed(&centre.configure(&text)), (0..kiosks).map(name))
    });
    // Who waits for a device that fifty share waits longer than a citizen would.
    let patient = [("step_timeout_s = 90", "step_timeout_s = 600")];
    station.policy(&[&QUICK[..], &patient].concat());
    let devices = apply::start(&mut station, &[]);
    centre.register(&station);
    runtime.block_on(apply::tell(&centre, &station, &grant(1, true)));
    let took = run(&station)?;
    for (step, took) in &took {
        say(step, took);
    }
    say("all", &took.into_values().flatten().collect::<Vec<_>>());
    let figure = |name: &str| station.metric(name).unwrap_or_default();
    let (sum, count) = (
        figure("station_application_seconds_sum"),
        figure("station_application_seconds_count"),
    );
    let append = figure("station_append_seconds_sum") / figure("station_append_seconds_count");
    println!(
        "{}",
        json!({"own": {"mean_s": sum / count, "count": count, "append_s": append}})
    );
    drop(devices);
    Ok(())
}

fn say(step: &str, took: &[Duration]) {
    let mut ms: Vec<f64> = took
        .iter()
        .map(|took| took.as_secs_f64() * 1_000.0)
        .collect();
    ms.sort_by(f64::total_cmp);
    let at = |share: usize| ms.get((ms.len() * share / 100).min(ms.len() - 1)).copied();
    let sum: f64 = ms.iter().sum();
    let figures = json!({"count": ms.len(), "p50_ms": at(50), "p99_ms": at(99), "max_ms": ms.last(), "sum_ms": sum});
    println!("{}", json!({"step": step, "figures": figures}));
}

fn add(all: &mut Took, more: Took) {
    for (step, took) in more {
        all.entry(step).or_default().extend(took);
    }
}

/// One application to its end, of a person of their own, since nobody applies twice.
fn go(kiosk: Kiosk, person: u64, think: Duration, chance: &mut Random) -> anyhow::Result<Applied> {
    // The first few are people of whom something is odd.
    let at = usize::try_from(person)? + 20;
    let people = People::new(BatchId::new("bench")?, at + 1, 1)?.people;
    let last = people.last().context("nobody")?;
    let citizen = Citizen {
        number: last.card.number.clone(),
        ..Citizen::lost()
    };
    let mut at = Applicant::start(kiosk);
    at.patience = QUEUE;
    let (mut took, mut last_entry) = (Took::new(), Instant::now());
    loop {
        let step = at.step();
        if step.is_empty() {
            let page = at.page();
            let outcome = page.get("outcome").and_then(Value::as_str);
            anyhow::ensure!(outcome == Some("provisional"), "{page}");
            return Ok(Applied {
                kiosk: at.kiosk,
                took,
                last_entry,
            });
        }
        // What an entry names is sent and sealed before it.
        let Some(input) = at.answer(&citizen) else {
            let number = at.number();
            at.changes_from(&number);
            continue;
        };
        std::thread::sleep(think * u32::try_from(chance.below(2_000))? / 1_000);
        let number = at.number();
        let began = Instant::now();
        at.entered(&input);
        at.changes_from(&number);
        took.entry(step).or_default().push(began.elapsed());
        last_entry = began;
    }
}
