//! The program `adapters`: the gateway's adapters, for devices on another host than the station's.
//!
//! Owns the process: its command line, its signals, its certificates, its metrics. Must never know what a device says; that is the
//! library's.

mod cli;
mod links;
mod metrics;
mod pages;
mod run;

fn main() -> std::process::ExitCode {
    panics::hide_data();
    cli::main()
}
