//! A campaign: one workload, many power cuts, one verdict for each.
//!
//! Owns: the choice of positions and generations, all from one seed, and the judgement of an image
//! against what had been acknowledged by then. It must never leave a failed image out of the count.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::image::{Dirs, Mode};
use crate::record::Seq;
use crate::recorder::Recorder;
use crate::workload::{Limits, Run, Witnessed, Workload, last_lines};

/// How the power is cut, and how often.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Decides every choice that the harness makes; the child's timing is its own.
    pub seed: u64,
    /// Strict images if false, images torn by pages if true.
    pub pages: bool,
    /// Number of images.
    pub images: u32,
    /// Number of recordings that the images are taken from, in turn.
    pub recordings: u32,
    /// An image is opened under a recorder itself, and crashed again, with this likelihood (0 to 1).
    pub again_share: f64,
    /// At most this many crashes one after another.
    pub generations_max: u32,
    /// Share of images of the time before the first acknowledgement (0 to 1).
    pub creation_share: f64,
    /// A recording is stopped after a number of acknowledgements in this range.
    pub acks: RangeInclusive<usize>,
    /// The same for a run on a crash image.
    pub acks_again: RangeInclusive<usize>,
    /// A run is killed after this time.
    pub time_max: Duration,
    /// What makes a folder's entries durable.
    pub dirs: Dirs,
    /// Where images that fail are kept, as they were before the program opened them.
    pub keep_failed: Option<PathBuf>,
}

impl Campaign {
    /// Images of the time after the first acknowledgement, each crashed once, strict or by pages.
    pub fn plain(seed: u64, pages: bool, images: u32) -> Self {
        Self {
            seed,
            pages,
            images,
            recordings: 4,
            again_share: 0.0,
            generations_max: 1,
            creation_share: 0.0,
            acks: 100..=300,
            acks_again: 1..=30,
            time_max: Duration::from_secs(30),
            dirs: Dirs::OwnSync,
            keep_failed: None,
        }
    }

    /// The same with crashes at creation (a tenth) and within recovery (half, up to three in a row).
    pub fn thorough(seed: u64, pages: bool, images: u32) -> Self {
        Self {
            again_share: 0.5,
            generations_max: 3,
            creation_share: 0.1,
            ..Self::plain(seed, pages, images)
        }
    }

    /// Runs the workload, cuts the power, and prints one line for each image.
    ///
    /// # Errors
    /// The harness itself failed: no FUSE, the workload did not run at all. What an image lost is
    /// not an error but in the tally.
    pub fn run(&self, workload: &Workload) -> Result<Tally> {
        let kind = if self.pages { "page" } else { "strict" };
        println!(
            "{} {kind}: seed {}, {} images",
            workload.name, self.seed, self.images
        );
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut tally = Tally::default();
        let recordings = self.recordings.clamp(1, self.images.max(1));
        for nth in 0..recordings {
            let images = self.images / recordings + u32::from(nth < self.images % recordings);
            let place = TempDir::new()?;
            let backing = place.path().join("disk");
            std::fs::create_dir(&backing)?;
            let acks_max = random.usize(self.acks.clone());
            let recording = self.record(workload, &backing, place.path(), acks_max)?;
            if recording.run.acks.is_empty() || !recording.came_to_its_end() {
                bail!(
                    "{} did not run: {}",
                    workload.name,
                    recording.run.complaint()
                );
            }
            for _ in 0..images {
                let image = self.one_image(workload, &recording, &mut random)?;
                println!(
                    "{} {kind} {}/{}: {image}",
                    workload.name,
                    tally.images + 1,
                    self.images
                );
                tally.count(&image);
            }
        }
        println!("{} {kind}: seed {}, {tally}", workload.name, self.seed);
        Ok(tally)
    }

    fn record(
        &self,
        workload: &Workload,
        backing: &Path,
        place: &Path,
        acks_max: usize,
    ) -> Result<Recording> {
        let mountpoint = place.join("mounted");
        std::fs::create_dir(&mountpoint)?;
        let mut recorder = Recorder::mount(backing, &mountpoint)?.with_dirs(self.dirs);
        let run = workload.run(
            &recorder,
            Limits {
                acks_max,
                time_max: self.time_max,
            },
        )?;
        recorder.unmount()?;
        Ok(Recording { recorder, run })
    }

