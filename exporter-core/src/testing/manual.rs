//! The manual page and the shell completions of a program, generated from its flags.

use std::io::Write as _;
use std::path::Path;

use clap::{Arg, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::golden;
use crate::program::command_line;
use crate::program::run::Program;

/// Compares the manual page in `man/` and the completions in `completions/` of a folder with the
/// flags of the program. `UPDATE=1` rewrites them.
///
/// # Panics
///
/// Panics if a file is not current.
pub fn manual<Env>(program: &Program<Env>, folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    let name = program.name;
    golden(folder.join(format!("man/{name}.1")), &page(program));
    let completions = folder.join("completions");
    for (shell, file) in [
        (Shell::Bash, format!("{name}.bash")),
        (Shell::Fish, format!("{name}.fish")),
        (Shell::Zsh, format!("_{name}")),
    ] {
        let mut script = Vec::new();
        let mut command = without_hidden(&command_line::command(&program.command_spec()), program);
        clap_complete::generate(shell, &mut command, name, &mut script);
        golden(completions.join(file), &String::from_utf8_lossy(&script));
    }
}

/// What completions offer. clap hides flags from the help only; `--no-FLAG` stays, if `--FLAG` is
/// shown there.
fn without_hidden<Env>(command: &Command, program: &Program<Env>) -> Command {
    let is_hidden = |argument: &Arg| match argument.get_long() {
        Some(long) if argument.is_hide_set() => long.strip_prefix("no-").is_none_or(|positive| {
            command
                .get_arguments()
                .any(|other| other.get_long() == Some(positive) && other.is_hide_set())
        }),
        _ => argument.is_hide_set(),
    };
    let shown = command.get_arguments().filter(|argument| !is_hidden(argument)).cloned();
    Command::new(program.name).version(program.version).args(shown)
}

fn page<Env>(program: &Program<Env>) -> String {
    let name = program.name;
    let man = Man::new(command_line::command(&program.command_spec()))
        .section("1")
        .date("")
        .source(format!("{name} {}", program.version))
        .manual("Prometheus exporters");
    let mut page = Vec::new();
    let written = man
        .render_title(&mut page)
        .and_then(|()| man.render_name_section(&mut page))
        .and_then(|()| write!(page, ".SH SYNOPSIS\n.B {name}\n[\\fIflags\\fR]\n"))
        .and_then(|()| man.render_options_section(&mut page));
    written.expect("memory can be written to");
    let text = String::from_utf8_lossy(&page).into_owned();
    text + &ENDING.replace("EXPORTER", name).replace('-', "\\-")
}

/// The sections that are the same for all exporters.
const ENDING: &str = ".SH FILES
.TP
.I /etc/default/EXPORTER
The flags of the systemd unit.
.TP
.I /etc/EXPORTER/
Web configuration, certificates and keys, and the exporter's own configuration.
.TP
.I /usr/share/doc/EXPORTER/examples/
Examples, and drop-ins for the systemd unit: mutual TLS, socket activation.
.SH SIGNALS
.TP
.B SIGHUP
Reload the configuration. An invalid file changes nothing and is reported in the log.
.TP
.BR SIGTERM ,\\ SIGINT
Finish the scrapes in progress and exit.
.SH EXIT STATUS
0 after a stop or a check without a problem, 2 for an invalid command line or configuration, 1 for any other failure.
.SH SEE ALSO
.BR exporter-pki (1),
.BR systemctl (1)
";
