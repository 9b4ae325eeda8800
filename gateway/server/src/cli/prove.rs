//! `prove` and `check-proof`: single events, with all that proves them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use gateway_audit::{Anchor, Leaves, Proof, Slip};
use schemas::envelope::{self, Entry, Signed};
use schemas::event::Event;
use schemas::proof::{Checkpoint, Hash, SignedNote, TreeHashes as _, prove_inclusion};

use super::beginning::Beginning;
use super::source::{Source, Where};
use super::{EXIT_DAMAGED, complain, progress, say};

const EXTENSION: &str = ".tlog-proof";

#[derive(Debug, Args)]
pub(super) struct ProveArgs {
    /// Which event: its index, its leaf hash (64 hexadecimal digits), or the text of a slip's QR code.
    event: String,
    /// Where to; without it `<index>.tlog-proof`, and `-` is standard output. Where the signing key was changed, the proofs of the
    /// rotations are written beside it, as `<index>.rotation-<n>.tlog-proof`; they belong to this proof alone.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    place: Where,
}

enum Wanted {
    Index(u64),
    Leaf(Hash),
    Slip(Slip),
}

fn wanted(text: &str) -> anyhow::Result<Wanted> {
    if let Ok(index) = text.parse() {
        return Ok(Wanted::Index(index));
    }
    if let Ok(slip) = text.parse() {
        return Ok(Wanted::Slip(slip));
    }
    let mut leaf = [0; 32];
    hex::decode_to_slice(text, &mut leaf).map_err(|_not_hex| {
        anyhow::anyhow!(
            "{text:?} is neither an index, nor 64 hexadecimal digits of a leaf hash, nor the text of a slip"
        )
    })?;
    Ok(Wanted::Leaf(Hash(leaf)))
}

