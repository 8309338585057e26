//! Signals to other processes.

use rustix::process::{Pid, Signal, kill_process};

/// Sends a signal, such as `TERM`, to a process.
pub fn send_signal(pid: u32, name: &str) {
    let signal = match name {
        "CONT" => Signal::CONT,
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "KILL" => Signal::KILL,
        "STOP" => Signal::STOP,
        "TERM" => Signal::TERM,
        _ => panic!("no signal {name}"),
    };
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("the ID of a process");
    kill_process(process, signal).expect("the process is running");
}
