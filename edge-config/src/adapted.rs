//! Devices that an adapter brings to MQTT: the same sections in `station.toml` and in `adapters.toml`.

use schemas::ids::DeviceId;

use crate::station::camera::OnvifCamera;
use crate::station::device::SamVReader;
use crate::station::dispenser::ModbusDispenser;
use crate::station::face_matcher::FaceMatcher;
use crate::station::scanner::ZfmScanner;

/// The devices behind the adapters of one process.
#[derive(Debug, Clone, Copy)]
pub struct Adapted<'a> {
    /// Dispensers reached over Modbus.
    pub modbus_dispensers: &'a [ModbusDispenser],
    /// ID-card readers with a SAM_V module.
    pub sam_v_readers: &'a [SamVReader],
    /// Fingerprint scanners with a ZFM module.
    pub zfm_scanners: &'a [ZfmScanner],
    /// Cameras reached over ONVIF or HTTP.
    pub onvif_cameras: &'a [OnvifCamera],
    /// Services that compare faces.
    pub face_matchers: &'a [FaceMatcher],
}

impl<'a> Adapted<'a> {
    /// Their ids, in the order of the sections.
    pub fn ids(self) -> impl Iterator<Item = &'a DeviceId> {
        let dispensers = self.modbus_dispensers.iter().map(|at| &at.device);
        let readers = self.sam_v_readers.iter().map(|at| &at.device);
        let scanners = self.zfm_scanners.iter().map(|at| &at.device);
        let cameras = self.onvif_cameras.iter().map(|at| &at.device);
        let matchers = self.face_matchers.iter().map(|at| &at.device);
        let of_machines = dispensers.chain(readers).chain(scanners).chain(cameras);
        of_machines.chain(matchers)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.ids().next().is_none()
    }
}