/// Writes the proof of one event.
pub(super) fn prove(args: ProveArgs) -> anyhow::Result<ExitCode> {
    let ProveArgs {
        event,
        output,
        place,
    } = args;
    let wanted = wanted(&event)?;
    let index = match &wanted {
        Wanted::Index(index) => *index,
        Wanted::Slip(slip) => slip.index,
        Wanted::Leaf(leaf) => find_leaf(place.find()?, &place, *leaf)?,
    };
    let mut source = place.find()?;
    let (anchor, _) = place.anchor(&source)?;
    let beginning = source.beginning(&place, anchor.chain().origin())?;
    beginning.require(index)?;
    if let Wanted::Slip(slip) = &wanted {
        let chain = anchor.chain();
        let own = chain.origin();
        anyhow::ensure!(
            slip.origin == *own,
            "the slip is of the log {}, this one is {own}",
            slip.origin
        );
    }
    let mut proofs = make(source, beginning, index)?.into_iter();
    let proof = proofs.next().context("no proof was made")?;
    let rotations: Vec<Proof> = proofs.collect();
    // What cannot be checked is not handed out.
    let proven = proof
        .check(&anchor, &rotations)
        .context("the proof does not hold: run `gateway verify`")?;
    if let Wanted::Slip(slip) = wanted {
        let size = proven.checkpoint.size;
        anyhow::ensure!(
            slip.size <= size,
            "the slip says that the station had signed {} events, its checkpoint covers {size}: the log was cut off or set back, or \
             the slip is false, since its text is not signed; keep both",
            slip.size
        );
        anyhow::ensure!(
            slip.leaf == proven.leaf,
            "the log's event {index} is not the one on the slip: its leaf hash is {}, the slip says {}",
            proven.leaf,
            slip.leaf
        );
    }
    let path = output.unwrap_or_else(|| PathBuf::from(format!("{index}{EXTENSION}")));
    if path == Path::new("-") {
        std::io::stdout().write_all(proof.to_string().as_bytes())?;
        tell_left_out(&rotations);
        return Ok(ExitCode::SUCCESS);
    }
    write(&path, &proof)?;
    say(&format!(
        "event {index}, leaf {}: proof in {}",
        proven.leaf,
        path.display()
    ))?;
    for rotation in rotations {
        let beside = beside(&path, rotation.index);
        write(&beside, &rotation)?;
        say(&format!(
            "the signing key was changed at event {}: proof in {}",
            rotation.index,
            beside.display()
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, proof: &Proof) -> anyhow::Result<()> {
    std::fs::write(path, proof.to_string())
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Where the proof of a rotation goes that belongs to the proof in `path`. Every proof has its own: rotations count only over the
/// checkpoint of the proof that they come with.
fn beside(path: &Path, rotation: u64) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(EXTENSION).unwrap_or(&name);
    path.with_file_name(format!("{stem}.rotation-{rotation}{EXTENSION}"))
}

/// Standard output takes one proof. Without those of the rotations it may not be checked.
fn tell_left_out(rotations: &[Proof]) {
    if rotations.is_empty() {
        return;
    }
    let indexes: Vec<String> = rotations
        .iter()
        .map(|rotation| rotation.index.to_string())
        .collect();
    complain(&format!(
        "left out: the proofs of the changes of the signing key at {}, without which this one cannot be checked; give -o FILE, \
         and they are written beside it",
        indexes.join(", ")
    ));
}

fn find_leaf(mut source: Source, place: &Where, leaf: Hash) -> anyhow::Result<u64> {
    let (anchor, _) = place.anchor(&source)?;
    let first = source.beginning(place, anchor.chain().origin())?.first();
    let (events, total) = source.events(first..u64::MAX)?;
    let bar = progress::events("looking for the event", total);
    for (index, event) in (first..).zip(bar.wrap_iter(events)) {
        if Hash::leaf(&event?) == leaf {
            bar.finish_and_clear();
            return Ok(index);
        }
    }
    bar.finish_and_clear();
    anyhow::bail!("no event from {first} on has the leaf hash {leaf}")
}

/// The event's proof, then those of the rotations; all over one checkpoint.
fn make(mut source: Source, beginning: Beginning, index: u64) -> anyhow::Result<Vec<Proof>> {
    if let Source::Station(client, _) = &mut source {
        let texts: Vec<String> = client.get(&format!("/proofs/{index}"))?;
        return texts.iter().map(|text| Ok(Proof::parse(text)?)).collect();
    }
    let (_, checkpoint) = source.checkpoint()?;
    let note = SignedNote::parse(&checkpoint)
        .context("the checkpoint is damaged: run `gateway verify`")?;
    let size = Checkpoint::parse_body(note.text())?.size;
    anyhow::ensure!(
        index < size,
        "the last checkpoint covers {size} events, so event {index} cannot be proven"
    );
    let first = beginning.first();
    let (mut leaves, mut own, mut rotations) = (Leaves::default(), None, beginning.rotations);
    if let Source::Stopped(log) = &source {
        // Of what was pruned the hashes are left. They are not trusted: the proof is checked before it is handed out.
        let count = usize::try_from(first)?;
        leaves.0 = log.hashes()?.hashes(0, 0, count)?;
    }
    let (events, _) = source.events(first..size)?;
    let bar = progress::events("reading the log", Some(size.saturating_sub(first)));
    for (at, event) in (first..).zip(bar.wrap_iter(events)) {
        let event = event?;
        leaves.0.push(Hash::leaf(&event));
        if at == index {
            own = Some((at, event));
        } else if is_rotation(&event) {
            rotations.push((at, event));
        }
    }
    bar.finish_and_clear();
    let own = own.context("the log is shorter than its checkpoint: run `gateway verify`")?;
    let prove = |(index, event)| {
        let path = prove_inclusion(&leaves, index, size)?;
        let checkpoint = checkpoint.clone();
        Ok(Proof {
            event,
            index,
            path,
            checkpoint,
        })
    };
    std::iter::once(own).chain(rotations).map(prove).collect()
}

fn is_rotation(signed: &[u8]) -> bool {
    let read = envelope::read(signed);
    matches!(
        read,
        Ok(Entry {
            event: Event::KeyRotated(_),
            ..
        })
    )
}

#[derive(Debug, Args)]
pub(super) struct CheckProofArgs {
    /// The proof.
    file: PathBuf,
    /// Proofs of the rotations of the signing key, as `prove` wrote them beside it, in the order of their events.
    rotations: Vec<PathBuf>,
    /// The verifier key of the log's first key.
    #[arg(long, value_name = "FILE")]
    vkey: PathBuf,
}

/// Checks a proof without a log.
pub(super) fn check_proof(args: CheckProofArgs) -> anyhow::Result<ExitCode> {
    let CheckProofArgs {
        file,
        rotations,
        vkey,
    } = args;
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let first = read(&vkey)?;
    let anchor = Anchor::from_vkey(first.lines().next().unwrap_or_default());
    let anchor = anchor.with_context(|| vkey.display().to_string())?;
    let texts: Vec<String> = rotations
        .iter()
        .map(|path| read(path))
        .collect::<Result<_, _>>()?;
    let text = read(&file)?;
    let check = || {
        let rotations: Vec<Proof> = texts
            .iter()
            .map(|text| Proof::parse(text))
            .collect::<Result<_, _>>()?;
        let proof = Proof::parse(&text)?;
        Ok::<_, gateway_audit::ProofError>((proof.check(&anchor, &rotations)?, proof))
    };
    let (proven, proof) = match check() {
        Ok(checked) => checked,
        Err(error) => {
            complain(&format!("NOT PROVEN: {error}"));
            return Ok(ExitCode::from(EXIT_DAMAGED));
        }
    };
    say(&format!("log         {}", proven.checkpoint.origin))?;
    say(&format!(
        "event       {} of {}, leaf {}",
        proof.index, proven.checkpoint.size, proven.leaf
    ))?;
    say(&String::from_utf8_lossy(
        Signed::read(&proof.event)?.payload(),
    ))?;
    say("proven: the event is genuine and in its place")?;
    Ok(ExitCode::SUCCESS)
}