    /// Crashes once, or several times in a row, and asks the program what is left.
    fn one_image(
        &self,
        workload: &Workload,
        first: &Recording,
        random: &mut fastrand::Rng,
    ) -> Result<Image> {
        let places = TempDir::new()?;
        let mut image = Image::default();
        let early = random.f64() < self.creation_share;
        let mut folder = places.path().join("1");
        let mut mode = self.cut(first, early, random, &folder, &mut image)?;
        let mut last = None;
        while image.cuts.len() < self.generations() && random.f64() < self.again_share {
            let place = TempDir::new_in(places.path())?;
            let acks_max = random.usize(self.acks_again.clone());
            let again = self.record(workload, &folder, place.path(), acks_max)?;
            if !again.came_to_its_end() {
                // The recording before this one made the image that does not open.
                image.verdict = Verdict::Unopened(again.run.complaint());
                break;
            }
            folder = places.path().join((image.cuts.len() + 1).to_string());
            // Half of the crashes lie within the opening, which writes little and would else be rare.
            let opening = random.bool();
            mode = self.cut(&again, opening, random, &folder, &mut image)?;
            last = Some(again);
        }
        if image.verdict == Verdict::Open {
            image.verdict = judge(workload, &folder, &image.required)?;
        }
        self.keep(last.as_ref().unwrap_or(first), mode, &image)?;
        Ok(image)
    }

    /// Builds a failed image once more, for those who look for the cause.
    fn keep(&self, recording: &Recording, mode: Mode, image: &Image) -> Result<()> {
        let (Some(place), Some((at, _))) = (&self.keep_failed, image.cuts.last()) else {
            return Ok(());
        };
        if !matches!(image.verdict, Verdict::Kept(_)) {
            std::fs::create_dir_all(place)?;
            let folder = TempDir::with_prefix_in("failed-", place)?.keep();
            recording.recorder.crash_image(*at, mode, &folder)?;
            println!("the next image is kept in {}", folder.display());
        }
        Ok(())
    }

    fn generations(&self) -> usize {
        usize::try_from(self.generations_max).unwrap_or(usize::MAX)
    }

    /// Builds the image of one crash and adds to `image` what it owes from then on.
    fn cut(
        &self,
        recording: &Recording,
        early: bool,
        random: &mut fastrand::Rng,
        folder: &Path,
        image: &mut Image,
    ) -> Result<Mode> {
        let at = recording.position(early, random);
        let seed = random.u64(..);
        let mode = if self.pages {
            Mode::Page { seed }
        } else {
            Mode::Strict
        };
        recording.recorder.crash_image(at, mode, folder)?;
        image.cuts.push((at, recording.recorder.seq()));
        for witnessed in recording
            .run
            .acks
            .iter()
            .filter(|witnessed| witnessed.seq <= at)
        {
            let ack = witnessed.ack.clone();
            image.required.entry(ack.key).or_default().push(ack.value);
        }
        Ok(mode)
    }
}

/// A finished run and the record of what it wrote.
struct Recording {
    recorder: Recorder,
    run: Run,
}

impl Recording {
    fn came_to_its_end(&self) -> bool {
        self.run.stopped || self.run.status.success()
    }

    /// A position before the first acknowledgement, or after it; of the latter a third lie exactly
    /// at an acknowledgement, where nothing that follows can make up for a missing sync.
    fn position(&self, early: bool, random: &mut fastrand::Rng) -> Seq {
        let acks: &[Witnessed] = &self.run.acks;
        let (start, end) = (self.recorder.start(), self.recorder.seq());
        let first = acks.first().map_or(end, |witnessed| witnessed.seq);
        if early {
            return random.u64(start..=first);
        }
        let exact = random.u8(0..3) == 0;
        match acks.get(random.usize(0..acks.len().max(1))) {
            Some(witnessed) if exact => witnessed.seq,
            _ => random.u64(first..=end),
        }
    }
}

impl Run {
    fn complaint(&self) -> String {
        format!("{}: {}", self.status, last_lines(&self.stderr))
    }
}

