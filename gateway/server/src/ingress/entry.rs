//! What a citizen enters in an application (`request/application-input`), with everything personal taken out: numbers become keyed
//! tags and sealed fields, pictures the hashes of their sealed files. What is checked here needs the words in the clear; what
//! follows from it, the rules decide.

use documents::Picture as Decoded;
use gateway_core::{BirthDate, Entry, Input, Person, Request};
use schemas::citizen::{CitizenName, CitizenNumber, PhoneNumber};
use schemas::event::application::{MaskedPhone, SealedBlob};
use schemas::ids::{BlobId, DeviceId, SessionId};
use schemas::message::application::{
    ApplicationInput, Entry as Said, PhoneEntry, PortraitEntry, StartApplication,
};
use schemas::message::face::Picture;
use schemas::message::keyed::Keyed;
use schemas::words::RefusalReason;
use schemas::words::application::InputFault;

use zeroize::Zeroizing;

use super::parse::{Parsed, Unreadable, read};
use crate::blobs::{BlobDesk, Received};
use crate::centre::GrantDesk;
use crate::held::{Applicant, Held};
use crate::keys::{Domain, LookupKeys};
use crate::sealing::{NotSealed, SealingDesk, Source, field};

pub(super) fn start(device: &DeviceId, payload: &[u8]) -> Result<Parsed, Unreadable> {
    let StartApplication {
        message_id,
        deadline_ms,
        language,
    } = read(payload)?;
    let input = Input::Request {
        kiosk: device.clone(),
        deadline_ms,
        request: Request::StartApplication { language },
    };
    Ok(Parsed::Message(message_id, input))
}

pub(super) fn parse(payload: &[u8]) -> Result<Parsed, Unreadable> {
    let ApplicationInput {
        message_id,
        deadline_ms,
        session,
        step,
        input,
    } = read(payload)?;
    let entered = Entered {
        deadline_ms,
        session,
        step,
        said: input,
    };
    Ok(Parsed::Entered(message_id, entered))
}

/// An entry as it was made.
#[derive(Debug)]
pub(super) struct Entered {
    deadline_ms: u64,
    session: SessionId,
    step: u32,
    said: Said,
}

/// What an entry is looked up and sealed with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aids<'a> {
    pub(super) keys: &'a LookupKeys,
    pub(super) blobs: &'a BlobDesk,
    pub(super) sealing: &'a SealingDesk,
    pub(super) held: &'a Held,
    pub(super) grants: &'a GrantDesk,
}

impl Entered {
    /// Takes out what is personal. None: it could not be sealed.
    pub(super) async fn resolve(self, kiosk: &DeviceId, aids: Aids<'_>) -> Option<Input> {
        let Self {
            deadline_ms,
            session,
            step,
            said,
        } = self;
        let request = match entry(said, kiosk, &session, aids).await {
            Ok(entry) => Request::ApplicationInput {
                session,
                step,
                entry: Box::new(entry),
            },
            Err(NotEntered::Refused(reason)) => Request::Unserviceable {
                name: "application-input".to_owned(),
                reason,
            },
            Err(NotEntered::Failed) => return None,
        };
        Some(Input::Request {
            kiosk: kiosk.clone(),
            deadline_ms,
            request,
        })
    }
}

/// Why an entry does not reach the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotEntered {
    /// They refuse it with this reason.
    Refused(RefusalReason),
    /// It could not be sealed.
    Failed,
}

impl From<NotSealed> for NotEntered {
    fn from(not_sealed: NotSealed) -> Self {
        match not_sealed {
            // Nothing is sealed for a kiosk without a session, so nothing can be entered.
            NotSealed::NoSession => Self::Refused(RefusalReason::NoSuchSession),
            NotSealed::Failed => Self::Failed,
        }
    }
}

