//! What is inside the module: an image, two buffers, a library. It answers one instruction at a time.

use std::collections::BTreeMap;

use adapters::scanner::acknowledgement::{Acknowledgement, Confirmation, Parameters};
use adapters::scanner::instruction::{Buffer, Instruction, Light, Pages};
use adapters::scanner::packet::ADDRESS;
use zeroize::Zeroizing;

use super::ScannerFault;
use super::drawing::{SAMPLE_BYTES, draw};
use crate::faults::Faults;
use crate::people::similarity;

/// Pages of the library.
const CAPACITY: u16 = 300;
/// Similarity from which two fingers are one, 0 to 100.
const SIMILARITY_MIN: u16 = 60;

/// What a finger is to the module: a sample of it.
type Sample = Zeroizing<Vec<u8>>;

pub(super) struct Module {
    password: u32,
    is_verified: bool,
    faults: Faults<ScannerFault>,
    image: Option<Sample>,
    buffers: [Option<Sample>; 2],
    library: BTreeMap<u16, Sample>,
    /// Code of the size of data packets.
    packet_size: u16,
    pub(super) light: Light,
}

/// An answer, and the data that follow it.
pub(super) struct Answer {
    pub(super) acknowledgement: Acknowledgement,
    pub(super) data: Option<Sample>,
}

impl From<Confirmation> for Answer {
    fn from(confirmation: Confirmation) -> Self {
        Self::with(confirmation, &[])
    }
}

impl Answer {
    fn with(confirmation: Confirmation, data: &[u8]) -> Self {
        Self {
            acknowledgement: Acknowledgement::new(confirmation, data),
            data: None,
        }
    }

    fn number(confirmation: Confirmation, number: u16) -> Self {
        Self::with(confirmation, &number.to_be_bytes())
    }
}

impl Module {
    pub(super) fn new(password: u32, faults: Faults<ScannerFault>) -> Self {
        Self {
            password,
            is_verified: false,
            faults,
            image: None,
            buffers: [None, None],
            library: BTreeMap::new(),
            packet_size: 2,
            light: Light::OFF,
        }
    }

    /// Bytes of a data packet.
    pub(super) const fn packet_bytes(&self) -> usize {
        32 << self.packet_size
    }

    /// Answers. `finger` is what lies on the glass.
    pub(super) fn answer(&mut self, instruction: Instruction, finger: Option<Sample>) -> Answer {
        if let Instruction::VerifyPassword(password) = instruction {
            let wrong = self.faults.take(ScannerFault::WrongPassword);
            self.is_verified = password == self.password && !wrong;
            return if self.is_verified {
                Confirmation::Done.into()
            } else {
                Confirmation::WrongPassword.into()
            };
        }
        if !self.is_verified {
            return Confirmation::PasswordRequired.into();
        }
        let is_busy = self.faults.take(ScannerFault::Busy);
        if instruction == Instruction::ReadParameters {
            return Answer::with(Confirmation::Done, &self.parameters(is_busy).encode());
        }
        if is_busy {
            return Confirmation::PacketError.into();
        }
        self.work(instruction, finger)
    }

    fn work(&mut self, instruction: Instruction, finger: Option<Sample>) -> Answer {
        match instruction {
            Instruction::TakeImage => self.take_image(finger).into(),
            Instruction::Extract(buffer) => self.extract(buffer).into(),
            Instruction::UploadImage => self.upload_image(),
            Instruction::UploadFeatures(buffer) => self.upload_features(buffer),
            Instruction::Match => self.compare(),
            Instruction::Search(buffer, pages) | Instruction::QuickSearch(buffer, pages) => {
                self.search(buffer, pages)
            }
            Instruction::MakeModel => self.merge().into(),
            Instruction::Store(buffer, page) => self.store(buffer, page).into(),
            Instruction::Load(buffer, page) => self.load(buffer, page).into(),
            Instruction::Delete(pages) => {
                self.library.retain(|page, _| !covers(pages, *page));
                Confirmation::Done.into()
            }
            Instruction::Clear => {
                self.library.clear();
                Confirmation::Done.into()
            }
            Instruction::SetParameter { number, value } => self.set(number, value).into(),
            Instruction::CountTemplates => {
                let count = u16::try_from(self.library.len()).unwrap_or(u16::MAX);
                Answer::number(Confirmation::Done, count)
            }
            Instruction::ReadIndex(part) => self.index(part),
            Instruction::Random => {
                Answer::with(Confirmation::Done, &fastrand::u32(..).to_be_bytes())
            }
            Instruction::SetPassword(password) => {
                self.password = password;
                Confirmation::Done.into()
            }
            Instruction::SetLight(light) => {
                self.light = light;
                Confirmation::Done.into()
            }
            Instruction::Lamp(_) | Instruction::VerifyPassword(_) | Instruction::ReadParameters => {
                Confirmation::Done.into()
            }
            Instruction::SetAddress(_) => Confirmation::AddressWrong.into(),
            Instruction::DownloadFeatures(_) | Instruction::DownloadImage => {
                Confirmation::CannotReceive.into()
            }
        }
    }

