//! The program `gateway`.

fn main() -> std::process::ExitCode {
    panics::hide_data();
    gateway_server::cli::main()
}