async fn entry(
    said: Said,
    kiosk: &DeviceId,
    session: &SessionId,
    aids: Aids<'_>,
) -> Result<Entry, NotEntered> {
    Ok(match said {
        Said::Kind(kind) => Entry::Kind(kind),
        Said::Residence(residence) => Entry::Residence(residence),
        Said::Number(keyed) => Entry::Number(aids.number(kiosk, &keyed).await?),
        Said::ConfirmIdentity(confirmed) => Entry::ConfirmIdentity(confirmed),
        Said::Portrait(portrait) => aids.portrait(kiosk, session, portrait).await?,
        Said::Phone(phone) => Entry::Phone(aids.phone(kiosk, &phone).await?),
        Said::SmsCode(code) => Entry::SmsCode(code),
        Said::Document(document) => {
            let scan = aids.page(kiosk, session, &document.scan)?;
            Entry::Document(document.kind, scan)
        }
        Said::DocumentsDone(_) => Entry::DocumentsDone,
        Said::Signature(image) => Entry::Signature(aids.signature(kiosk, session, &image).await?),
        Said::PaymentMethod(way) => Entry::Payment(way),
        Said::PayLater(_) => Entry::PayLater,
        Said::Back(_) => Entry::Back,
        Said::Retry(_) => Entry::Retry,
        Said::Language(language) => Entry::Language(language),
    })
}