/// What one image showed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// Not judged yet.
    Open,
    /// Everything acknowledged is there, once; and how many entries there are in all.
    Kept(usize),
    /// These keys were acknowledged and are missing or different.
    Lost(Vec<String>),
    /// These keys are there more than once.
    Doubled(Vec<String>),
    /// The program refused to open the folder, with this complaint.
    Unopened(String),
}

#[derive(Debug)]
struct Image {
    /// Position of each crash, and the length of its recording.
    cuts: Vec<(Seq, Seq)>,
    required: BTreeMap<String, Vec<String>>,
    verdict: Verdict,
}

impl Default for Image {
    fn default() -> Self {
        Self {
            cuts: Vec::new(),
            required: BTreeMap::new(),
            verdict: Verdict::Kept(0),
        }
    }
}

fn judge(
    workload: &Workload,
    image: &Path,
    required: &BTreeMap<String, Vec<String>>,
) -> Result<Verdict> {
    if required.is_empty() && !image.join(&workload.folder).exists() {
        // The power went before the data folder's own entry was on disk: there is nothing to open.
        return Ok(Verdict::Kept(0));
    }
    let kept = match workload
        .kept(image)
        .context("cannot verify a crash image")?
    {
        Ok(kept) => kept,
        Err(complaint) => return Ok(Verdict::Unopened(complaint)),
    };
    // One key acknowledged with two values is lost in at least one of them.
    let lost: Vec<String> = required
        .iter()
        .filter(|(key, values)| {
            let found = kept.get(*key).and_then(|found| found.first());
            values.iter().any(|value| Some(value) != found)
        })
        .map(|(key, _)| key.clone())
        .collect();
    if !lost.is_empty() {
        return Ok(Verdict::Lost(lost));
    }
    let doubled: Vec<String> = kept
        .iter()
        .filter(|(_, found)| found.len() > 1)
        .map(|(key, _)| key.clone())
        .collect();
    Ok(if doubled.is_empty() {
        Verdict::Kept(kept.len())
    } else {
        Verdict::Doubled(doubled)
    })
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cuts: Vec<String> = self
            .cuts
            .iter()
            .map(|(at, of)| format!("{at}/{of}"))
            .collect();
        write!(
            f,
            "cut at {}, {} acknowledged, ",
            cuts.join(" then "),
            self.required.len()
        )?;
        match &self.verdict {
            Verdict::Kept(found) => write!(f, "{found} found, none lost"),
            Verdict::Lost(keys) => {
                let first = keys.first().map_or("", String::as_str);
                write!(f, "LOST {} (first: {first})", keys.len())
            }
            Verdict::Doubled(keys) => write!(f, "DOUBLED {}", keys.len()),
            Verdict::Unopened(complaint) => write!(f, "DOES NOT OPEN: {complaint}"),
            Verdict::Open => write!(f, "not judged"),
        }
    }
}

/// The verdicts of a campaign, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All images.
    pub images: u32,
    /// Images that were opened and crashed again at least once.
    pub crashed_again: u32,
    /// Images that owed at least one acknowledged entry.
    pub owing: u32,
    /// Images that opened, with everything acknowledged there once.
    pub kept: u32,
    /// Images in which something acknowledged is missing or different.
    pub lost: u32,
    /// Images in which something is there more than once.
    pub doubled: u32,
    /// Images that the program refused.
    pub unopened: u32,
    /// Acknowledged entries owed by all images together.
    pub acknowledged: usize,
}

impl Tally {
    fn count(&mut self, image: &Image) {
        self.images += 1;
        self.crashed_again += u32::from(image.cuts.len() > 1);
        self.owing += u32::from(!image.required.is_empty());
        self.acknowledged += image.required.len();
        match image.verdict {
            Verdict::Kept(_) => self.kept += 1,
            Verdict::Lost(_) => self.lost += 1,
            Verdict::Doubled(_) => self.doubled += 1,
            Verdict::Unopened(_) => self.unopened += 1,
            Verdict::Open => {}
        }
    }

    /// True if every image opened with all that it owed.
    pub fn is_clean(&self) -> bool {
        self.images > 0 && self.kept == self.images
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} images ({} owing, {} crashed again), {} acknowledged in all: {} kept, {} lost, \
             {} doubled, {} not opened",
            self.images,
            self.owing,
            self.crashed_again,
            self.acknowledged,
            self.kept,
            self.lost,
            self.doubled,
            self.unopened
        )
    }
}
