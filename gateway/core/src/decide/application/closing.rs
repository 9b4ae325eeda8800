//! Documents and signature (A10, A11).

use schemas::event::application::{
    ApplicationDocumentAttached, ApplicationDocumentsDone, ApplicationSigned,
    ApplicationStep as Step, Document, SealedBlob,
};
use schemas::ids::DeviceId;
use schemas::words::RefusalReason;
use schemas::words::application::DocumentKind;

use super::super::draft::Draft;
use super::{at, go_on, put};

/// A10.
pub(super) fn attach(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    kind: DocumentKind,
    scan: Option<&SealedBlob>,
) -> Result<(), RefusalReason> {
    let a = at(draft, kiosk).ok_or(RefusalReason::NoSuchSession)?;
    if a.are_documents_full() {
        return Err(RefusalReason::DocumentsFull);
    }
    let scan = scan.cloned().ok_or(RefusalReason::BlobMissing)?;
    let session = a.id.clone();
    let document = Document { kind, scan };
    draft.push(ApplicationDocumentAttached { session, document });
    put(draft, kiosk, Step::AttachDocuments);
    Ok(())
}

/// Nothing more.
pub(super) fn attached(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    if let Some(a) = at(draft, kiosk) {
        let session = a.id.clone();
        draft.push(ApplicationDocumentsDone { session });
        go_on(draft, kiosk);
    }
}

/// A11.
pub(super) fn sign(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    image: Option<&SealedBlob>,
) -> Result<(), RefusalReason> {
    let a = at(draft, kiosk).ok_or(RefusalReason::NoSuchSession)?;
    let session = a.id.clone();
    let signature = image.cloned().ok_or(RefusalReason::BlobMissing)?;
    draft.push(ApplicationSigned { session, signature });
    go_on(draft, kiosk);
    Ok(())
}