impl Aids<'_> {
    /// The person of a keyed number; none where it is no citizen number (A3).
    async fn number(
        &self,
        kiosk: &DeviceId,
        keyed: &Keyed,
    ) -> Result<Option<Box<Person>>, NotSealed> {
        let Ok(number) = CitizenNumber::new(&bare(keyed)) else {
            return Ok(None);
        };
        let keyed = Applicant::keyed(number);
        let person = self.person(Source::kiosk(kiosk), keyed, None).await?;
        Ok(Some(Box::new(person)))
    }

    /// Seals a person; they and the picture of their card are held to the end of the session.
    pub(super) async fn person(
        &self,
        from: Source<'_>,
        applicant: Applicant,
        picture: Option<Picture>,
    ) -> Result<Person, NotSealed> {
        let plain = field::applicant(&applicant)?;
        let number = &applicant.number;
        let sealed = self
            .sealing
            .seal_words(from, field::APPLICATION_HOLDER, &plain);
        let (session, holder) = sealed.await?;
        let known = Person {
            number: self.keys.tags(Domain::Number, number.expose()),
            resident: number.is_of_resident_card(),
            number_tail: number.tail(),
            name: applicant.name.as_ref().map(CitizenName::masked),
            born: BirthDate(number.birth_date()),
            holder: Some(holder.clone()),
            expiry: None,
            picture: picture.is_some(),
            flagged: self.grants.flags(number.clone()).await,
        };
        self.held.person(&session, &holder, applicant);
        if let Some(picture) = picture {
            self.held.reference(&session, &holder, picture);
        }
        Ok(known)
    }

    async fn portrait(
        &self,
        kiosk: &DeviceId,
        session: &SessionId,
        portrait: PortraitEntry,
    ) -> Result<Entry, NotEntered> {
        let PortraitEntry {
            way,
            picture,
            receipt,
            checks,
        } = portrait;
        let receipt = match receipt {
            None => None,
            Some(receipt) => {
                let plain = receipt.expose().as_bytes();
                let sealed = self.sealing.seal_words(
                    Source::kiosk(kiosk),
                    field::APPLICATION_RECEIPT,
                    plain,
                );
                Some(sealed.await?.1)
            }
        };
        // What comes with the other ways is not looked at.
        let picture = picture.filter(|_| way.has_image());
        let picture = match picture {
            Some(id) => self.face(kiosk, session, &id).await?,
            None => None,
        };
        Ok(Entry::Portrait {
            way,
            picture,
            receipt,
            checks,
        })
    }

    /// A portrait that can be compared (A7); none: it did not come, or is not held any more. Its head alone says nothing: it is decoded,
    /// within the bounds that paper has, where nobody else waits for the thread.
    async fn face(
        &self,
        kiosk: &DeviceId,
        session: &SessionId,
        id: &BlobId,
    ) -> Result<Option<SealedBlob>, NotEntered> {
        let Some(received) = self.received(kiosk, session, id) else {
            return Ok(None);
        };
        if received.picture.is_none() {
            return Err(NotEntered::Refused(RefusalReason::PictureUnusable));
        }
        if !self.held.named(session, &received.hash) {
            return Ok(None);
        }
        self.decoded(session, received).await
    }

    /// A picture that is held and can be decoded, within the bounds that paper has.
    async fn decoded(
        &self,
        session: &SessionId,
        received: Received,
    ) -> Result<Option<SealedBlob>, NotEntered> {
        let Some(picture) = self.held.picture(session, &received.hash) else {
            return Ok(None);
        };
        let decoded = panics::off_runtime(move || Decoded::decode(&picture).is_ok());
        match decoded.await {
            Ok(true) => Ok(Some(sealed(received))),
            Ok(false) => Err(NotEntered::Refused(RefusalReason::PictureDamaged)),
            Err(_ended) => Err(NotEntered::Failed),
        }
    }

    /// A page that was scanned (A10): a picture, of whatever size.
    fn page(
        &self,
        kiosk: &DeviceId,
        session: &SessionId,
        id: &BlobId,
    ) -> Result<Option<SealedBlob>, NotEntered> {
        let received = self.received(kiosk, session, id);
        let received = received.map(picture_of).transpose()?;
        Ok(received.map(sealed))
    }

    /// A phone number that was entered twice, or what is wrong with it (A8).
    async fn phone(
        &self,
        kiosk: &DeviceId,
        PhoneEntry { first, second }: &PhoneEntry,
    ) -> Result<Result<(MaskedPhone, schemas::sealed::SealedField), InputFault>, NotSealed> {
        let (Ok(phone), Ok(again)) = (
            PhoneNumber::new(mobile(&bare(first))),
            PhoneNumber::new(mobile(&bare(second))),
        ) else {
            return Ok(Err(InputFault::PhoneInvalid));
        };
        if phone != again {
            return Ok(Err(InputFault::PhonesDiffer));
        }
        let Ok(masked) = MaskedPhone::new(phone.masked()) else {
            return Ok(Err(InputFault::PhoneInvalid));
        };
        let plain = phone.expose().as_bytes();
        let sealed = self
            .sealing
            .seal_words(Source::kiosk(kiosk), field::APPLICATION_PHONE, plain);
        let (session, sealed) = sealed.await?;
        self.held.phone(&session, &sealed, phone);
        Ok(Ok((masked, sealed)))
    }

    /// A picture that is used later: it is held to the end of the session.
    pub(super) fn picture(
        &self,
        device: &DeviceId,
        session: &SessionId,
        id: &BlobId,
    ) -> Option<SealedBlob> {
        let picture = self.scan(device, session, id)?;
        self.held.named(session, &picture.blob);
        Some(picture)
    }

    /// A signature that papers can carry (A11): it is held to the end of the session. One that nobody can decode is refused while the citizen
    /// can still sign again.
    async fn signature(
        &self,
        kiosk: &DeviceId,
        session: &SessionId,
        id: &BlobId,
    ) -> Result<Option<SealedBlob>, NotEntered> {
        let Some(received) = self.received(kiosk, session, id) else {
            return Ok(None);
        };
        let received = picture_of(received)?;
        if !self.held.signed(session, &received.hash) {
            return Ok(None);
        }
        self.decoded(session, received).await
    }

    /// The blob that a device sent under this id for this session.
    pub(super) fn scan(
        &self,
        device: &DeviceId,
        session: &SessionId,
        id: &BlobId,
    ) -> Option<SealedBlob> {
        self.received(device, session, id).map(sealed)
    }

    fn received(&self, device: &DeviceId, session: &SessionId, id: &BlobId) -> Option<Received> {
        let received = self.blobs.received(device, id);
        received.filter(|received| received.session == *session)
    }
}

/// A blob that begins as a picture does.
fn picture_of(received: Received) -> Result<Received, NotEntered> {
    if received.is_picture {
        Ok(received)
    } else {
        Err(NotEntered::Refused(RefusalReason::PictureUnusable))
    }
}

/// A blob as events name it.
fn sealed(received: Received) -> SealedBlob {
    SealedBlob {
        blob: received.hash,
        key: received.key,
        len: received.len,
    }
}

/// What was keyed, without the spaces and hyphens that people set between groups of digits.
fn bare(keyed: &Keyed) -> Zeroizing<String> {
    let text = keyed.expose();
    // As long as it can become, so that no unwiped copy is left behind by growing.
    let mut bare = Zeroizing::new(String::with_capacity(text.len()));
    bare.extend(text.chars().filter(|c| !matches!(c, ' ' | '-')));
    bare
}

/// A mobile number without the prefix of the country.
fn mobile(bare: &str) -> &str {
    bare.strip_prefix("+86").unwrap_or(bare)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#[path = "entry_tests.rs"]
mod tests;
