//! The Modbus server around the machine, its clock, its file, and the faults of its line.

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::Server;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

use edge_config::profile::DispenserProfile;

use super::line::{DispenserLine, Line, Open};
use super::machine::{Machine, Shape};
use super::memory::Memory;
use super::rtu;
use super::rtu::{Answer, LineFault};
use crate::faults::Faults;
use crate::powered;

/// Where the device listens and where its memory lies.
#[derive(Debug, Clone)]
pub struct DispenserOptions {
    /// Where it is reached.
    pub line: DispenserLine,
    /// Its register map.
    pub profile: Arc<DispenserProfile>,
    /// The file that plays the part of the metal. Its folder exists.
    pub memory_file: PathBuf,
    /// Size and speed.
    pub shape: Shape,
}

/// The running device. Cheap to clone; [`Dispenser::power_off`] ends it.
#[derive(Debug, Clone)]
pub struct Dispenser {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    machine: Mutex<Machine>,
    began: Instant,
    memory_file: PathBuf,
    line: Mutex<DispenserLine>,
    profile: Arc<DispenserProfile>,
    line_faults: Faults<LineFault>,
    /// Counts changes, for those who wait for one.
    changes: watch::Sender<u64>,
    silent: AtomicBool,
    drop_after_write: AtomicBool,
    tasks: Mutex<Option<[JoinHandle<()>; 2]>>,
}

impl Dispenser {
    /// Switches the device on. Within a tokio runtime.
    pub async fn start(options: DispenserOptions) -> io::Result<Self> {
        let memory = Memory::load(&options.memory_file)?;
        let shared = Arc::new(Shared {
            machine: Mutex::new(Machine::new(
                Arc::clone(&options.profile),
                options.shape,
                memory,
            )),
            began: Instant::now(),
            memory_file: options.memory_file,
            line: Mutex::new(options.line),
            profile: options.profile,
            line_faults: Faults::default(),
            changes: watch::Sender::new(0),
            silent: AtomicBool::new(false),
            drop_after_write: AtomicBool::new(false),
            tasks: Mutex::new(None),
        });
        let device = Self { shared };
        device.power_on().await?;
        Ok(device)
    }

    /// Switches the device on again after [`Dispenser::power_off`], at the same address, with what its
    /// memory file holds.
    pub async fn power_on(&self) -> io::Result<()> {
        if lock(&self.shared.tasks).is_some() {
            return Ok(());
        }
        let line = lock(&self.shared.line).clone();
        let (open, line) = line.open().await?;
        *lock(&self.shared.line) = line;
        {
            let memory = Memory::load(&self.shared.memory_file)?;
            let mut machine = self.lock();
            *machine = Machine::new(
                Arc::clone(&self.shared.profile),
                machine.shape.clone(),
                memory,
            );
        }
        let server = tokio::spawn(serve(Arc::clone(&self.shared), open));
        let clock = tokio::spawn(run_clock(Arc::clone(&self.shared)));
        *lock(&self.shared.tasks) = Some([server, clock]);
        self.shared.changed();
        Ok(())
    }

    /// Cuts the power: connections break, a motion under way stops where it is.
    pub async fn power_off(&self) {
        let tasks = lock(&self.shared.tasks).take();
        for task in tasks.into_iter().flatten() {
            task.abort();
            // Aborted is what it shall be.
            task.await.ok();
        }
    }

