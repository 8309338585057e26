//! `--check --unit`: runs the check as the unit of this program would, with its user, sandbox,
//! files and environment.
//!
//! The unit is started under another name, from its own text, with another command.

use std::fs;
use std::process::Command;

/// The result of a check under the unit.
pub(super) struct Outcome {
    pub(super) report: String,
    pub(super) is_good: bool,
}

/// Checks the unit `<name>.service`.
pub(super) fn check(name: &str) -> Result<Outcome, String> {
    let text = systemctl(&["cat", &format!("{name}.service")])?;
    let transient = format!("{name}-check-{}", std::process::id());
    let unit = format!("/run/systemd/system/{transient}.service");
    let report = format!("/run/{transient}.report");
    let text = unit_for_check(&text, &report)
        .ok_or_else(|| format!("the unit {name}.service has no command (ExecStart=)"))?;
    fs::write(&unit, text)
        .map_err(|error| format!("{unit} cannot be written, which takes root: {error}"))?;
    let started = systemctl(&["daemon-reload"]).and_then(|_| {
        // The status is that of the check, or of systemd if it could not run.
        systemctl(&["start", &transient])
    });
    let said = fs::read(&report).unwrap_or_default();
    let status = systemctl(&["show", "--value", "--property=ExecMainStatus", &transient]);
    let _ = fs::remove_file(&unit);
    let _ = fs::remove_file(&report);
    let _ = systemctl(&["reset-failed", &transient]);
    let _ = systemctl(&["daemon-reload"]);
    let report = String::from_utf8_lossy(&said).into_owned();
    match started {
        Ok(_) => Ok(Outcome { report, is_good: true }),
        Err(_) if !report.is_empty() => Ok(Outcome { report, is_good: false }),
        Err(error) => {
            let status = status.unwrap_or_default();
            Err(format!("the unit cannot be started (status {}): {error}", status.trim()))
        }
    }
}

/// The text of a unit and its drop-ins, with a check in place of its command. `None` if it has no
/// command.
fn unit_for_check(text: &str, report: &str) -> Option<String> {
    let mut out = String::from("[Service]\n");
    let mut in_service = false;
    let mut command = None;
    let joined = text.replace("\\\n", " ");
    for line in joined.lines().map(str::trim) {
        if line.starts_with('[') {
            in_service = line == "[Service]";
        } else if in_service && let Some(value) = line.strip_prefix("ExecStart=") {
            command = Some(value).filter(|value| !value.is_empty());
        } else if in_service && !DROPPED.iter().any(|key| line.starts_with(key)) {
            out.extend([line, "\n"]);
        }
    }
    let (program, arguments) = command?.split_once(char::is_whitespace).unwrap_or((command?, ""));
    let command = format!("{program} --check {arguments}");
    for line in [
        "Type=oneshot",
        "Restart=no",
        &format!("StandardOutput=append:{report}"),
        &format!("StandardError=append:{report}"),
        &format!("ExecStart={command}"),
    ] {
        out.extend([line, "\n"]);
    }
    Some(out)
}

/// Settings that do not apply to a check.
const DROPPED: [&str; 8] = [
    "Exec",
    "NotifyAccess=",
    "RemainAfterExit=",
    "Restart",
    "StandardError=",
    "StandardOutput=",
    "Type=",
    "Watchdog",
];

#[expect(clippy::disallowed_methods, reason = "only the service manager knows its units")]
fn systemctl(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("systemctl")
        .args(["--quiet", "--no-pager"])
        .args(arguments)
        .output()
        .map_err(|error| format!("systemctl cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    let first = error.lines().next().unwrap_or("it failed");
    Err(format!("systemctl {}: {first}", arguments.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_replaced_by_a_check() {
        let unit = "# /usr/lib/x.service\n[Unit]\nRequires=x.socket\n[Service]\nType=notify\nUser=x\n\
                    Environment=WEB= ARGS=\nExecStart=/usr/bin/x $WEB \\\n  $ARGS\nRestart=on-failure\n\
                    WatchdogSec=30s\n[Install]\nWantedBy=y\n# drop-in\n[Service]\nEnvironment=WEB=--a\n";
        let text = unit_for_check(unit, "/run/r").unwrap();
        assert!(text.ends_with("ExecStart=/usr/bin/x --check $WEB    $ARGS\n"), "{text}");
        for line in ["User=x", "Environment=WEB= ARGS=", "Environment=WEB=--a", "Type=oneshot"] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        for absent in ["notify", "socket", "Watchdog", "on-failure", "Install"] {
            assert!(!text.contains(absent), "{absent}: {text}");
        }
        assert_eq!(unit_for_check("[Service]\nExecStart=/x\nExecStart=\n", "/run/r"), None);
    }
}
