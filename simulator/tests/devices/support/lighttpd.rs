//! Debian's lighttpd with HTTP Digest, as a camera that has a still behind a URL and no ONVIF.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use schemas::words::PhotoView;
use simulator::camera::draw;
use tempfile::TempDir;
use url::Url;

use super::PATIENCE;

pub(crate) const USER: &str = "Mufasa";
pub(crate) const PASSWORD: &str = "Circle Of Life";
const REALM: &str = "testrealm@host.com";
/// `H(user:realm:password)` with MD5 and with SHA-256, as `htdigest` and `sha256sum` compute it.
const HASHES: [&str; 2] = [
    "939e7578ed9e3c518a452acee763bce9",
    "3ba6cd94661c5ef34598040c868f13b8775df29109986be50ad35ae537dd3aa4",
];

pub(crate) struct Lighttpd {
    address: SocketAddr,
    child: Child,
    folder: TempDir,
}

impl Lighttpd {
    /// Listens on a free port of loopback and asks for digests of `algorithms` (`MD5`, `SHA-256`, `MD5|SHA-256`).
    pub(crate) fn start(algorithms: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("www")).unwrap();
        let lines = HASHES.map(|hash| format!("{USER}:{REALM}:{hash}\n"));
        std::fs::write(folder.path().join("users"), lines.concat()).unwrap();
        let file = folder.path().join("lighttpd.conf");
        std::fs::write(&file, settings(&folder, address, algorithms)).unwrap();
        let child = Command::new("/usr/sbin/lighttpd")
            .arg("-D")
            .arg("-f")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut server = Self {
            address,
            child: child.expect("this test needs lighttpd: apt-get install lighttpd"),
            folder,
        };
        server.shows(0);
        server.wait_until_it_listens();
        server
    }

    fn wait_until_it_listens(&mut self) {
        let limit = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert_eq!(ended, None, "lighttpd ended");
            assert!(Instant::now() < limit, "lighttpd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where the still lies.
    pub(crate) fn still(&self) -> Url {
        Url::parse(&format!("http://{}/snap.jpg", self.address)).unwrap()
    }

    /// Puts the picture of another moment in place of the last, at once.
    pub(crate) fn shows(&self, wall_ms: u64) -> Vec<u8> {
        let picture = draw(PhotoView::Frontal, wall_ms).unwrap();
        let fresh = self.folder.path().join("fresh");
        std::fs::write(&fresh, &picture).unwrap();
        std::fs::rename(fresh, self.folder.path().join("www/snap.jpg")).unwrap();
        picture
    }
}

/// Files are looked at for each request: by default a replaced one is seen after a second or two.
fn settings(folder: &TempDir, address: SocketAddr, algorithms: &str) -> String {
    let root = folder.path().display();
    let port = address.port();
    format!(
        "server.modules = (\"mod_auth\", \"mod_authn_file\")\n\
         server.document-root = \"{root}/www\"\n\
         server.bind = \"127.0.0.1\"\n\
         server.port = {port}\n\
         server.stat-cache-engine = \"disable\"\n\
         mimetype.assign = (\".jpg\" => \"image/jpeg\")\n\
         auth.backend = \"htdigest\"\n\
         auth.backend.htdigest.userfile = \"{root}/users\"\n\
         auth.require = (\"/\" => (\"method\" => \"digest\", \"algorithm\" => \"{algorithms}\", \
         \"realm\" => \"{REALM}\", \"require\" => \"valid-user\"))\n"
    )
}

impl Drop for Lighttpd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
