//! A campaign: one workload, many power cuts, one verdict for each.
//!
//! Owns: the choice of positions and generations, all from one seed. It must never leave a failed image
//! out of the count.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use tempfile::TempDir;

use crate::image::{Dirs, Mode};
use crate::record::Seq;
use crate::recorder::Recorder;
use crate::verdict::{Owed, Tally, Verdict, judge};
use crate::workload::{Limits, Run, Turn, Workload, last_lines};

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
    /// A recording is stopped after a number of acknowledgements in this range, if it has not ended.
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
            recordings: (images / 20).max(4),
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
            let recording = self.record(workload, &backing, place.path(), 0, &mut random)?;
            if recording.run.acks.is_empty() || !recording.came_to_its_end() {
                bail!(
                    "{} did not run: {}",
                    workload.name,
                    recording.run.complaint()
                );
            }
            for _ in 0..images {
                let image = self.one_image(workload, &recording, &mut random)?;
                tally.count(&image.owed, &image.verdict, image.cuts.len());
                println!(
                    "{} {kind} {}/{}: {image}",
                    workload.name, tally.images, self.images
                );
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
        generation: usize,
        random: &mut fastrand::Rng,
    ) -> Result<Recording> {
        let mountpoint = place.join("mounted");
        std::fs::create_dir(&mountpoint)?;
        let acks = if generation == 0 {
            &self.acks
        } else {
            &self.acks_again
        };
        let limits = Limits {
            acks_max: random.usize(acks.clone()),
            time_max: self.time_max,
        };
        let turn = Turn {
            generation,
            seed: random.u64(..),
        };
        let mut recorder = Recorder::mount(backing, &mountpoint)?.with_dirs(self.dirs);
        let run = workload.run(&recorder, turn, limits)?;
        recorder.unmount()?;
        if run.replaces() && !run.status.success() && run.stopped {
            bail!(
                "{} replaces values, so it must end by itself: see Ack::Latest",
                workload.name
            );
        }
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
        let mut owed = Owed::default();
        let early = random.f64() < self.creation_share;
        let mut folder = places.path().join("1");
        let mut cuts = vec![self.cut(first, early, random, &folder, &mut owed)?];
        let mut last = None;
        let mut refusal = None;
        while cuts.len() < self.generations() && random.f64() < self.again_share {
            let place = TempDir::new_in(places.path())?;
            let again = self.record(workload, &folder, place.path(), cuts.len(), random)?;
            if !again.came_to_its_end() {
                refusal = Some(Verdict::Unopened(again.run.complaint()));
                break;
            }
            folder = places.path().join((cuts.len() + 1).to_string());
            // Half of the crashes lie within the opening, which writes little and would else be rare.
            let opening = random.bool();
            cuts.push(self.cut(&again, opening, random, &folder, &mut owed)?);
            last = Some(again);
        }
        let verdict = match refusal {
            Some(refusal) => refusal,
            None => judge(workload, &folder, &owed)?,
        };
        let image = Image {
            cuts,
            owed,
            verdict,
        };
        self.keep(last.as_ref().unwrap_or(first), &image)?;
        Ok(image)
    }

    /// Builds a failed image once more, for those who look for the cause.
    fn keep(&self, recording: &Recording, image: &Image) -> Result<()> {
        let (Some(place), Some(cut)) = (&self.keep_failed, image.cuts.last()) else {
            return Ok(());
        };
        if !matches!(image.verdict, Verdict::Kept(_)) {
            std::fs::create_dir_all(place)?;
            let folder = TempDir::with_prefix_in("failed-", place)?.keep();
            recording.recorder.crash_image(cut.at, cut.mode, &folder)?;
            println!("the next image is kept in {}", folder.display());
        }
        Ok(())
    }

    fn generations(&self) -> usize {
        usize::try_from(self.generations_max).unwrap_or(usize::MAX)
    }

    /// Builds the image of one crash and tells `owed` what it must hold.
    fn cut(
        &self,
        recording: &Recording,
        early: bool,
        random: &mut fastrand::Rng,
        folder: &Path,
        owed: &mut Owed,
    ) -> Result<Cut> {
        let at = recording.position(early, random);
        let seed = random.u64(..);
        let mode = if self.pages {
            Mode::Page { seed }
        } else {
            Mode::Strict
        };
        recording.recorder.crash_image(at, mode, folder)?;
        owed.crash(&recording.run.acks, at);
        Ok(Cut {
            at,
            of: recording.recorder.seq(),
            mode,
        })
    }
}

/// One crash: after operation `at` of the `of` that were recorded.
#[derive(Clone, Copy, Debug)]
struct Cut {
    at: Seq,
    of: Seq,
    mode: Mode,
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
        let acks = &self.run.acks;
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

/// One image: how it came about, what it had to hold, and what it showed.
#[derive(Debug)]
struct Image {
    cuts: Vec<Cut>,
    owed: Owed,
    verdict: Verdict,
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cuts: Vec<String> = self
            .cuts
            .iter()
            .map(|cut| format!("{}/{}", cut.at, cut.of))
            .collect();
        let (cuts, owed) = (cuts.join(" then "), self.owed.len());
        write!(f, "cut at {cuts}, {owed} acknowledged, {}", self.verdict)
    }
}