    fn parameters(&self, is_busy: bool) -> Parameters {
        let image = u16::from(self.image.is_some()) << 3;
        Parameters {
            status: u16::from(is_busy) | 1 << 2 | image,
            system: 9,
            capacity: CAPACITY,
            security: 3,
            address: ADDRESS,
            packet_size: self.packet_size,
            baud: 6,
        }
    }

    fn take_image(&mut self, finger: Option<Sample>) -> Confirmation {
        let finger = finger.filter(|_| !self.faults.take(ScannerFault::NoFinger));
        self.image = finger;
        if self.image.is_some() {
            Confirmation::Done
        } else {
            Confirmation::NoFinger
        }
    }

    fn extract(&mut self, buffer: Buffer) -> Confirmation {
        let Some(image) = self.image.clone() else {
            return Confirmation::NoImage;
        };
        if self.faults.take(ScannerFault::Messy) {
            return Confirmation::TooMessy;
        }
        if self.faults.take(ScannerFault::FewPoints) {
            return Confirmation::TooFewPoints;
        }
        *self.buffer(buffer) = Some(image);
        Confirmation::Done
    }

    fn upload_image(&self) -> Answer {
        let Some(image) = &self.image else {
            return Confirmation::NoImage.into();
        };
        let grey = [0x88; SAMPLE_BYTES];
        let smeared = self.faults.take(ScannerFault::Smeared);
        let mut drawn = draw(if smeared { &grey } else { image });
        if self.faults.take(ScannerFault::Partial) {
            let covered = drawn.len() / 3;
            // White: there is no skin.
            drawn.iter_mut().skip(covered).for_each(|byte| *byte = 0xFF);
        }
        Answer {
            data: Some(drawn),
            ..Confirmation::Done.into()
        }
    }

    fn upload_features(&mut self, buffer: Buffer) -> Answer {
        match self.buffer(buffer).clone() {
            Some(features) => Answer {
                data: Some(features),
                ..Confirmation::Done.into()
            },
            None => Confirmation::FeatureUploadFailed.into(),
        }
    }

    fn compare(&self) -> Answer {
        let [Some(one), Some(two)] = &self.buffers else {
            return Answer::number(Confirmation::NoMatch, 0);
        };
        match similarity(one, two) {
            score if score >= SIMILARITY_MIN => Answer::number(Confirmation::Done, score),
            _ => Answer::number(Confirmation::NoMatch, 0),
        }
    }

    fn search(&mut self, buffer: Buffer, pages: Pages) -> Answer {
        let features = self.buffer(buffer).clone().unwrap_or_default();
        let within = self
            .library
            .iter()
            .filter(|(page, _)| covers(pages, **page));
        let best = within
            .map(|(page, enrolled)| (similarity(&features, enrolled), *page))
            .max()
            .filter(|(score, _)| *score >= SIMILARITY_MIN);
        let (confirmation, page, score) = match best {
            Some((score, page)) => (Confirmation::Done, page, score),
            None => (Confirmation::NotFound, 0, 0),
        };
        Answer::with(
            confirmation,
            &[page.to_be_bytes(), score.to_be_bytes()].concat(),
        )
    }

    fn merge(&mut self) -> Confirmation {
        let [Some(one), Some(two)] = &self.buffers else {
            return Confirmation::MergeFailed;
        };
        if similarity(one, two) < SIMILARITY_MIN {
            return Confirmation::MergeFailed;
        }
        let merged = one.clone();
        self.buffers = [Some(merged.clone()), Some(merged)];
        Confirmation::Done
    }

    fn store(&mut self, buffer: Buffer, page: u16) -> Confirmation {
        let features = self.buffer(buffer).clone();
        match features {
            _ if page >= CAPACITY => Confirmation::PageOutOfRange,
            Some(features) => {
                self.library.insert(page, features);
                Confirmation::Done
            }
            None => Confirmation::FlashFailed,
        }
    }

    fn load(&mut self, buffer: Buffer, page: u16) -> Confirmation {
        let enrolled = self.library.get(&page).cloned();
        match enrolled {
            _ if page >= CAPACITY => Confirmation::PageOutOfRange,
            Some(enrolled) => {
                *self.buffer(buffer) = Some(enrolled);
                Confirmation::Done
            }
            None => Confirmation::TemplateUnreadable,
        }
    }

    fn set(&mut self, number: u8, value: u8) -> Confirmation {
        match (number, value) {
            (6, 0..=3) => {
                self.packet_size = value.into();
                Confirmation::Done
            }
            (4, 1..=12) | (5, 1..=5) => Confirmation::Done,
            _ => Confirmation::RegisterInvalid,
        }
    }

    /// Which of 256 pages are taken, a bit each.
    fn index(&self, part: u8) -> Answer {
        let mut bits = [0u8; 32];
        for page in self.library.keys() {
            let [at, place] = page.to_be_bytes();
            if at == part
                && let Some(byte) = bits.get_mut(usize::from(place / 8))
            {
                *byte |= 1 << (place % 8);
            }
        }
        Answer::with(Confirmation::Done, &bits)
    }

    const fn buffer(&mut self, buffer: Buffer) -> &mut Option<Sample> {
        let [one, two] = &mut self.buffers;
        match buffer {
            Buffer::One => one,
            Buffer::Two => two,
        }
    }
}

fn covers(pages: Pages, page: u16) -> bool {
    (pages.first..pages.first.saturating_add(pages.len)).contains(&page)
}