    /// Where it listens; port 0 where it is at a serial line.
    pub fn address(&self) -> SocketAddr {
        match *lock(&self.shared.line) {
            DispenserLine::Tcp(at) | DispenserLine::RtuOverTcp(at) => at,
            DispenserLine::Serial(_) => SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    /// The faults of a line of RTU frames.
    pub fn line_faults(&self) -> &Faults<LineFault> {
        &self.shared.line_faults
    }

    /// Looks at the machine.
    pub fn look<T>(&self, look: impl FnOnce(&Machine) -> T) -> T {
        look(&self.lock())
    }

    /// Does something to the machine by hand; what it remembers is saved.
    pub fn act<T>(&self, act: impl FnOnce(&mut Machine) -> T) -> T {
        let mut machine = self.lock();
        let done = act(&mut machine);
        self.shared.save(&machine);
        drop(machine);
        self.shared.changed();
        done
    }

    /// The device takes requests and does not answer.
    pub fn set_silent(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::SeqCst);
    }

    /// The next command is taken, and then the connection breaks before the answer.
    pub fn drop_after_next_write(&self) {
        self.shared.drop_after_write.store(true, Ordering::SeqCst);
    }

    /// Changes whenever something at the machine changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        lock(&self.shared.machine)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn changed(&self) {
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn save(&self, machine: &Machine) {
        if let Err(error) = machine.memory().save(&self.memory_file) {
            tracing::error!(%error, file = %self.memory_file.display(), "the machine's memory was not saved");
        }
    }

    fn advance(&self) {
        let mut machine = lock(&self.machine);
        if machine.advance(self.now_ms()) {
            self.save(&machine);
            drop(machine);
            self.changed();
        }
    }
}

/// Ends motions when their time has come.
async fn run_clock(shared: Arc<Shared>) {
    let mut changes = shared.changes.subscribe();
    loop {
        changes.borrow_and_update();
        shared.advance();
        let now = shared.now_ms();
        let next = lock(&shared.machine).next_at_ms(now);
        let pause = next.map_or(Duration::from_hours(1), |at| {
            Duration::from_millis(at.saturating_sub(now))
        });
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

async fn serve(shared: Arc<Shared>, open: Open) {
    let ended = match open {
        Open::Tcp(listener) => serve_tcp(&shared, listener).await,
        Open::RtuOverTcp(listener) => {
            let speak = |mut stream: TcpStream| {
                let shared = Arc::clone(&shared);
                async move { serve_rtu(&shared, &mut stream).await }
            };
            powered::with_each(listener, speak).await;
            Ok(())
        }
        Open::Serial(mut line) => loop {
            // On a wire nothing breaks: what a cut ends elsewhere is an answer that does not come.
            if let Err(error) = serve_rtu(&shared, &mut line).await
                && error.kind() != io::ErrorKind::ConnectionReset
            {
                break Err(error);
            }
        },
    };
    if let Err(error) = ended {
        tracing::error!(%error, "the device stopped listening");
    }
}

async fn serve_rtu<T: AsyncRead + AsyncWrite + Unpin>(
    shared: &Arc<Shared>,
    line: &mut T,
) -> io::Result<()> {
    let registers = Registers {
        shared: Arc::clone(shared),
        cut: Arc::new(AtomicBool::new(false)),
    };
    let answer = |request| {
        let answer = registers.hear(request);
        if registers.cut.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(answer)
    };
    rtu::speak(line, rtu::UNIT, &shared.line_faults, answer).await
}

async fn serve_tcp(shared: &Arc<Shared>, listener: TcpListener) -> io::Result<()> {
    let server = Server::new(listener);
    let on_connected = |stream: TcpStream, _: SocketAddr| {
        let cut = Arc::new(AtomicBool::new(false));
        let nodelay = stream.set_nodelay(true);
        let station = Registers {
            shared: Arc::clone(shared),
            cut: Arc::clone(&cut),
        };
        ready(nodelay.map(|()| Some((station, Line { stream, cut }))))
    };
    let on_error = |error: io::Error| tracing::debug!(%error, "a connection ended");
    server.serve(&on_connected, on_error).await
}

/// One connection's view of the registers.
struct Registers {
    shared: Arc<Shared>,
    cut: Arc<AtomicBool>,
}

impl Service for Registers {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = std::future::Ready<Result<Option<Response>, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        ready(self.hear(request.request))
    }
}

impl Registers {
    fn hear(&self, request: Request<'static>) -> Answer {
        if self.shared.silent.load(Ordering::SeqCst) {
            return Ok(None);
        }
        self.shared.advance();
        self.answer(request)
    }

    fn answer(&self, request: Request<'static>) -> Result<Option<Response>, ExceptionCode> {
        let machine = lock(&self.shared.machine);
        let response = match request {
            Request::ReadInputRegisters(at, len) => {
                Response::ReadInputRegisters(part(&machine.inputs(), at, len)?)
            }
            Request::ReadHoldingRegisters(at, len) => {
                Response::ReadHoldingRegisters(part(&machine.holdings(), at, len)?)
            }
            Request::ReadDiscreteInputs(at, len) => {
                Response::ReadDiscreteInputs(part(&machine.discretes(), at, len)?)
            }
            Request::ReadCoils(at, len) => Response::ReadCoils(part(&machine.coils(), at, len)?),
            Request::WriteSingleRegister(at, word) => {
                drop(machine);
                self.write(at, &[word])?;
                Response::WriteSingleRegister(at, word)
            }
            Request::WriteMultipleRegisters(at, words) => {
                drop(machine);
                self.write(at, &words)?;
                if self.cut.load(Ordering::SeqCst) {
                    return Ok(None);
                }
                let len = u16::try_from(words.len()).unwrap_or(0);
                Response::WriteMultipleRegisters(at, len)
            }
            Request::WriteSingleCoil(at, on) => {
                drop(machine);
                if !lock(&self.shared.machine).write_coil(at, on) {
                    return Err(ExceptionCode::IllegalDataAddress);
                }
                self.shared.changed();
                Response::WriteSingleCoil(at, on)
            }
            Request::WriteMultipleCoils(..)
            | Request::ReportServerId
            | Request::MaskWriteRegister(..)
            | Request::ReadWriteMultipleRegisters(..)
            | Request::ReadDeviceIdentification(..)
            | Request::Custom(..) => return Err(ExceptionCode::IllegalFunction),
        };
        Ok(Some(response))
    }

    /// Writes holding registers: the command block as a whole, or heartbeat and timeout.
    fn write(&self, at: u16, words: &[u16]) -> Result<(), ExceptionCode> {
        if words.is_empty() {
            return Err(ExceptionCode::IllegalDataValue);
        }
        let now_ms = self.shared.now_ms();
        let mut machine = lock(&self.shared.machine);
        let profile = &self.shared.profile;
        let (command, host) = (profile.command_block(), profile.host_block());
        let last = at.saturating_add(u16::try_from(words.len()).unwrap_or(u16::MAX) - 1);
        if at == command.first && words.len() == usize::from(command.len) {
            let block: [u16; 6] = words
                .try_into()
                .map_err(|_length| ExceptionCode::IllegalDataValue)?;
            machine.write_command(block, now_ms)?;
            // The command is remembered before it is answered, as in the machine's own memory.
            self.shared.save(&machine);
            if self.shared.drop_after_write.swap(false, Ordering::SeqCst) {
                self.cut.store(true, Ordering::SeqCst);
            }
        } else if host.offset(at).is_some() && host.offset(last).is_some() {
            let word = |address| {
                let mut written = (at..).zip(words);
                written
                    .find(|(known, _)| *known == address)
                    .map(|(_, word)| *word)
            };
            let holdings = &profile.holdings;
            machine.hear_host(word(holdings.heartbeat), word(holdings.timeout_s), now_ms);
        } else {
            return Err(ExceptionCode::IllegalDataAddress);
        }
        drop(machine);
        self.shared.changed();
        Ok(())
    }
}

fn part<T: Copy>(all: &[T], at: u16, len: u16) -> Result<Vec<T>, ExceptionCode> {
    let at = usize::from(at);
    if len == 0 {
        return Err(ExceptionCode::IllegalDataValue);
    }
    all.get(at..at + usize::from(len))
        .map(<[T]>::to_vec)
        .ok_or(ExceptionCode::IllegalDataAddress)
}
