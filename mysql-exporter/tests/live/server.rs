//! Servers for tests: MariaDB if it is installed, MySQL from the folder in the variable `MYSQL`.

use std::cell::RefCell;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use exporter_core::testing::{MAX_WAIT, send_signal, skip, until};
use tempfile::TempDir;

/// A server on a free port of loopback and a socket. It is killed on drop.
pub(crate) struct Server {
    pub(crate) flavour: &'static str,
    pub(crate) port: u16,
    pub(crate) socket: PathBuf,
    /// The process of the server itself, without a shell.
    child: RefCell<Child>,
    command: Box<dyn Fn() -> Command>,
    client: Vec<String>,
    data: TempDir,
    /// Copies of plugins.
    plugins: Option<TempDir>,
}

const USER: &str = "exporter";
const CHARACTER_SET: &str = "--default-character-set=utf8mb4";
/// A password with characters that have caused problems in option files.
pub(crate) const PASSWORD: &str = "s3 $x?#&;@:/'\"%\\(";

impl Server {
    /// Starts MariaDB. If it is not installed, the test is skipped.
    pub(crate) fn mariadb(flags: &[&str]) -> Option<Self> {
        let is_installed = Command::new("mariadbd").arg("--version").output().is_ok();
        if !is_installed {
            skip("no mariadbd in PATH; install mariadb-server-core");
            return None;
        }
        let data = tempfile::tempdir().unwrap();
        let (dir, user) = (data.path().to_owned(), unprivileged_user(data.path()));
        // Servers that start at the same time must not share names of temporary tables.
        let install = Command::new("mariadb-install-db")
            .env("TMPDIR", &dir)
            .args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"])
            .arg(format!("--datadir={}/data", dir.display()))
            .args(user.map(|user| format!("--user={user}")))
            .output()
            .unwrap();
        assert!(install.status.success(), "{}", String::from_utf8_lossy(&install.stderr));
        let (port, socket) = (free_port(), dir.join("s"));
        let own = [
            format!("--port={port}"),
            format!("--socket={}", socket.display()),
            format!("--datadir={}/data", dir.display()),
        ];
        let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let command = move || {
            let mut command = Command::new("mariadbd");
            command
                .env("TMPDIR", &dir)
                .args(["--no-defaults", "--bind-address=127.0.0.1", "--server-id=1"])
                .args(["--performance-schema=ON", "--log-bin=log-bin"])
                .arg("--innodb-buffer-pool-size=16M")
                .args(user.map(|user| format!("--user={user}")))
                .args(&own)
                .args(&flags)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        let child = RefCell::new(command().spawn().unwrap());
        let command = Box::new(command);
        // Since version 11.4, the client verifies the server's certificate even on a socket.
        let client = ["mariadb", "--no-defaults", "--skip-ssl", "-uroot", "-N", CHARACTER_SET];
        let mut client = client.map(str::to_owned).to_vec();
        client.push(format!("--socket={}", socket.display()));
        let server =
            Self { flavour: "mariadb", port, socket, child, command, client, data, plugins: None };
        Some(server.initialized())
    }

    /// Starts MariaDB with a plugin. Plugins are not in the package of the server program.
    pub(crate) fn mariadb_with_plugin(plugin: &str) -> Option<Self> {
        let folder = std::env::var("MARIADB_PLUGINS").unwrap_or("/usr/lib/mysql/plugin".into());
        let file = Path::new(&folder).join(plugin).with_extension("so");
        if !file.exists() {
            skip(&format!(
                "no plugin {plugin} of MariaDB in {folder}; MARIADB_PLUGINS may say where"
            ));
            return None;
        }
        // The user of the server may not be allowed to read it there.
        let copies = tempfile::tempdir().unwrap();
        fs::set_permissions(copies.path(), Permissions::from_mode(0o755)).unwrap();
        fs::copy(&file, copies.path().join(file.file_name().unwrap())).unwrap();
        let folder = format!("--plugin-dir={}", copies.path().display());
        let mut server = Self::mariadb(&[&folder, &format!("--plugin-load-add={plugin}")])?;
        server.plugins = Some(copies);
        Some(server)
    }

    /// Starts MySQL from the folder in the variable `MYSQL`. Without it, the test is skipped.
    pub(crate) fn mysql() -> Option<Self> {
        Self::mysql_with(&[])
    }

    /// Starts MySQL with additional flags.
    pub(crate) fn mysql_with(flags: &[&str]) -> Option<Self> {
        let programs = std::env::var("MYSQL").map(PathBuf::from).ok();
        let Some(programs) = programs.filter(|programs| programs.join("mysqld").exists()) else {
            skip("MYSQL does not name a folder with mysqld and mysql in it");
            return None;
        };
        let data = tempfile::tempdir().unwrap();
        let dir = data.path().to_owned();
        // Other users may not be able to read the folder with the programs.
        let user = is_root().then_some("--user=root");
        let mysqld = programs.join("mysqld");
        let mysqld = move |flags: &[String]| {
            let mut command = Command::new(&mysqld);
            command.arg("--no-defaults").arg(format!("--datadir={}/data", dir.display()));
            command.args(user).args(flags).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        assert!(mysqld(&["--initialize-insecure".into()]).status().unwrap().success());
        let (port, socket) = (free_port(), data.path().join("s"));
        let mut all = vec![
            "--bind-address=127.0.0.1".into(),
            "--mysqlx=OFF".into(),
            "--secure-file-priv=NULL".into(),
            "--server-id=2".into(),
            "--log-bin=log-bin".into(),
            format!("--port={port}"),
            format!("--socket={}", socket.display()),
            format!("--pid-file={}/pid", data.path().display()),
        ];
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let command = Box::new(move || mysqld(&all));
        let child = RefCell::new(command().spawn().unwrap());
        let client = programs.join("mysql").display().to_string();
        let mut client = vec![client];
        client.extend(["--no-defaults", "-uroot", "-N", CHARACTER_SET].map(str::to_owned));
        client.push(format!("--socket={}", socket.display()));
        let server =
            Self { flavour: "mysql", port, socket, child, command, client, data, plugins: None };
        Some(server.initialized())
    }

    /// Runs statements as root. Returns their output.
    pub(crate) fn sql(&self, statements: &str) -> String {
        self.try_sql(statements).unwrap_or_else(|error| panic!("{statements}: {error}"))
    }

    /// A global status variable.
    pub(crate) fn status(&self, name: &str) -> u64 {
        let row = self.sql(&format!("SHOW GLOBAL STATUS LIKE '{name}'"));
        row.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn is_mysql(&self) -> bool {
        self.flavour == "mysql"
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.borrow().id().to_string();
        send_signal(self.child.borrow().id(), name);
        if name == "STOP" {
            until(|| is_stopped(&pid), || format!("{} does not stop", self.flavour));
        }
    }

    /// Writes an option file with the login of the exporter's user over TCP. Returns the flag with its
    /// path.
    pub(crate) fn login_options(&self, dir: &Path) -> String {
        let text = format!(
            "[client]\nuser={USER}\npassword={PASSWORD}\nhost=127.0.0.1\nport=PORT\n\
             get-server-public-key=1\n"
        );
        self.options(dir, &text)
    }

    /// Opens a connection of root that stays open, for transactions and locks.
    pub(crate) fn session(&self) -> SqlSession {
        let (program, arguments) = self.client.split_first().unwrap();
        let mut child = Command::new(program)
            .args(arguments)
            .args(["--unbuffered", "--force"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        SqlSession { child, output }
    }

    /// Writes an option file. `PORT`, `SOCKET` and `DATA` are replaced by the port, the socket and the
    /// data directory of this server. Returns the flag with its path.
    pub(crate) fn options(&self, dir: &Path, sections: &str) -> String {
        let text = sections
            .replace("PORT", &self.port.to_string())
            .replace("SOCKET", &self.socket.display().to_string())
            .replace("DATA", &self.data.path().join("data").display().to_string());
        let path = dir.join("my.cnf");
        fs::write(&path, text).unwrap();
        format!("--config.my-cnf={}", path.display())
    }

    /// Kills the server.
    pub(crate) fn crash(&self) {
        let mut child = self.child.borrow_mut();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts the server again.
    pub(crate) fn start(&self) {
        *self.child.borrow_mut() = (self.command)().spawn().unwrap();
        self.wait_until_ready();
    }

    /// Starts a client that runs statements as this user, without a password, until it is killed.
    pub(crate) fn client(&self, user: &str, statements: &str) -> Child {
        let (program, arguments) = self.client.split_first().unwrap();
        Command::new(program)
            .args(arguments)
            .args([&format!("-u{user}"), "-e", statements])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn wait_until_ready(&self) {
        let since = Instant::now();
        // Galera rejects statements on tables, but not SELECT 1, until the node is ready.
        while let Err(error) = self.try_sql("SELECT COUNT(*) FROM mysql.user") {
            assert!(since.elapsed() < MAX_WAIT, "{} does not start: {error}", self.flavour);
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until the server responds, and creates the databases and users for the tests.
    fn initialized(self) -> Self {
        self.wait_until_ready();
        self.sql(
            "CREATE DATABASE app; CREATE TABLE app.things (id INT UNSIGNED AUTO_INCREMENT PRIMARY \
             KEY, name VARCHAR(10)); INSERT INTO app.things (name) VALUES ('a'), ('b'); CREATE \
             DATABASE heartbeat; CREATE TABLE heartbeat.heartbeat (ts VARCHAR(26), server_id INT \
             UNSIGNED); INSERT INTO heartbeat.heartbeat VALUES ('2026-11-20T10:00:00.001000', 1), \
             ('2026-11-20T10:00:00.001000', 1);",
        );
        let own = if self.is_mysql() { "" } else { ", SLAVE MONITOR" };
        for host in ["127.0.0.1", "localhost"] {
            self.user(USER, host, PASSWORD);
            self.sql(&format!(
                "GRANT PROCESS, REPLICATION CLIENT, SELECT{own} ON *.* TO {USER}@'{host}'"
            ));
        }
        self
    }

    pub(crate) fn user(&self, name: &str, host: &str, password: &str) {
        let password = password.replace('\\', "\\\\").replace('\'', "\\'");
        self.sql(&format!("CREATE USER '{name}'@'{host}' IDENTIFIED BY '{password}'"));
    }

    /// Runs the statements in a file as root.
    pub(crate) fn script(&self, path: &Path) {
        let (program, arguments) = self.client.split_first().unwrap();
        let input = fs::File::open(path).unwrap();
        let output = Command::new(program).args(arguments).stdin(input).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn try_sql(&self, statements: &str) -> Result<String, String> {
        let (program, arguments) = self.client.split_first().unwrap();
        let output = Command::new(program)
            .args(arguments)
            .args(["-e", statements])
            .output()
            .map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}

/// A client that stays connected, and runs statements one after another.
pub(crate) struct SqlSession {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl SqlSession {
    /// Sends statements, without waiting for them.
    pub(crate) fn send(&mut self, statements: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{statements};").unwrap();
    }

    /// Waits until a line of the output is `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let mut line = String::new();
        while line.trim() != text {
            line.clear();
            let read = self.output.read_line(&mut line).unwrap();
            assert!(read > 0, "the client ended before it printed {text}");
        }
    }
}

impl Drop for SqlSession {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server may be stopped, or may have ended already.
        let child = self.child.get_mut();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Whether all threads of a process are stopped. On a busy machine, some still run after the signal.
fn is_stopped(pid: &str) -> bool {
    let mut threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.all(|thread| {
        let status = fs::read_to_string(thread.unwrap().path().join("status"));
        // A thread may have ended meanwhile.
        status.map_or(true, |status| status.contains("\nState:\tT"))
    })
}

/// If the test runs as root, returns another user for the server, and makes it the owner of the
/// directory.
fn unprivileged_user(dir: &Path) -> Option<&'static str> {
    fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    is_root().then(|| {
        assert!(Command::new("chown").arg("nobody:").arg(dir).status().unwrap().success());
        "nobody"
    })
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
